// Every page works without scripts, and its URL says what it shows. These modules only make it quicker to the hand.
import * as brush from "./brush.js";
import * as chains from "./chains.js";
import * as help from "./help.js";
import * as keyboard from "./keyboard.js";
import * as live from "./live.js";
import * as navigate from "./navigate.js";
import * as story from "./story.js";
import * as zone from "./zone.js";

// What needs the script is hidden without it.
function reveal() {
  for (const element of document.querySelectorAll(".switches, #live, #help, #back")) element.hidden = false;
}

function here() {
  for (const link of document.querySelectorAll(".top nav a")) {
    if (link.pathname === location.pathname) link.setAttribute("aria-current", "page");
  }
}

function drawn() {
  reveal();
  zone.show(document);
  brush.attach();
}

function shown() {
  drawn();
  live.attach();
}

here();
shown();
document.addEventListener("catchall:shown", shown);
document.addEventListener("catchall:drawn", drawn);
for (const module of [navigate, chains, story, keyboard, help, zone, live]) module.start();
