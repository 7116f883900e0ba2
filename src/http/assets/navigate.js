// Links and forms that change what this page shows: fetches the new URL and swaps `main`, so that nothing jumps. Links to
// other pages are the browser's.
import { say } from "./spoken.js";

let underWay = null;

export async function go(address, { push = true } = {}) {
  const url = new URL(address, location.href);
  underWay?.abort();
  const mine = underWay = new AbortController();
  const main = document.querySelector("main");
  main.setAttribute("aria-busy", "true");
  let next;
  try {
    const answer = await fetch(url, { signal: mine.signal, headers: { accept: "text/html" } });
    if (!answer.ok) throw new Error(String(answer.status));
    next = new DOMParser().parseFromString(await answer.text(), "text/html");
  } catch (error) {
    // Whoever clicked twice wants the second; whatever else fails, the browser shows.
    if (error.name !== "AbortError") location.assign(url);
    return;
  }
  if (push) history.pushState(null, "", url);
  const focused = main.contains(document.activeElement) ? document.activeElement : null;
  document.title = next.title;
  main.replaceWith(document.adoptNode(next.querySelector("main")));
  const now = next.querySelector(".top .now");
  if (now) document.querySelector(".top .now").replaceWith(document.adoptNode(now));
  document.dispatchEvent(new CustomEvent("catchall:shown"));
  if (focused) refocus(focused);
  say(document.querySelector(".under p")?.textContent ?? document.title);
}

// The focus goes to what is the same in the new content, else to its beginning.
function refocus({ id, name }) {
  const main = document.querySelector("main");
  const same = (id && document.getElementById(id)) || (name && main.querySelector(`[name="${CSS.escape(name)}"]:not([type=hidden])`));
  const heading = main.querySelector("h1");
  heading.tabIndex = -1;
  (same || heading).focus({ preventScroll: true });
}

// The same page with other values in its query; `null` takes one away.
export function changed(values) {
  const url = new URL(location.href);
  url.hash = "";
  url.searchParams.delete("before");
  for (const [name, value] of Object.entries(values)) {
    if (value === null) url.searchParams.delete(name);
    else url.searchParams.set(name, value);
  }
  return url;
}

function clicked(event) {
  if (event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  if (event.target.closest("#back")) return history.back();
  const link = event.target.closest("main a[href]");
  if (!link) return;
  const url = new URL(typeof link.href === "string" ? link.href : link.href.baseVal, location.href);
  if (url.origin !== location.origin || url.pathname !== location.pathname || link.hasAttribute("download")) return;
  event.preventDefault();
  go(url);
}

function submitted(event) {
  const form = event.target;
  if (form.method !== "get" || new URL(form.action).pathname !== location.pathname) return;
  event.preventDefault();
  const url = new URL(form.action);
  url.search = new URLSearchParams([...new FormData(form)].filter(([, value]) => value !== "")).toString();
  go(url);
}

let shownUrl = location.pathname + location.search;

function moved() {
  // Only the row that is open has changed.
  if (location.pathname + location.search === shownUrl) return;
  go(location.href, { push: false });
}

export function start() {
  document.addEventListener("click", clicked);
  document.addEventListener("submit", submitted);
  document.addEventListener("catchall:shown", () => { shownUrl = location.pathname + location.search; });
  addEventListener("popstate", moved);
}
