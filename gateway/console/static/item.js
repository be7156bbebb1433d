// The item's keys: n and p jump between marks, the letters open a decision and put the cursor into its reason.
// Everything here is a shortcut to something on the page that works without it.

import { bind } from "./keys.js";
import "./failed.js";
import "./lapse.js";
import "./list.js";
import "./marks.js";
import "./send.js";
import "./stay.js";

const decisions = { r: "release", x: "return", e: "refer", f: "false-alarm", y: "confirm", t: "note", o: "reopen" };

function open(name) {
  const box = document.getElementById(`do-${name}`);
  if (!box) return;
  box.open = true;
  document.getElementById(`reason-${name}`)?.focus();
  box.scrollIntoView({ block: "nearest" });
}

for (const [key, name] of Object.entries(decisions)) bind(key, () => open(name));

bind("c", () => document.querySelector("[data-form=claim] button[value=claim]")?.click());
bind("s", () => document.querySelector("a[data-skip]")?.click());
bind("h", () => {
  const history = document.getElementById("history");
  history?.focus();
  history?.scrollIntoView({ block: "start" });
});
bind("q", () => {
  const quoted = [...document.querySelectorAll("details[data-quoted]")];
  const unfold = quoted.some((one) => !one.open);
  for (const one of quoted) one.open = unfold;
});

for (const one of document.querySelectorAll(".offered")) one.hidden = false; // what is offered needs a script
for (const button of document.querySelectorAll("button[data-offer]")) {
  button.addEventListener("click", () => {
    const field = document.getElementById(button.dataset.offer);
    field.value = button.dataset.text ?? button.textContent;
    field.focus();
  });
}

document.getElementById("trouble")?.scrollIntoView({ block: "nearest" });
document.querySelector(".decision[open] textarea")?.focus();
