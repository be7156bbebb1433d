// Moving through a list by keyboard: j and k move the focus, Enter is the link's own.

import { bind } from "./keys.js";

function rows() {
  return [...document.querySelectorAll("[data-keys=list] [data-row] a.row")];
}

function move(step) {
  const links = rows();
  if (links.length === 0) return;
  const now = links.indexOf(document.activeElement);
  const next = now < 0 ? (step > 0 ? 0 : links.length - 1) : Math.min(Math.max(now + step, 0), links.length - 1);
  links[next].focus();
  links[next].scrollIntoView({ block: "nearest" });
}

bind("j", () => move(1));
bind("k", () => move(-1));
