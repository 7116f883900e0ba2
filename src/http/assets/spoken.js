// Tells whoever does not see the page what has changed on it, without taking the focus.
export function say(words) {
  document.getElementById("spoken").textContent = words;
}
