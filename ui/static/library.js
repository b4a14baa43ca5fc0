// The page of documents: index jobs and removal. All that is shown here is what the server says
// when it is asked; nothing is kept in the page, so it may be closed at any time.
import { sending } from "./sending.js";

const library = document.querySelector(".library");
const said = library.querySelector(".said");
const jobs = document.getElementById("jobs");
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const NAMES = 3; // that a job is called by

// What is in braces is filled in.
const texts = {
  silent: "The server does not answer; retrying in a moment.",
  queued: "Waiting for its turn.",
  looking: "Looking for files.",
  reading: "Reading and indexing.",
  finishing: "Bringing the index up to date.",
  cancelling: "Stopping …",
  cancelled: "Cancelled. What was indexed by then stays.",
  failed: "That did not work: {trouble}.",
  done: "Done: {counts}.",
  nothing: "there was nothing to read",
  counts: {
    added: "{n} added",
    updated: "{n} updated",
    removed: "{n} removed",
    unchanged: "{n} unchanged",
    failed: "{n} could not be read",
    skipped: "{n} skipped",
  },
  percent: "{n} %",
  clock: "{minutes}:{seconds}",
  numbers: "{done} of {files} files read, {encoded} of {passages} passages indexed",
  reasons: "What could not be read, and why",
  kind: "{n} skipped",
  remove: "Remove “{title}” from the library?",
  removed: "Removed “{title}”. Its file stays as it is.",
  gone: "Removed “{title}”.",
  restoring: "“{title}” is being restored.",
  again: "“{title}” is being read again.",
  more: "{names} and {n} more",
  sending: "Uploading {n} of {files}.",
  unsent: "{n} could not be uploaded.",
  share: "{percent} %",
  large: "It is larger than {most} GiB: enter its path above instead.",
  broken: "It could not be uploaded: it was moved, or the server does not answer.",
};

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

const JSON_BODY = { method: "POST", headers: { "content-type": "application/json" } };
const complain = (error) => write(said, error.message);

// ---- the list, as it is now ----

let latest = 0;

async function refresh() {
  const mine = ++latest;
  const response = await fetch(location.href).catch(() => undefined);
  if (!response?.ok) return; // what is shown is a moment older, no more
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  if (mine !== latest) return; // a later one has been asked for, and this may be older
  const focused = document.activeElement;
  for (const id of ["filter", "listing"]) {
    const part = document.getElementById(id);
    const inside = part.contains(focused);
    if (id === "filter" && inside) continue; // somebody is typing there
    const open = [...part.querySelectorAll("tr:has(details[open])")].map(rowOf);
    part.replaceWith(fresh.getElementById(id));
    for (const row of open) document.querySelector(`${row} details`)?.setAttribute("open", "");
    if (inside) find(focused)?.focus();
  }
}

const rowOf = (row) => `#listing tr[data-id="${CSS.escape(row.dataset.id)}"]`;

// What an element was before the list was replaced: the same link, the same button.
function find(former) {
  const row = former.closest("tr[data-id]");
  const same = document.querySelectorAll(`${row ? rowOf(row) : "#listing"} ${former.localName}`);
  return [...same].find((one) => one.className === former.className && one.href === former.href);
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
  // What was asked for as the page before was left may be a moment late.
  const early = performance.now() < 3 * SECOND;
  if (active.size || early || pause > SECOND) timer = setTimeout(watch, pause);
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
    if (job.ended) active.delete(job.id);
    else active.add(job.id);
  }
  const { read } = document.getElementById("listing").dataset;
  if (known.some((job) => Date.parse(job.ended) >= Date.parse(read))) refresh();
  // A restarted server knows nothing of earlier jobs.
  for (const id of active) if (!known.some((job) => job.id === id)) active.delete(id);
}

function fill(card, job) {
  const when = new Date(job.ended ?? job.asked);
  const time = when.toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" });
  write(card.querySelector(".names"), `${namesOf(job.names)} · ${time}`);
  write(card.querySelector(".state"), stateOf(job));
  write(card.querySelector(".numbers"), job.ended ? "" : numbersOf(job));
  card.querySelector(".cancel").hidden = Boolean(job.ended || job.cancelling);
  const bar = card.querySelector("progress");
  bar.hidden = Boolean(job.ended);
  if (job.phase === "reading" && job.progress.files) bar.value = shareOf(job.progress);
  else bar.removeAttribute("value"); // it can't be said how far
  showFailures(card.querySelector("details"), job.report);
}

function namesOf(names) {
  const first = names.slice(0, NAMES).join(", ");
  const left = names.length - NAMES;
  return left > 0 ? filled(texts.more, { names: first, n: number(left) }) : first;
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
  const done = filled(texts.done, { counts: counts.join(", ") || texts.nothing });
  return [done, report.model_note].filter(Boolean).join(" ");
}

// Files are read faster than their passages are encoded: the share of both.
function shareOf({ files_done: done, files, passages, embedded, reused }) {
  return (done / files) * (passages ? (embedded + reused) / passages : 1);
}

function numbersOf({ progress }) {
  if (!progress) return "";
  const { files_done: done, files, passages, embedded, reused, source } = progress;
  const counts = { done, files, passages, encoded: embedded + reused };
  const told = Object.entries(counts).map(([name, count]) => [name, number(count)]);
  const line = filled(texts.numbers, Object.fromEntries(told));
  const share = progress.total ? Math.floor((100 * progress.done) / progress.total) : 0;
  const seconds = Math.floor(progress.seconds);
  const clock = {
    minutes: number(Math.floor(seconds / 60)),
    seconds: String(seconds % 60).padStart(2, "0"),
  };
  const far = share ? filled(texts.percent, { n: number(share) }) : "";
  return [line, source, far, filled(texts.clock, clock)].filter(Boolean).join(" · ");
}

function showFailures(details, report) {
  const kinds = Object.entries(report?.skipped_kinds ?? {});
  const failures = [
    ...(report?.failures ?? []),
    ...kinds.map(([reason, n]) => ({ source: filled(texts.kind, { n: number(n) }), reason })),
  ];
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
    complain(error);
  }
  watch();
}

const form = document.getElementById("index");
const start = form.querySelector("button");
start.disabled = false; // before there is a script, Enter would only load the page again
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const field = form.elements.path;
  start.disabled = true;
  write(said, "");
  try {
    await ask("jobs", { ...JSON_BODY, body: JSON.stringify({ paths: [field.value.trim()] }) });
    field.value = "";
    watch();
  } catch (error) {
    complain(error);
  } finally {
    start.disabled = false;
  }
});

sending({ texts, filled, number, write, complain }, async (files) => {
  // Kept alive, since the page may be on its way out.
  await ask("jobs", { ...JSON_BODY, body: JSON.stringify({ files }), keepalive: true });
  watch();
});

// ---- a document: read again, removed, brought back ----

const dialog = document.getElementById("removing");
const told = document.getElementById("told");
const undo = told.querySelector("button");
let fading;
let removed; // { id, title } of what Undo brings back
let chosen; // the button that the dialog is about

// What came of it, where it is seen however far down the row is.
function tell(text, undoable) {
  clearTimeout(fading);
  removed = undoable;
  write(told.querySelector("p"), text);
  undo.hidden = !undoable;
  if (text) fading = setTimeout(fade, undoable ? MINUTE : 10 * SECOND);
}

function fade() {
  if (told.matches(":focus-within, :hover")) fading = setTimeout(fade, SECOND);
  else tell("");
}

document.addEventListener("click", ({ target }) => {
  const button = target.closest?.("button.again, button.remove");
  if (!button) return;
  if (button.matches(".again")) readAgain(button);
  else remove(button);
});

async function readAgain({ value, dataset }) {
  tell("");
  try {
    await ask(`documents/${encodeURIComponent(value)}/reindex`, { method: "POST" });
    tell(filled(texts.again, dataset));
    watch();
  } catch (error) {
    tell(error.message);
  }
}

// At once where it can be undone; where it can't, it is asked first.
async function remove(button) {
  tell("");
  chosen = button;
  button.disabled = true;
  try {
    const { present } = await ask(`documents/${encodeURIComponent(button.value)}`);
    if (present) return await take(button, present);
    button.disabled = false;
    button.focus(); // where the dialog gives it back
    write(dialog.querySelector("h2"), filled(texts.remove, button.dataset));
    dialog.returnValue = "";
    dialog.showModal();
  } catch (error) {
    refused(button, error);
  }
}

function refused(button, error) {
  tell(error.message);
  button.disabled = false;
  button.focus();
}

dialog.addEventListener("close", () => {
  if (dialog.returnValue === "remove") take(chosen, false);
});

async function take(button, present) {
  const { value, dataset } = button;
  const place = [...document.querySelectorAll("button.remove")].indexOf(button);
  button.disabled = true;
  try {
    await ask(`documents/${encodeURIComponent(value)}`, { method: "DELETE" });
    await refresh();
    const { title } = dataset;
    if (present) tell(filled(texts.removed, { title }), { id: value, title });
    else tell(filled(texts.gone, { title }));
    const left = document.querySelectorAll("button.remove");
    (left[Math.min(place, left.length - 1)] ?? document.getElementById("listed")).focus();
  } catch (error) {
    refused(button, error);
  }
}

async function bringBack() {
  const what = removed;
  const focused = told.contains(document.activeElement);
  tell(filled(texts.restoring, what)); // at once: it can't be asked for twice
  if (focused) document.getElementById("listed").focus({ preventScroll: true });
  try {
    await ask(`documents/${encodeURIComponent(what.id)}/restore`, { method: "POST" });
    watch();
  } catch (error) {
    tell(error.message, what);
  }
}

undo.addEventListener("click", bringBack);
document.addEventListener("keydown", (event) => {
  const asked = (event.ctrlKey || event.metaKey) && !event.shiftKey && event.key === "z";
  if (!asked || undo.hidden || event.target.matches("input, textarea, select")) return;
  event.preventDefault();
  bringBack();
});

watch();
document.addEventListener("visibilitychange", () => document.hidden || watch());
