// A mail that is chosen or dropped goes with the form as base64url: a form of this site is text. Ctrl Enter sends it; n and p
// jump between marks. Without scripts a mail is pasted.

import "./keys.js";
import "./marks.js";
import "./send.js";

const form = document.querySelector("form[data-playground]");
const most = Number(form.dataset.most);
const held = form.querySelector("[data-file]");
const heldName = form.querySelector("[data-file-name]");
const said = form.querySelector("[data-file-said]");
const chosen = document.getElementById("file");
const gone = form.querySelector("[data-file-gone]");
let before = "words"; // what was chosen before there was a file

function base64url(octets) {
  let text = "";
  for (let at = 0; at < octets.length; at += 0x8000) text += String.fromCharCode(...octets.subarray(at, at + 0x8000));
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

async function take(file) {
  if (!file) return;
  if (file.size > most) {
    said.textContent = `${file.name} has ${file.size} octets; ${most} are taken. gateway explain takes it.`;
    return;
  }
  held.value = base64url(new Uint8Array(await file.arrayBuffer()));
  heldName.value = file.name;
  said.textContent = `The file ${file.name} is tried in place of the text.`;
  if (gone.hidden) before = form.querySelector("[name=kind]:checked").value;
  form.querySelector("[name=kind][value=mail]").checked = true;
  gone.hidden = false;
}

form.querySelector("[data-with-script]").hidden = false;
chosen.addEventListener("change", () => take(chosen.files[0]));
gone.addEventListener("click", () => {
  held.value = heldName.value = chosen.value = said.textContent = "";
  gone.hidden = true;
  form.querySelector(`[name=kind][value=${before}]`).checked = true;
  document.getElementById("text").focus();
});
const target = form.querySelector("[data-drop]");
target.addEventListener("dragover", (event) => event.preventDefault());
target.addEventListener("drop", (event) => {
  if (!event.dataTransfer?.files.length) return;
  event.preventDefault();
  take(event.dataTransfer.files[0]);
});

document.querySelector("[data-answer]")?.focus();
