// The page's own behaviour: keys, the reading pane, copying. It talks to this server only.
const wide = matchMedia("(min-width: 72rem)");
const field = () => document.querySelector("#question textarea, #question input");
const hits = () => [...document.querySelectorAll("article.hit")];
const texts = () => document.querySelector(".results").dataset;
const chosen = () => document.querySelector("article.hit.chosen");

// ---- dates: the browser's own calendar in the fields of the page ----

const dated = new MutationObserver(showCalendars);
dated.observe(document.documentElement, { childList: true, subtree: true });
showCalendars(); // the page may be built already

function showCalendars() {
  const fields = document.querySelectorAll("#since input, #until input");
  if (fields.length < 2) return;
  dated.disconnect();
  // Gradio writes its own empty value into a field once more after showing it: only then is it ours.
  requestAnimationFrame(() => setTimeout(() => fields.forEach((one) => (one.type = "date"))));
}

// ---- the model: whether it is still being loaded ----

async function warm() {
  const note = document.querySelector("#warming p");
  const response = note && (await fetch("health").catch(() => undefined));
  const loading = response?.ok && (await response.json()).model === "loading";
  if (note) {
    note.hidden = !loading;
    const said = loading ? note.dataset.said : "";
    if (note.textContent !== said) note.textContent = said;
  }
  if (!note || loading) setTimeout(warm, 400);
}
warm();

// ---- the reading pane: a document beside the hits, where there is room ----

function pane() {
  let found = document.getElementById("reading");
  if (!found) {
    found = document.createElement("aside");
    found.id = "reading";
    found.ariaLabel = texts().document;
    const close = document.createElement("button");
    close.type = "button";
    close.className = "close";
    close.ariaLabel = texts().close;
    close.textContent = "×";
    close.addEventListener("click", closePane);
    const frame = document.createElement("iframe");
    frame.title = texts().document;
    found.append(close, frame);
    document.body.append(found);
  }
  return found;
}

function openPane(link) {
  const [address, fragment] = link.getAttribute("href").split("#");
  const joint = address.includes("?") ? "&" : "?";
  pane().querySelector("iframe").src = `${address}${joint}pane=1#${fragment ?? ""}`;
  document.body.classList.add("reading");
  const hit = link.closest("article.hit");
  if (hit) choose(hit);
}

function closePane() {
  document.getElementById("reading")?.remove();
  document.body.classList.remove("reading");
  (chosen() ?? field())?.focus({ preventScroll: true });
}

// ---- the hit in hand ----

function choose(hit) {
  for (const one of hits()) one.classList.toggle("chosen", one === hit);
  hit.tabIndex = -1;
  hit.focus({ preventScroll: true });
  hit.scrollIntoView({ block: "nearest" });
}

function step(by) {
  const all = hits();
  if (!all.length) return false;
  const at = all.indexOf(chosen());
  if (at === 0 && by < 0) {
    chosen().classList.remove("chosen");
    field()?.focus();
    return true;
  }
  choose(all[Math.min(Math.max(at + by, 0), all.length - 1)]);
  return true;
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = event.target.matches?.("input, textarea, select, [contenteditable]");
  const inField = event.target === field();
  const open = document.body.classList.contains("reading");
  if (event.key === "Escape" && open) closePane();
  else if (event.key === "/" && !typing) field()?.focus();
  else if (event.key === "ArrowDown" && (!typing || inField)) { if (!step(1)) return; }
  else if (event.key === "ArrowUp" && !typing) { if (!step(-1)) return; }
  else if (event.key === "o" && !typing && chosen()) chosen().querySelector("a.open").click();
  else return;
  event.preventDefault();
});

document.addEventListener("click", (event) => {
  const plain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey;
  const link = event.target.closest?.("article.hit :is(h2 a, a.open)");
  if (link && plain && wide.matches) {
    event.preventDefault();
    openPane(link);
  }
  const copy = event.target.closest?.("button.copy");
  if (copy) quoted(copy);
  const more = event.target.closest?.("button.more");
  if (more) around(more);
  for (const menu of document.querySelectorAll("details.cite[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

// ---- more of the document, in place: the passages before and after ----

async function around(button) {
  const hit = button.closest("article.hit");
  button.disabled = true;
  try {
    const id = encodeURIComponent(button.value);
    const response = await fetch(`api/v1/passages/${id}?neighbours=true`);
    if (!response.ok) throw new Error(response.statusText);
    const { before, after } = await response.json();
    const quotation = hit.querySelector("blockquote");
    if (before) quotation.prepend(...paragraphs(before.text));
    if (after) quotation.append(...paragraphs(after.text));
    button.remove();
  } catch {
    button.disabled = false;
  }
}

function paragraphs(text) {
  return text.split(/\n\s*\n/).map((one) => {
    const paragraph = document.createElement("p");
    paragraph.className = "context";
    paragraph.textContent = one;
    return paragraph;
  });
}

// ---- quotations ----

async function quoted(button) {
  const menu = button.closest(".cite");
  const said = menu.querySelector(".said");
  try {
    const base = new URL(".", location.href).href;
    const response = await fetch(`${menu.dataset.quoted}&base=${encodeURIComponent(base)}`);
    if (!response.ok) throw new Error(response.statusText);
    await navigator.clipboard.writeText((await response.json())[button.value]);
    said.textContent = texts().copied;
  } catch {
    said.textContent = texts().notCopied;
  }
}

// ---- thumbs: what is pressed goes to this page's own server, and nowhere else ----

document.addEventListener("click", async ({ target }) => {
  const thumb = target.closest?.("button.thumb");
  const thumbs = thumb?.closest(".thumbs");
  if (!thumb || thumbs.ariaBusy === "true") return;
  const pressed = thumb.ariaPressed !== "true"; // pressed again: taken back
  const line = thumbs.querySelector(".said");
  thumbs.ariaBusy = "true";
  try {
    const response = await fetch("ratings", {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        question: thumb.closest(".results").dataset.question,
        passage: thumbs.dataset.passage,
        good: pressed ? thumb.value === "good" : null,
      }),
    });
    const { said, detail } = await response.json();
    line.textContent = said ?? detail;
    if (response.ok) {
      for (const one of thumbs.querySelectorAll(".thumb")) {
        one.ariaPressed = String(pressed && one === thumb);
      }
    }
  } catch {
    line.textContent = "That could not be kept";
  } finally {
    thumbs.ariaBusy = "false";
  }
});
