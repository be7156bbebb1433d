// Ctrl Enter, or Cmd Enter, sends the form of the text that is being typed.

document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.repeat || event.isComposing) return;
  if (event.target instanceof HTMLTextAreaElement) event.target.form?.requestSubmit();
});
