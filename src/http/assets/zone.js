// Times in UTC, as the server writes them, or in the zone of whoever looks. The choice is kept in this browser.
const two = (number) => String(number).padStart(2, "0");
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

let local = false;
try { local = localStorage.getItem("zone") === "local"; } catch { /* UTC then */ }

export const isLocal = () => local;

const day = (date) => `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
const clock = (date) => `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;

// A point in time as a row says it, in the chosen zone.
export function words(date) {
  const iso = date.toISOString();
  return local ? `${day(date)} ${clock(date)}` : `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`;
}

function ofRow(date) {
  return day(date) === day(new Date()) ? clock(date) : `${day(date)} ${clock(date)}`;
}

function ofMark(date, utc) {
  const isMidnight = date.getHours() === 0 && date.getMinutes() === 0;
  const date_ = `${two(date.getDate())} ${MONTHS[date.getMonth()]}`;
  if (utc.includes(":")) return isMidnight ? date_ : utc.length > 5 ? clock(date) : clock(date).slice(0, 5);
  // A day of UTC begins at some hour of another.
  return isMidnight || /\d{4}/.test(utc) ? utc : clock(date).slice(0, 5) === "00:00" ? date_ : `${date_} ${clock(date).slice(0, 5)}`;
}

export function show(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    time.dataset.utc ??= time.textContent;
    const date = new Date(time.dateTime);
    time.title = `${day(date)} ${clock(date)} local · ${date.toISOString().replace("T", " ").replace("Z", "")} UTC`;
    time.textContent = local && !time.hasAttribute("data-age") ? ofRow(date) : time.dataset.utc;
  }
  for (const mark of root.querySelectorAll("text[data-at]")) {
    mark.dataset.utc ??= mark.textContent;
    mark.textContent = local ? ofMark(new Date(mark.dataset.at), mark.dataset.utc) : mark.dataset.utc;
  }
  const button = document.getElementById("zone");
  button.setAttribute("aria-pressed", String(local));
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  button.title = zone;
  document.querySelector(".zone-note").textContent = local ? `Times are local (${zone}).` : "Times are in UTC.";
}

export function toggle() {
  local = !local;
  try { localStorage.setItem("zone", local ? "local" : "utc"); } catch { /* it then lasts as long as the page */ }
  show(document);
}

export function start() {
  document.getElementById("zone").addEventListener("click", toggle);
}
