// Opens and closes the events of a chain under its newest one.
function clicked(event) {
  const link = event.target.closest("a.fold");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const open = link.getAttribute("aria-expanded") !== "true";
  link.setAttribute("aria-expanded", String(open));
  let row = link.closest("tr").nextElementSibling;
  while (row?.matches(".link, .opened")) {
    row.hidden = !open;
    row = row.nextElementSibling;
  }
}

export function start() {
  // Before links are followed.
  document.addEventListener("click", clicked, { capture: true });
}
