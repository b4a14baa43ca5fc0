// Thumbs: what is pressed goes to this page's own server, and nowhere else.
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
