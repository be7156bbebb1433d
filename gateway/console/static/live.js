// A list that keeps itself up to date: the server says that it has changed, the page is fetched again, and its list and
// figures take the place of the old ones. The focus stays on the row that had it; what is being typed is left alone.
// The request says that nobody asked for it, so that an open page keeps no session alive.

const place = document.getElementById("live");
const PAUSE_MS = 60_000;

async function renew(mark) {
  const answer = await fetch(location.href, { credentials: "same-origin", redirect: "manual", headers: { "X-Renewal": "1" } });
  if (!answer.ok) {
    location.reload();
    return;
  }
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const focused = document.activeElement?.closest?.("#list a")?.getAttribute("href");
  for (const id of ["heading", "list"]) {
    const now = document.getElementById(id);
    const next = fresh.getElementById(id);
    if (now && next) now.replaceWith(document.adoptNode(next));
  }
  document.title = fresh.title;
  place.dataset.mark = mark;
  if (focused) [...document.querySelectorAll("#list a.row")].find((link) => link.getAttribute("href") === focused)?.focus();
}

function follow() {
  const source = new EventSource(place.dataset.live);
  source.addEventListener("news", async (event) => {
    const news = JSON.parse(event.data);
    if (news.mark === place.dataset.mark) return;
    await renew(news.mark);
    place.textContent = news.text;
  });
  source.addEventListener("error", () => {
    // Closed for good: too many pages are open, or the session is over. Ask every minute instead.
    if (source.readyState === EventSource.CLOSED) setInterval(() => renew(place.dataset.mark), PAUSE_MS);
  });
}

if (place?.dataset.live) follow();
