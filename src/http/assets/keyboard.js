// One key for what is done often. Never while somebody types, and never with Ctrl, Alt or the like.
import { toggleHelp } from "./help.js";
import { toggle as toggleLive } from "./live.js";
import { toggle as toggleZone } from "./zone.js";

const rows = () => [...document.querySelectorAll("#rows > tr:not(.opened):not([hidden])")];

// Puts the focus on the next row or the one before; on the first one when it was elsewhere.
function move(step) {
  const all = rows();
  const here = all.findIndex((row) => row.contains(document.activeElement));
  const row = all[here < 0 ? 0 : Math.max(0, Math.min(here + step, all.length - 1))];
  row?.querySelector(".when a")?.focus();
  row?.scrollIntoView({ block: "nearest" });
}

const press = (id) => () => document.getElementById(id)?.click();

const KEYS = {
  j: () => move(1),
  k: () => move(-1),
  "/": () => document.querySelector("form.filter [name=text]")?.focus(),
  "+": press("zoom-in"),
  "=": press("zoom-in"),
  "-": press("zoom-out"),
  ArrowLeft: press("earlier"),
  ArrowRight: press("later"),
  b: press("back"),
  t: toggleZone,
  l: toggleLive,
  "?": toggleHelp,
};

function pressed(event) {
  const { target } = event;
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (target.matches?.("input, select, textarea") || target.closest?.("dialog")) return;
  // These scroll, except among the rows and where nothing is to scroll.
  const isArrow = event.key.startsWith("Arrow");
  if (isArrow && target.closest?.("pre")) return;
  if (["ArrowDown", "ArrowUp"].includes(event.key)) {
    if (!target.closest?.("#rows")) return;
    event.preventDefault();
    return move(event.key === "ArrowDown" ? 1 : -1);
  }
  const act = KEYS[event.key];
  if (!act) return;
  event.preventDefault();
  act();
}

export function start() {
  document.addEventListener("keydown", pressed);
}
