// The first seconds of the server: goes over to the page as soon as that is there, with what was
// typed meanwhile. Whoever has pressed Enter has it asked then; what was only begun waits there.
const form = document.getElementById("ask");
const field = form.elements.q;
const note = document.querySelector(".note");
let asked = new URLSearchParams(location.search).get("q") === field.value && field.value !== "";

form.addEventListener("submit", (event) => {
  event.preventDefault();
  asked = field.value.trim() !== "";
});
field.addEventListener("input", () => {
  asked = false;
});

async function look() {
  const response = await fetch("health").catch(() => undefined);
  const { status } = response?.ok ? await response.json() : {};
  if (status !== "ok") return void setTimeout(look, 250);
  if (field.value.trim() && !asked) {
    // Who is typing isn't interrupted.
    form.classList.remove("busy");
    if (note.textContent !== note.dataset.ready) note.textContent = note.dataset.ready;
    return void setTimeout(look, 100);
  }
  const query = new URLSearchParams(location.search);
  if (asked) query.set("q", field.value.trim());
  location.replace(query.size ? `./?${query}` : "./");
}
look();
