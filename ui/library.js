// The page of documents: index jobs and removal. All that is shown here is what the server says
// when it is asked; nothing is kept in the page, so it may be closed at any time.
const library = document.querySelector(".library");
const texts = JSON.parse(library.dataset.texts);
const said = library.querySelector(".said");
const jobs = document.getElementById("jobs");
const SECOND = 1000;

const filled = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
const number = (value) => value.toLocaleString("en");

// What is written again is read out again by a screen reader: write only what is new.
function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

async function ask(path, options) {
  let response;
  try {
    response = await fetch(`api/v1/${path}`, options);
  } catch {
    throw new Error(texts.silent);
  }
  const body = await response.json();
  if (response.ok) return body;
  throw new Error(body.errors?.map(({ detail }) => detail).join(" ") || body.detail);
}

// ---- the list, as it is now ----

async function refresh() {
  const response = await fetch(location.href).catch(() => undefined);
  if (!response?.ok) return; // what is shown is a moment older, no more
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  const focused = document.activeElement;
  for (const id of ["filter", "listing"]) {
    const part = document.getElementById(id);
    const inside = part.contains(focused);
    if (id === "filter" && inside) continue; // somebody is typing there
    part.replaceWith(fresh.getElementById(id));
    if (inside) find(focused)?.focus();
  }
}

// What an element was before the list was replaced: the same link, the same button.
function find(former) {
  const same = [...document.querySelectorAll(`#listing ${former.localName}`)];
  return same.find((one) => one.value === former.value && one.href === former.href);
}

// ---- jobs ----

const cards = new Map(); // id → what shows the job
const active = new Set(); // ids of jobs that were not over when they were last asked for
let timer;

async function watch() {
  clearTimeout(timer);
  let pause = SECOND;
  try {
    show((await ask("jobs")).jobs);
    if (said.textContent === texts.silent) write(said, "");
  } catch (error) {
    write(said, error.message);
    pause = 5 * SECOND;
  }
  clearTimeout(timer); // another watch may have been faster
  if (active.size || pause > SECOND) timer = setTimeout(watch, pause);
}

// Those that wait or run, those that were seen doing so, and the last one that is over.
function show(known) {
  const last = known.find((job) => job.ended);
  for (const job of known.toReversed()) {
    if (job.ended && job !== last && !cards.has(job.id)) continue;
    if (!cards.has(job.id)) {
      const card = document.getElementById("job").content.firstElementChild.cloneNode(true);
      card.querySelector(".cancel").addEventListener("click", () => cancel(job.id));
      cards.set(job.id, card);
      jobs.prepend(card);
    }
    fill(cards.get(job.id), job);
    if (!job.ended) active.add(job.id);
    else if (active.delete(job.id)) refresh();
  }
  // A server that was started anew knows nothing of the jobs before.
  for (const id of active) if (!known.some((job) => job.id === id)) active.delete(id);
}

function fill(card, job) {
  const when = new Date(job.ended ?? job.asked);
  const time = when.toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" });
  write(card.querySelector(".names"), `${job.names.join(", ")} · ${time}`);
  write(card.querySelector(".state"), stateOf(job));
  write(card.querySelector(".numbers"), job.ended ? "" : numbersOf(job));
  card.querySelector(".cancel").hidden = Boolean(job.ended || job.cancelling);
  const bar = card.querySelector("progress");
  bar.hidden = Boolean(job.ended);
  if (job.phase === "reading" && job.progress.files) bar.value = shareOf(job.progress);
  else bar.removeAttribute("value"); // it can't be said how far
  showFailures(card.querySelector("details"), job.report);
}

function stateOf(job) {
  if (job.state === "failed") return filled(texts.failed, { trouble: job.trouble });
  if (job.state === "done") return outcome(job.report);
  if (job.state === "cancelled") return texts.cancelled;
  return texts[job.cancelling ? "cancelling" : job.phase ?? "queued"];
}

function outcome(report) {
  const counts = Object.entries(texts.counts)
    .filter(([name]) => report[name])
    .map(([name, text]) => filled(text, { n: number(report[name]) }));
  return filled(texts.done, { counts: counts.join(", ") || texts.nothing });
}

// Files are read faster than their passages are encoded: the share of both.
function shareOf({ files_done: done, files, passages, embedded, reused }) {
  return (done / files) * (passages ? (embedded + reused) / passages : 1);
}

function numbersOf({ phase, progress }) {
  if (!progress) return "";
  const { files_done: done, files, passages, embedded, reused, source } = progress;
  const counts = { done, files, passages, encoded: embedded + reused };
  const told = Object.entries(counts).map(([name, count]) => [name, number(count)]);
  const line = filled(texts.numbers, Object.fromEntries(told));
  return phase === "reading" && source ? `${line} · ${source}` : line;
}

function showFailures(details, report) {
  const failures = report?.failures ?? [];
  details.hidden = !failures.length;
  if (details.hidden || details.querySelector("li")) return; // a report never changes
  write(details.querySelector("summary"), texts.reasons);
  for (const { source, reason } of failures) {
    const item = document.createElement("li");
    const name = document.createElement("b");
    name.textContent = source;
    item.append(name, ` ${reason}`);
    details.querySelector("ul").append(item);
  }
}

async function cancel(id) {
  try {
    await ask(`jobs/${id}`, { method: "DELETE" });
  } catch (error) {
    write(said, error.message);
  }
  watch();
}

const form = document.getElementById("index");
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("button");
  const field = form.elements.path;
  button.disabled = true;
  write(said, "");
  try {
    await ask("jobs", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ paths: [field.value.trim()] }),
    });
    field.value = "";
    watch();
  } catch (error) {
    write(said, error.message);
  } finally {
    button.disabled = false;
  }
});

// ---- removal ----

const dialog = document.getElementById("removing");
let chosen;

document.addEventListener("click", ({ target }) => {
  const button = target.closest?.("button.remove");
  if (!button) return;
  chosen = button;
  write(dialog.querySelector("h2"), filled(texts.remove, { title: button.dataset.title }));
  dialog.returnValue = "";
  dialog.showModal();
});

dialog.addEventListener("close", async () => {
  if (dialog.returnValue !== "remove") return;
  const { value, dataset } = chosen;
  const place = [...document.querySelectorAll("button.remove")].indexOf(chosen);
  chosen.disabled = true;
  try {
    await ask(`documents/${encodeURIComponent(value)}`, { method: "DELETE" });
    await refresh();
    write(said, filled(texts.removed, { title: dataset.title }));
    const left = document.querySelectorAll("button.remove");
    (left[Math.min(place, left.length - 1)] ?? document.getElementById("listed")).focus();
  } catch (error) {
    write(said, error.message);
    chosen.disabled = false;
    chosen.focus();
  }
});

watch();
document.addEventListener("visibilitychange", () => document.hidden || watch());
