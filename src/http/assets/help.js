// The list of keys.
const LIST = [
  ["j k", "next row, row before (arrow keys too, among the rows)"],
  ["Enter", "open the row, or close it"],
  ["/", "search"],
  ["+ −", "zoom in, zoom out"],
  ["← →", "earlier, later"],
  ["b", "back to what was shown before"],
  ["t", "local time or UTC"],
  ["l", "live or not"],
  ["?", "this list"],
];

let dialog = null;

function make() {
  dialog = document.createElement("dialog");
  dialog.setAttribute("aria-labelledby", "keys");
  const heading = document.createElement("h2");
  heading.id = "keys";
  heading.textContent = "Keys";
  const list = document.createElement("dl");
  for (const [keys, meaning] of LIST) {
    const term = document.createElement("dt");
    term.append(...keys.split(" ").flatMap((key) => {
      const element = document.createElement("kbd");
      element.textContent = key;
      return [element, " "];
    }));
    const description = document.createElement("dd");
    description.textContent = meaning;
    list.append(term, description);
  }
  const close = document.createElement("button");
  close.textContent = "Close";
  close.addEventListener("click", () => dialog.close());
  dialog.append(heading, list, close);
  dialog.addEventListener("keydown", (event) => { if (event.key === "?") dialog.close(); });
  document.body.append(dialog);
}

export function toggleHelp() {
  if (!dialog) make();
  if (dialog.open) dialog.close();
  else dialog.showModal();
}

export function start() {
  document.addEventListener("click", (event) => { if (event.target.closest("#help")) toggleHelp(); });
}
