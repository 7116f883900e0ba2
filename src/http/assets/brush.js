// A stretch of the histogram is chosen with the pointer, or with the arrow keys, and becomes the window.
import * as bars from "./bars.js";
import { changed, go } from "./navigate.js";

let surface = null;
let brush = null;
// The bars that are chosen: where it began, and where it is now.
let from = 0;
let to = 0;

const iso = (time) => new Date(time).toISOString().replace(".000Z", "Z");

function zoom(begin, end) {
  const second = 1000;
  go(changed({ last: null, since: iso(Math.floor(begin / second) * second), until: iso(Math.ceil(end / second) * second) }));
}

function mark(begin, end) {
  brush.hidden = false;
  brush.style.left = `${bars.shareOf(begin) * 100}%`;
  brush.style.width = `${(bars.shareOf(end) - bars.shareOf(begin)) * 100}%`;
}

const chosen = () => [bars.ends(Math.min(from, to))[0], bars.ends(Math.max(from, to))[1]];

function tell() {
  mark(...chosen());
  surface.setAttribute("aria-valuenow", String(to));
  surface.setAttribute("aria-valuetext", bars.lines(to).join(". "));
}

function pressed(event) {
  const last = bars.barCount() - 1;
  const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -Infinity, End: Infinity }[event.key];
  if (step !== undefined) {
    to = Math.max(0, Math.min(to + step, last));
    if (!event.shiftKey) from = to;
    tell();
  } else if (event.key === "Enter") {
    zoom(...chosen());
  } else if (event.key === "Escape") {
    brush.hidden = true;
  } else {
    return;
  }
  event.preventDefault();
  event.stopPropagation();
}

function dragged(start) {
  if (start.button) return;
  const place = surface.getBoundingClientRect();
  const share = (event) => Math.max(0, Math.min((event.clientX - place.left) / place.width, 1));
  from = to = bars.barAt(share(start));
  surface.setPointerCapture(start.pointerId);
  const move = (event) => {
    to = bars.barAt(Math.min(share(event), 0.999999));
    mark(...chosen());
  };
  const stop = () => {
    surface.removeEventListener("pointermove", move);
    surface.removeEventListener("pointerup", up);
    surface.removeEventListener("pointercancel", cancel);
  };
  const up = (event) => {
    move(event);
    stop();
    zoom(...chosen());
  };
  const cancel = () => {
    stop();
    brush.hidden = true;
  };
  surface.addEventListener("pointermove", move);
  surface.addEventListener("pointerup", up);
  surface.addEventListener("pointercancel", cancel);
}

export const isBusy = () => brush !== null && !brush.hidden;

export function attach() {
  const canvas = document.getElementById("canvas");
  from = to = 0;
  brush = null;
  if (!canvas) return;
  surface = document.createElement("div");
  surface.className = "surface";
  surface.id = "surface";
  surface.tabIndex = 0;
  brush = document.createElement("div");
  brush.className = "brush";
  brush.hidden = true;
  canvas.append(brush, surface);
  bars.attach(canvas, surface);
  const attributes = {
    role: "slider",
    "aria-label": "Stretch of time: arrow keys move, with Shift they extend, Enter zooms",
    "aria-valuemin": 0,
    "aria-valuemax": bars.barCount() - 1,
    "aria-valuenow": 0,
    "aria-valuetext": bars.lines(0).join(". "),
  };
  for (const [name, value] of Object.entries(attributes)) surface.setAttribute(name, value);
  surface.addEventListener("keydown", pressed);
  surface.addEventListener("pointerdown", dragged);
}
