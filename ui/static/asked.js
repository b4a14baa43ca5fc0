// What was asked in this session, to ask again; kept by the browser, for this tab alone.
const KEPT = 12;
const KEY = `asked ${location.pathname}`; // a proxy may show several servers

function remembered() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY)) ?? [];
  } catch {
    return []; // no storage, or not of our making
  }
}

function remember(asked) {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(asked));
  } catch {
    // A browser that keeps nothing shows no history.
  }
}

// ---- the list ----

function show() {
  const list = document.querySelector("#asked nav");
  if (!list) return; // Gradio still builds the page
  const others = remembered().filter((address) => address !== location.search);
  list.hidden = !others.length;
  list.querySelector("ul").replaceChildren(...others.map(entry));
}

function entry(address) {
  const [question, ...limits] = new URLSearchParams(address).values();
  const item = document.createElement("li");
  const link = document.createElement("a");
  link.href = address;
  link.textContent = question;
  item.append(link);
  if (limits.length) {
    const said = document.createElement("span");
    said.textContent = limits.join(" · ");
    item.append(said);
  }
  return item;
}

function add(address) {
  if (new URLSearchParams(address).get("q")) {
    const others = remembered().filter((one) => one !== address);
    remember([address, ...others].slice(0, KEPT));
  }
  show();
}

// Gradio may build the list again at any time.
function begin() {
  const list = document.querySelector("#asked nav:not([data-filled])");
  if (!list) return;
  list.dataset.filled = "";
  list.querySelector("button").addEventListener("click", () => { remember([]); show(); });
  add(location.search);
}

new MutationObserver(begin).observe(document.documentElement, { childList: true, subtree: true });
begin(); // the page may be built already

// ---- a question is a page of its own: the way back leads to the one before ----

// What is seen belongs to this address. Until Gradio has filled the page, that is where it was loaded
// from; but who steps back and forth quickly may have been elsewhere when Gradio read the address, so
// the server says which one it answered.
let shown = new URL(performance.getEntriesByType("navigation")[0].name).search;

let retry;

function follow(delay = 10_000) {
  clearTimeout(retry);
  const [here, there] = [location.search, shown].map((one) => String(new URLSearchParams(one)));
  if (here === there) return;
  location.reload();
  retry = setTimeout(follow, delay, 2 * delay); // the browser drops a reload for a step of the history
}

const filling = new MutationObserver(filled);
filling.observe(document.documentElement, { childList: true, subtree: true });
follow();
filled();

function filled() {
  const answered = document.querySelector("#foot [data-address]");
  if (!answered) return;
  filling.disconnect();
  shown = answered.dataset.address;
  follow();
}

document.addEventListener("asked", () => {
  filling.disconnect(); // an answer comes after what the page was filled with
  shown = location.search;
  add(shown);
});

addEventListener("popstate", () => follow());
