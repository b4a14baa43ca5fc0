"""The Gradio page: its layout and events. The HTML itself is made elsewhere.

Gradio 6 inserts the value of ``gr.HTML`` unescaped, so every value comes from :mod:`ui.templates`,
which escape. Only the value may contain a document's text: Gradio compiles ``html_template``, so it
stays the default, ``${value}``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal
from urllib.parse import urlencode

import gradio as gr

from rag import Library
from ui import strings
from ui.pages import answers, example_questions
from ui.pages.filter_form import FilterForm
from ui.security import policy
from ui.security.policy import Principal
from ui.templates import render

_ANY = (strings.ANY, "")

WAITING = 100
"""Maximum queue length; further questions are refused with a message."""

SEARCHES = 8
"""Questions answered concurrently; Gradio's default is one."""

# Runs before a search: writes the question and its filters to the address, so that they survive a
# reload and the way back from a document or the next question, and shows a busy state. Python
# receives what this returns.
_BEFORE = """(...asked) => {
    document.getElementById("ask").classList.add("busy");
    const names = ["q", "since", "until", "source", "type", "language", "in"];
    const query = new URLSearchParams();
    names.forEach((name, i) => {
        for (const one of [asked[i] ?? ""].flat()) if (one.trim()) query.append(name, one.trim());
    });
    const address = query.size ? "?" + query : ".";
    if (address !== (location.search || ".")) history.pushState(null, "", address);
    document.dispatchEvent(new Event("asked"));
    return asked;
}"""
_AFTER = """() => document.getElementById("ask").classList.remove("busy")"""

_LATEST: Literal["always_last"] = "always_last"
"""A question submitted while another is being answered is run afterwards; by default it is dropped.
"""


def build(library: Library) -> gr.Blocks:
    """Build the page over a library: question field, filters, examples and results."""
    view = answers.first_view(library)
    page: gr.Blocks
    with gr.Blocks(title=strings.TITLE, analytics_enabled=False) as page:
        masthead = _html("masthead", view.masthead)
        with gr.Row(elem_id="ask"):
            question = gr.Textbox(
                label=strings.QUESTION,
                placeholder=strings.PLACEHOLDER,
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
            search = gr.Button(strings.SEARCH, variant="primary", elem_id="search")
        with gr.Row(elem_id="examples"):
            chips = [
                gr.Button(text, visible=bool(text), size="sm", elem_classes="example")
                for text in _pad(view.examples)
            ]
        with gr.Accordion("Look only in some documents", open=False, elem_id="narrow") as narrow:
            with gr.Row():
                fields = [
                    _field("From", "since"),
                    _field("Until", "until"),
                    _field("File or folder", "source"),
                    gr.Dropdown([_ANY, *view.types], value="", label=strings.TYPE, elem_id="type"),
                    gr.Dropdown(
                        [_ANY, *view.languages],
                        value="",
                        label=strings.LANGUAGE,
                        elem_id="language",
                    ),
                ]
            collections = gr.CheckboxGroup(
                list(view.collections),
                label="Collections",
                visible=bool(view.collections),
                elem_id="collections",
            )
            limits = [*fields, collections]
        _html("warming", render("warming"))
        results = _html("results")
        _html("asked", render("asked"))
        newest = _html("newest", view.body)
        foot = _html("foot", answers.foot())

        def ask(  # noqa: PLR0917 (public API names)
            request: gr.Request,  # injected by Gradio; clients can't pass it
            asked: str,
            since: str = "",
            until: str = "",
            source: str = "",
            kind: str = "",
            language: str = "",
            collections: Sequence[str] = (),
        ) -> str:
            limits = FilterForm(
                since.strip(), until.strip(), source.strip(), kind, language, tuple(collections)
            )
            return answers.answer(library, asked, limits, may_rate=_principal(request).may_change)

        def ask_example(
            request: gr.Request,
            asked: str,
            *limits: Any,  # noqa: ANN401 (as for ask)
        ) -> tuple[str, str]:
            return asked, ask(request, asked, *limits)

        def load(request: gr.Request) -> list[object]:
            # The library may have grown since the server started.
            now = answers.first_view(library)
            query = request.query_params
            address = urlencode(request.query_params.multi_items())
            asked, limits = query.get("q", ""), FilterForm.of(query)
            user = _principal(request)
            # Fields that the address doesn't mention are left: the user may have typed in them.
            found: list[object] = [gr.skip()] * 2
            if asked.strip():
                found = [asked, answers.answer(library, asked, limits, may_rate=user.may_change)]
            return [
                *(now.masthead, now.body, answers.foot(user.name, address), *found),
                *(gr.update(value=t, visible=bool(t)) for t in _pad(now.examples)),
                gr.update(open=True) if limits else gr.skip(),
                *(text or gr.skip() for text in (limits.since, limits.until, limits.source)),
                _update_choices(now.types, limits.type),
                _update_choices(now.languages, limits.language),
                _ticking(now.collections, limits.collections),
            ]

        gr.on(
            [question.submit, search.click],
            ask,
            [question, *limits],
            results,
            api_name="search",
            preprocess=False,  # else an invalid choice is logged in full
            concurrency_limit=SEARCHES,
            show_progress="hidden",
            trigger_mode=_LATEST,
            js=_BEFORE,
        ).then(None, js=_AFTER)
        for chip in chips:
            chip.click(
                ask_example,
                [chip, *limits],
                [question, results],
                api_visibility="private",
                preprocess=False,
                concurrency_limit=SEARCHES,
                show_progress="hidden",
                trigger_mode=_LATEST,
                js=_BEFORE,
            ).then(None, js=_AFTER)
        page.load(
            load,
            None,
            [masthead, newest, foot, question, results, *chips, narrow, *limits],
            api_visibility="private",
            concurrency_limit=SEARCHES,
            show_progress="hidden",
        )
    page.queue(max_size=WAITING)
    return page


def _principal(request: gr.Request) -> Principal:
    """Return the principal that the access middleware attached to the request."""
    asked = request.request
    return policy.principal_of(asked.scope) if asked is not None else policy.ANYBODY


def _html(name: str, value: str = "") -> gr.HTML:
    return gr.HTML(value, elem_id=name, apply_default_css=False, js_on_load=None)


def _field(label: str, name: str) -> gr.Textbox:
    return gr.Textbox("", label=label, lines=1, max_lines=1, elem_id=name, elem_classes="limit")


def _update_choices(choices: Sequence[tuple[str, str]], chosen: str) -> dict[str, object]:
    """A drop-down's update, including the value from the address even if it is not among the
    choices.
    """
    known = {"", *(value for _, value in choices)}
    more = [] if chosen in known else [(chosen, chosen)]
    update: dict[str, object] = gr.update(choices=[_ANY, *choices, *more])
    return update | {"value": chosen} if chosen else update


def _ticking(choices: Sequence[tuple[str, str]], ticked: Sequence[str]) -> dict[str, object]:
    """An update of the collections, which are shown if there is a choice."""
    update: dict[str, object] = gr.update(choices=list(choices), visible=bool(choices))
    return update | {"value": list(ticked)} if ticked else update


def _pad(questions: tuple[str, ...]) -> tuple[str, ...]:
    """Pad to the number of example buttons; the empty ones are hidden."""
    return (*questions, *[""] * (example_questions.LIMIT - len(questions)))


def theme() -> gr.themes.Base:
    """Gradio's plainest theme with system fonts: a named font would be downloaded.

    The two colours are those of ``style.css``; Gradio paints them before the style sheet loads.
    """
    return gr.themes.Base(
        font=["system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif"],
        font_mono=["ui-monospace", "Menlo", "Consolas", "monospace"],
    ).set(body_background_fill="#fbfaf7", body_background_fill_dark="#16181c")
