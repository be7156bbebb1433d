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

if (place) new EventSource(place.dataset.live).addEventListener("news", (event) => tell(JSON.parse(event.data).failed));
