"""The page in Gradio: where things stand and what calls what. What they say is made elsewhere.

Gradio 6 writes the value of ``gr.HTML`` into the page as it is, so everything that goes there
comes from ``ui.render`` and ``ui.states``, which escape. Only the value may hold a document's
text: Gradio compiles ``html_template``, so it stays the default, ``${value}``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import gradio as gr

from ui import answers, examples, words

if TYPE_CHECKING:
    from rag import Library

SEARCHES = 8
"""How many questions are answered at the same time; Gradio's own default is one."""

# Before a search: keeps the question in the address, so that it survives a reload and the way
# back from an article, and shows that work is going on. Python gets what this returns.
_BEFORE = """(question) => {
    document.getElementById("ask").classList.add("busy");
    const query = question.trim() ? "?q=" + encodeURIComponent(question.trim()) : ".";
    history.replaceState(null, "", query);
    return question;
}"""
_AFTER = """() => document.getElementById("ask").classList.remove("busy")"""


def build(library: Library) -> gr.Blocks:
    """The page over one library: one field, examples, and results."""
    view = answers.first_view(library)
    page: gr.Blocks
    with gr.Blocks(title=words.TITLE, analytics_enabled=False) as page:
        masthead = _html("masthead", view.masthead)
        with gr.Row(elem_id="ask"):
            question = gr.Textbox(
                label=words.QUESTION,
                placeholder=words.PLACEHOLDER,
                show_label=False,
                container=False,
                lines=1,
                max_lines=4,
                autofocus=True,
                elem_id="question",
                html_attributes=gr.InputHTMLAttributes(
                    autocomplete="off", enterkeyhint="search", spellcheck=True
                ),
            )
            search = gr.Button(words.SEARCH, variant="primary", elem_id="search")
        with gr.Row(elem_id="examples"):
            chips = [
                gr.Button(text, visible=bool(text), size="sm", elem_classes="example")
                for text in _padded(view.examples)
            ]
        results = _html("results")
        newest = _html("newest", view.body)
        _html("foot", f"<p>{words.PRIVATE}</p>")

        def ask(asked: str) -> str:
            return answers.answer(library, asked)

        def ask_example(asked: str) -> tuple[str, str]:
            return asked, answers.answer(library, asked)

        def load(request: gr.Request) -> list[object]:
            now = answers.first_view(library)  # the library may have grown since the server began
            asked = request.query_params.get("q", "")
            # Without a question in the address, leave alone what a quick person typed meanwhile.
            found = [asked, answers.answer(library, asked)] if asked.strip() else [gr.skip()] * 2
            updates = [gr.update(value=t, visible=bool(t)) for t in _padded(now.examples)]
            return [now.masthead, now.body, *found, *updates]

        gr.on(
            [question.submit, search.click],
            ask,
            question,
            results,
            api_name="search",
            concurrency_limit=SEARCHES,
            show_progress="hidden",
            js=_BEFORE,
        ).then(None, js=_AFTER)
        for chip in chips:
            chip.click(
                ask_example,
                chip,
                [question, results],
                api_visibility="private",
                concurrency_limit=SEARCHES,
                show_progress="hidden",
                js=_BEFORE,
            ).then(None, js=_AFTER)
        page.load(
            load,
            None,
            [masthead, newest, question, results, *chips],
            api_visibility="private",
            concurrency_limit=SEARCHES,
            show_progress="hidden",
        )
    return page


def _html(name: str, value: str = "") -> gr.HTML:
    return gr.HTML(value, elem_id=name, apply_default_css=False, js_on_load=None)


def _padded(questions: tuple[str, ...]) -> tuple[str, ...]:
    """As many texts as there are example buttons; those left empty are hidden."""
    return (*questions, *[""] * (examples.LIMIT - len(questions)))


def theme() -> gr.themes.Base:
    """Gradio's plainest theme with the system's own fonts: a named font would be fetched.

    The two colours are those of ``style.css``; Gradio paints them before the style sheet comes.
    """
    return gr.themes.Base(
        font=["system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif"],
        font_mono=["ui-monospace", "Menlo", "Consolas", "monospace"],
    ).set(body_background_fill="#fbfaf7", body_background_fill_dark="#16181c")
