// What every page has: the list of keys, and the way to the search.

import { bind } from "./keys.js";

bind("?", () => document.getElementById("help")?.showModal());
bind("/", () => {
  const search = document.querySelector("[data-search]");
  if (search) {
    search.focus();
    search.select();
  }
});
