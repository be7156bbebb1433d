// What every page has: the list of keys, the way to the search, and the way back from a release.

import { bind } from "./keys.js";

bind("?", () => document.getElementById("help")?.showModal());
bind("u", () => document.querySelector("button[data-undo]")?.click());
bind("/", () => {
  const search = document.querySelector("[data-search]");
  if (search) {
    search.focus();
    search.select();
  }
});
