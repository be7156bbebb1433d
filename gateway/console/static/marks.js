// n and p jump between the marks of a message, wherever one is shown.

import { bind } from "./keys.js";

const marks = [...document.querySelectorAll("[data-mark]")];
let at = -1;

function jump(step) {
  if (marks.length === 0) return;
  at = (at + step + marks.length) % marks.length;
  marks[at].focus();
  marks[at].scrollIntoView({ block: "center" });
}

bind("n", () => jump(1));
bind("p", () => jump(at < 0 ? 0 : -1));
