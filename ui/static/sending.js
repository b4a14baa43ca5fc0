// Files that are dropped on the page or chosen there: sent one after the other, then indexed.
// What was sent is the server's. Leaving the page costs only what still waits to be sent, so that
// is asked about.
const BATCH = 250; // files of a job: so many names can still be sent while the page goes away
const GIBIBYTE = 1024 ** 3;
const LINGER = 700; // milliseconds without a sign of a drag, and it is over

const card = document.getElementById("sending");
const list = card.querySelector("ul");
const state = card.querySelector(".state");
const dropping = document.getElementById("dropping");
const most = Number(card.dataset.most);

// `index` starts a job for files of these names; the tools are those of the page's other script.
export function sending({ texts, filled, number, write, complain }, index) {
  const waiting = []; // { file, row }
  let sent = []; // names of files that no job has yet
  let request; // what sends the file in hand
  let running = false;
  let begun = 0;
  let failed = 0;

  function take(files) {
    if (!files.length) return;
    if (!running) {
      list.replaceChildren();
      begun = failed = 0;
    }
    for (const file of files) waiting.push({ file, row: rowOf(file) });
    card.hidden = false;
    if (running) tell();
    else run();
  }

  async function run() {
    running = true;
    card.querySelector("button").hidden = false;
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      begun += 1;
      tell();
      try {
        sent.push(await put(next));
        next.row.remove();
      } catch (error) {
        if (!error) next.row.remove(); // somebody stopped it
        else refuse(next.row, error.message);
      }
      if (sent.length >= BATCH) await handOver();
    }
    running = false;
    await handOver();
    if (running) return; // more was dropped meanwhile
    card.querySelector("button").hidden = true;
    card.hidden = !failed;
    write(state, failed ? filled(texts.unsent, { n: number(failed) }) : "");
  }

  function tell() {
    const files = number(begun + waiting.length);
    write(state, filled(texts.sending, { n: number(begun), files }));
  }

  function put({ file, row }) {
    if (file.size > most) {
      throw new Error(filled(texts.large, { most: number(most / GIBIBYTE) }));
    }
    const bar = row.querySelector("progress");
    row.scrollIntoView({ block: "nearest" });
    return new Promise((resolve, reject) => {
      request = new XMLHttpRequest();
      request.open("PUT", `api/v1/files/${encodeURIComponent(file.name)}`);
      request.responseType = "json";
      request.upload.addEventListener("progress", ({ loaded, total }) => {
        bar.value = total ? loaded / total : 1;
        row.querySelector(".told").textContent = filled(texts.share, {
          percent: Math.floor(100 * bar.value),
        });
      });
      request.addEventListener("load", () => {
        const { response, status } = request;
        if (status < 300) resolve(response.name);
        else reject(new Error(response?.detail ?? texts.silent));
      });
      request.addEventListener("error", () => reject(new Error(texts.broken)));
      request.addEventListener("abort", () => reject());
      request.send(file);
    });
  }

  function refuse(row, reason) {
    failed += 1;
    row.querySelector("progress").remove();
    row.querySelector(".told").textContent = reason;
  }

  async function handOver() {
    while (sent.length) {
      const names = sent.splice(0, BATCH);
      try {
        await index(names);
      } catch (error) {
        sent = [...names, ...sent]; // with the next files
        complain(error);
        return;
      }
    }
  }

  card.querySelector("button").addEventListener("click", () => {
    for (const { row } of waiting.splice(0)) row.remove();
    request?.abort();
  });
  addEventListener("beforeunload", (event) => {
    if (running) event.preventDefault();
  });
  addEventListener("pagehide", () => {
    if (sent.length) index(sent).catch(() => {}); // nobody is there to be told
  });

  const chosen = document.getElementById("files");
  chosen.addEventListener("change", () => {
    take([...chosen.files]);
    chosen.value = ""; // the same file may be chosen again
  });

  let over;
  const hide = () => (dropping.hidden = true);
  addEventListener("dragover", (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
    dropping.hidden = false;
    clearTimeout(over);
    over = setTimeout(hide, LINGER);
  });
  addEventListener("drop", (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    hide();
    filesOf(event.dataTransfer).then(take, complain);
  });
}

function rowOf(file) {
  const row = document.createElement("li");
  const name = document.createElement("b");
  const told = document.createElement("span");
  const bar = document.createElement("progress");
  name.textContent = file.name;
  told.className = "told";
  bar.value = 0;
  bar.setAttribute("aria-label", file.name);
  row.append(name, told, bar);
  list.append(row);
  return row;
}

// What lies in folders, too, without what is hidden there. The entries must be asked for at once:
// when the event is over, they are gone.
async function filesOf(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry()).filter(Boolean);
  if (!entries.length) return [...transfer.files];
  return (await Promise.all(entries.map(below))).flat();
}

async function below(entry) {
  if (entry.isFile) return [await new Promise((found, lost) => entry.file(found, lost))];
  const reader = entry.createReader();
  const files = [];
  for (;;) {
    const some = await new Promise((found, lost) => reader.readEntries(found, lost));
    if (!some.length) return files; // a folder is read a hundred entries at a time
    const seen = some.filter(({ name }) => !name.startsWith("."));
    files.push(...(await Promise.all(seen.map(below))).flat());
  }
}
