// Opens an event's story under its row; the URL then names the row.
import { say } from "./spoken.js";
import { show } from "./zone.js";

const COLUMNS = 6;

function close(row, link) {
  row.nextElementSibling.remove();
  link.setAttribute("aria-expanded", "false");
  if (location.hash === `#${row.id}`) history.replaceState(null, "", location.pathname + location.search);
}

export async function toggle(link) {
  const row = link.closest("tr");
  if (row.nextElementSibling?.classList.contains("opened")) return close(row, link);
  link.setAttribute("aria-expanded", "true");
  const answer = await fetch(link.href, { headers: { accept: "text/html" } });
  const article = answer.ok && new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("story");
  // Purged since, or the VMDB is away: its own page says so.
  if (!article) return location.assign(link.href);
  // Several may be open at once.
  for (const element of [article, ...article.querySelectorAll("[id]")]) element.id += `-${row.id}`;
  for (const element of article.querySelectorAll("[aria-labelledby]")) {
    element.setAttribute("aria-labelledby", `${element.getAttribute("aria-labelledby")}-${row.id}`);
  }
  const opened = document.createElement("tr");
  opened.className = row.classList.contains("link") ? "opened link" : "opened";
  const cell = opened.insertCell();
  cell.colSpan = COLUMNS;
  cell.append(document.adoptNode(article));
  row.after(opened);
  show(opened);
  history.replaceState(null, "", `#${row.id}`);
  say(`Opened. ${article.querySelector(".message")?.textContent ?? ""}`);
}

function clicked(event) {
  const link = event.target.closest(".events .when a");
  if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  toggle(link);
}

// The row that the URL names is opened, and shown though it is folded.
function openNamed() {
  const row = location.hash.startsWith("#e") && document.getElementById(location.hash.slice(1));
  if (!row) return;
  row.hidden = false;
  toggle(row.querySelector(".when a"));
}

export function start() {
  document.addEventListener("click", clicked, { capture: true });
  openNamed();
}

