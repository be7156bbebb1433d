// Says on an open item that a release failed, of any hold its visitor may know of: whoever released it reads the next one by
// then. A status and a link, so that the cursor stays where somebody types, and the item is not looked at again for it.

const place = document.getElementById("failed");

function tell(number) {
  const text = number ? `Releases that failed: ${number}` : "";
  if (place.textContent === text) return;
  const link = document.createElement("a");
  link.href = "/holds?state=release_failed";
  link.textContent = text;
  place.replaceChildren(...(text ? [link] : []));
  place.className = text ? "trouble" : "";
}

// A page that nobody sees asks for nothing: a browser has six connections to one server, and six open items would take them
// all, so that the seventh never opened. Seen again, it is told at once how things stand.
let source;
const PAUSE_MS = 60_000;

function follow() {
  const seen = document.visibilityState !== "hidden";
  if (seen && source && source.readyState !== EventSource.CLOSED) return;
  source?.close();
  source = seen ? new EventSource(place.dataset.live) : undefined;
  source?.addEventListener("news", (event) => tell(JSON.parse(event.data).failed));
  source?.addEventListener("error", (event) => {
    // Closed for good: too many pages are open, the store does not answer, or the session is over. Ask again in a minute.
    if (event.target.readyState === EventSource.CLOSED) setTimeout(follow, PAUSE_MS);
  });
}

if (place) {
  document.addEventListener("visibilitychange", follow);
  follow();
}
