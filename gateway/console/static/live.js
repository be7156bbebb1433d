// A list that keeps itself up to date: the server says that it has changed, the page is fetched again, and its list and
// figures take the place of the old ones. The focus stays on the row that had it; what is being typed is left alone.
// The request says that nobody asked for it, so that an open page keeps no session alive.

const place = document.getElementById("live");
const PAUSE_MS = 60_000;

/** Show the list as it is now; false where the gateway does not answer: then the old one stands, and does not make way for an error. */
async function renew(mark) {
  const asked = { credentials: "same-origin", redirect: "manual", headers: { "X-Renewal": "1" } };
  const answer = await fetch(location.href, asked).catch(() => undefined);
  if (!answer || answer.status >= 500) return false;
  if (!answer.ok) {
    location.reload(); // the session is over, or the page is not for this visitor any more
    return false;
  }
  const text = await answer.text().catch(() => "");
  if (!text) return false;
  const fresh = new DOMParser().parseFromString(text, "text/html");
  const focused = document.activeElement?.closest?.("#list a")?.getAttribute("href");
  for (const id of ["heading", "list"]) {
    const now = document.getElementById(id);
    const next = fresh.getElementById(id);
    if (now && next) now.replaceWith(document.adoptNode(next));
  }
  document.title = fresh.title;
  place.dataset.mark = mark;
  if (focused) [...document.querySelectorAll("#list a.row")].find((link) => link.getAttribute("href") === focused)?.focus();
  return true;
}

let waiting;

function later() {
  clearTimeout(waiting);
  waiting = setTimeout(async () => {
    await renew(place.dataset.mark);
    follow();
  }, PAUSE_MS);
}

function follow() {
  const source = new EventSource(place.dataset.live);
  source.addEventListener("news", async (event) => {
    const news = JSON.parse(event.data);
    if (news.mark === place.dataset.mark) return;
    if (await renew(news.mark)) {
      place.textContent = news.text;
    } else {
      source.close();
      later();
    }
  });
  source.addEventListener("error", () => {
    // Closed for good: too many pages are open, the store does not answer, or the session is over. Ask again every minute.
    if (source.readyState === EventSource.CLOSED) later();
  });
}

if (place?.dataset.live) follow();
