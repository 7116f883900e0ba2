// New events as they are committed, on top of the table. They wait while the pointer is in it, so that nothing moves under
// the hand.
import { isBusy } from "./brush.js";
import { say } from "./spoken.js";
import { show } from "./zone.js";

const MOST_ROWS = 500;
const SPEAK_EVERY = 5_000;
const DRAW_EVERY = 15_000;

let source = null;
let waiting = [];
let inTable = false;
let unspoken = 0;
let passed = 0;

const button = () => document.getElementById("live");

function label() {
  const it = button();
  if (!it) return;
  it.setAttribute("aria-pressed", String(source !== null));
  const held = waiting.length ? ` · ${waiting.length} waiting` : "";
  const over = passed ? ` · ${passed} passed over` : "";
  it.textContent = source ? `Live${held}${over}` : "Live";
}

function put(rows) {
  const body = document.getElementById("rows");
  if (!body || !rows.length) return;
  const template = document.createElement("template");
  // The server wrote and escaped them, as it does every row.
  template.innerHTML = rows.reverse().join("");
  const fresh = [...template.content.querySelectorAll("tr")].filter((row) => !document.getElementById(row.id));
  for (const row of fresh) row.classList.add("fresh");
  show(template.content);
  body.prepend(...fresh);
  while (body.rows.length > MOST_ROWS) body.rows[body.rows.length - 1].remove();
  unspoken += fresh.length;
  setTimeout(() => { for (const row of fresh) row.classList.remove("fresh"); }, 4_000);
}

function flush() {
  put(waiting);
  waiting = [];
  label();
}

function received(event) {
  waiting.push(event.data);
  if (waiting.length > MOST_ROWS) waiting.shift();
  if (!inTable) flush();
  else label();
}

export function stop() {
  source?.close();
  source = null;
  waiting = [];
  passed = 0;
  label();
}

function begin() {
  source = new EventSource(button().dataset.href);
  source.addEventListener("row", received);
  source.addEventListener("passed", (event) => {
    passed += Number(event.data) || 0;
    label();
  });
  source.addEventListener("error", () => {
    // It tries again by itself, unless it was refused.
    if (source?.readyState !== EventSource.CLOSED) return;
    stop();
    say("Live events are not to be had now.");
  });
  label();
}

export function toggle() {
  if (source) {
    stop();
    say("No longer live.");
  } else if (button()) {
    begin();
    say("Live: new events appear on top.");
  }
}

// The bars follow, unless somebody is at them.
async function draw() {
  if (!source || isBusy() || document.hidden || document.activeElement?.closest("#plot")) return;
  const answer = await fetch(location.href, { headers: { accept: "text/html" } });
  const plot = answer.ok && new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("plot");
  if (!plot || !source) return;
  document.getElementById("plot").replaceWith(document.adoptNode(plot));
  document.dispatchEvent(new CustomEvent("catchall:drawn"));
}

export function attach() {
  const table = document.getElementById("table");
  inTable = false;
  table?.addEventListener("pointerenter", () => { inTable = true; });
  table?.addEventListener("pointerleave", () => {
    inTable = false;
    flush();
  });
  // What is shown has changed: so does what is followed.
  const isLive = source !== null;
  if (isLive) stop();
  if (isLive && button()) begin();
}

export function start() {
  document.addEventListener("click", (event) => { if (event.target.closest("#live")) toggle(); });
  setInterval(() => {
    if (unspoken) say(`${unspoken} new events`);
    unspoken = 0;
  }, SPEAK_EVERY);
  setInterval(draw, DRAW_EVERY);
  addEventListener("pagehide", stop);
}
