// Keys of a page: one map from key to action, and when a key must do nothing.
// A page calls `bind` with its own keys; the item page and the list do.

const actions = new Map();

/** Whether the visitor is typing, or a key belongs to a control: then no key of ours does anything. */
export function isTyping(target) {
  if (!(target instanceof Element)) return false;
  return target.closest("input, textarea, select, [contenteditable], dialog[open]") !== null;
}

/** Have `key` run `action`. A later call for the same key replaces the earlier one. */
export function bind(key, action) {
  actions.set(key, action);
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.repeat && event.key !== "j" && event.key !== "k") return;
  if (isTyping(event.target)) return;
  const action = actions.get(event.key);
  if (action) {
    event.preventDefault();
    action(event);
  }
});
