// Says what the bar under the pointer holds.
import { words } from "./zone.js";

const LEVELS = ["critical", "warning", "detail"];

let canvas = null;
let lanes = [];

const since = () => Date.parse(canvas.dataset.since);
const until = () => Date.parse(canvas.dataset.until);
const first = () => Date.parse(canvas.dataset.first);
const width = () => Number(canvas.dataset.width) * 1000;

// The bar that holds the point at this share of the drawing's width.
export function barAt(share) {
  return Math.floor((since() + share * (until() - since()) - first()) / width());
}

export const barCount = () => Math.max(1, Math.ceil((until() - first()) / width()));

// A bar's begin and end, in milliseconds, no further than the drawing goes.
export function ends(bar) {
  const begin = first() + bar * width();
  return [Math.max(begin, since()), Math.min(begin + width(), until())];
}

// A point in time as a share of the drawing's width.
export const shareOf = (time) => (time - since()) / (until() - since());

// What a bar holds, a line for each lane.
export function lines(bar) {
  const [begin, end] = ends(bar);
  const held = lanes.flatMap(({ name, bars }) => {
    const counts = bars.get(bar);
    if (!counts) return [];
    const levels = LEVELS.map((level, index) => [level, counts[index]]).filter(([, count]) => count > 0);
    return [`${name}: ${levels.map(([level, count]) => `${count.toLocaleString("en")} ${level}`).join(", ")}`];
  });
  return [`${words(new Date(begin))} – ${words(new Date(end)).split(" ").slice(1).join(" ")}`, ...(held.length ? held : ["nothing"])];
}

// A bar after the other, `critical.warning.detail` between commas; what is 0 is left out.
function parse(lane) {
  const bars = new Map();
  for (const [bar, text] of lane.dataset.bars.split(",").entries()) {
    if (text) bars.set(bar, [0, 1, 2].map((level) => Number(text.split(".")[level] ?? 0)));
  }
  return { name: lane.dataset.lane, bars };
}

function hint(surface) {
  const box = document.createElement("div");
  box.className = "hint";
  box.hidden = true;
  canvas.append(box);
  surface.addEventListener("pointermove", (event) => {
    const place = surface.getBoundingClientRect();
    const share = (event.clientX - place.left) / place.width;
    box.replaceChildren(...lines(barAt(share)).map((line) => {
      const element = document.createElement("span");
      element.textContent = line;
      return element;
    }));
    box.hidden = false;
    box.style.left = `${Math.max(0, Math.min(share * place.width - box.offsetWidth / 2, place.width - box.offsetWidth))}px`;
  });
  surface.addEventListener("pointerleave", () => { box.hidden = true; });
}

// `surface` lies over the drawing and takes the pointer.
export function attach(drawing, surface) {
  canvas = drawing;
  lanes = [...canvas.querySelectorAll("g[data-bars]")].map(parse);
  hint(surface);
}
