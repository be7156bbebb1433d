// Says that one's claim is about to end, and that it has ended: a status, so the cursor stays where somebody types. How long it
// lasts is the server's word, counted from when it came, so that the clock of this computer need not be right.

const ends = new WeakMap();

function look() {
  const place = document.getElementById("lapse");
  const claim = document.querySelector("[data-lapses-in]");
  if (!place) return;
  if (claim && !ends.has(claim)) ends.set(claim, Date.now() + Number(claim.dataset.lapsesIn) * 1000);
  const left = claim ? ends.get(claim) - Date.now() : Infinity;
  let text = "";
  if (left <= 0) text = "Your claim has ended, so a colleague may take it. What you typed is still here; claim it again to go on.";
  else if (left <= Number(claim?.dataset.warnedBefore) * 1000) {
    text = `Your claim ends at ${claim.querySelector("time").textContent}. Prolong it, if you need longer; what you typed stays.`;
  }
  if (place.textContent === text) return; // told once
  place.textContent = text;
  place.className = text ? "notice" : "";
}

look();
setInterval(look, 1000);
