// Every five seconds the page is fetched again and its content takes the old one's place. It waits while the page is hidden or
// text is selected, and leaves the focus where it is.
const EVERY = 5_000;

function unchangedPlace(before) {
  const focused = before.contains(document.activeElement) ? document.activeElement : null;
  return { href: focused?.getAttribute("href"), label: focused?.getAttribute("aria-label") };
}

function focusAgain(place, main) {
  const candidates = [...main.querySelectorAll("a, [tabindex]")];
  const same = (element) =>
    (place.href && element.getAttribute("href") === place.href) ||
    (!place.href && place.label && element.getAttribute("aria-label") === place.label);
  candidates.find(same)?.focus({ preventScroll: true });
}

function tellStale(since) {
  const now = document.querySelector(".now");
  if (!now || now.querySelector(".stale")) return;
  const note = document.createElement("span");
  note.className = "stale";
  note.textContent = ` · no answer since ${since.toISOString().slice(11, 19)} UTC`;
  now.append(note);
}

async function again() {
  if (document.hidden || !getSelection().isCollapsed) return;
  const asked = new Date();
  try {
    const answer = await fetch(location.href, { headers: { accept: "text/html" } });
    if (!answer.ok) throw new Error(answer.statusText);
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const [before, after] = [document.querySelector("main"), fresh.querySelector("main")];
    const place = unchangedPlace(before);
    // Styles and script are there already.
    for (const loaded of after.querySelectorAll("link, script")) loaded.remove();
    const kept = [...before.querySelectorAll(":scope > link, :scope > script")];
    before.replaceChildren(...kept, ...after.childNodes);
    document.querySelector(".now")?.replaceChildren(...fresh.querySelector(".now").childNodes);
    focusAgain(place, before);
    document.dispatchEvent(new CustomEvent("catchall:drawn"));
  } catch {
    tellStale(asked);
  }
}

setInterval(again, EVERY);
document.addEventListener("visibilitychange", again);
