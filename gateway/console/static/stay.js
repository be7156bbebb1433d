// What leaves the visitor on this page (a claim, a note, a label on a hold) is sent without leaving it, so that what is being
// typed into another decision is not lost: the parts of the page that say how things stand take the place of the old ones.

const PARTS = ["told", "state", "beside", "claiming", "history"];

function tell(text) {
  const trouble = document.createElement("p");
  trouble.className = "trouble";
  trouble.setAttribute("role", "alert");
  trouble.textContent = `${text} What you typed is still below.`;
  const told = document.getElementById("told");
  told.replaceChildren(trouble);
  told.scrollIntoView({ block: "nearest" });
}

function renew(fresh) {
  for (const id of PARTS) {
    const now = document.getElementById(id);
    const next = fresh.getElementById(id);
    if (now && next) now.replaceWith(document.adoptNode(next));
  }
  // Who signed in anew, in another tab, may be somebody else; and the tokens of the forms that stay are of the old session.
  const now = document.querySelector("header.bar");
  const next = fresh.querySelector("header.bar");
  if (now && next) now.replaceWith(document.adoptNode(next));
  const token = document.querySelector("#claiming [name=csrf], header.bar [name=csrf]")?.value;
  for (const field of document.querySelectorAll("[name=csrf]")) field.value = token ?? field.value;
  document.getElementById("trouble")?.scrollIntoView({ block: "nearest" });
}

/** Send a form, and show what came of it. What is not this item's page tells that nothing is known to be done. */
async function send(form, submitter) {
  const body = new URLSearchParams(new FormData(form));
  if (submitter?.name) body.append(submitter.name, submitter.value);
  const answer = await fetch(location.pathname + location.search, { method: "POST", body, credentials: "same-origin" });
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (!fresh.getElementById("claiming")) {
    tell(`${fresh.querySelector("h1")?.textContent ?? "That went wrong"}: ${fresh.querySelector("[role=alert], main p")?.textContent ?? ""}`);
    return;
  }
  renew(fresh);
  if (form.dataset.form === "claim") {
    document.querySelector("[data-form=claim] button")?.focus();
  } else if (answer.ok) {
    for (const field of form.querySelectorAll("textarea")) field.value = "";
    const box = form.closest("details");
    box.open = false;
    box.querySelector("summary").focus();
  }
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.matches("form[data-stays]") || form.dataset.busy) {
    if (form.dataset.busy) event.preventDefault();
    return;
  }
  event.preventDefault();
  form.dataset.busy = "1";
  try {
    await send(form, event.submitter);
  } catch {
    tell("The gateway does not answer, so it is not known to be done.");
  } finally {
    delete form.dataset.busy;
  }
});
