"""What happens when a visitor chooses an example, or opens a link that names one and its settings."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

import gradio as gr
from gradio.events import Dependency

from mpgsam2.demo.examples import Example
from mpgsam2.demo.page import Page, event_of
from mpgsam2.demo.player_values import result
from mpgsam2.demo.quoting import quoted
from mpgsam2.demo.request_parsing import MOST_CHARACTERS, parse_settings
from mpgsam2.demo.sessions import session_of
from mpgsam2.demo.settings import Settings
from mpgsam2.demo.shared import Share, Shares
from mpgsam2.demo.shown_result import LOOK, ShownResult
from mpgsam2.demo.status import IDLE, status_html, verdicts
from mpgsam2.demo.trim import TO_HANDLES
from mpgsam2.errors import InputError
from mpgsam2.export import read_record
from mpgsam2.export.files import BUNDLE
from mpgsam2.network.parts import Part
from mpgsam2.settings import SETTINGS

_QUIET: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
_OF_TRUTH = ("ground_truth", "object", "scored")
_LINKED = tuple(name for name in SETTINGS if name not in _OF_TRUTH)  # a file cannot stand in a link
_SETTINGS = Settings()

_COPY = "Copy a link to these settings"
_COPY_RESULT = "Copy a link to this result"

# The address of the page with everything that differs from the usual; nothing is kept on the server.
_LINK = """async (result, example, ...values) => {
  const names = %s, usual = %s, query = new URLSearchParams();
  if (result) query.set("result", result);
  if (example) query.set("example", example);
  values.forEach((value, i) => {
    const text = Array.isArray(value) ? value.join(" ") : value === null ? "" : String(value);
    if (text !== usual[i]) query.set(names[i], text);
  });
  const link = location.origin + location.pathname + (query.size ? "?" + query : "");
  const copied = await navigator.clipboard?.writeText(link).then(() => true, () => false);
  return [link, copied ? "Copied" : "Select the link to copy it"];
}"""
# The look stands in the player, and in unseen settings from which runs and links take it.
_TO_PLAYER = """(...values) => {
  document.body.dataset.look = JSON.stringify(values);
  document.dispatchEvent(new Event("look"));
  return [];
}"""
_FROM_PLAYER = "() => JSON.parse(document.body.dataset.look)"
# The help with words follows the model and what fills in sentences.
_TO_WORDS = """(model) => {
  document.body.dataset.model = model;
  document.dispatchEvent(new Event("model"));
  return [];
}"""


def _later(label: str) -> str:
    return f"() => new Promise((done) => setTimeout(() => done({json.dumps(label)}), 2500))"


def connect_examples(
    page: Page,
    demo: gr.Blocks,
    cards: gr.HTML,
    examples: list[Example],
    model: str,
    shares: Shares,
    completed: Dependency,
) -> None:
    """Let cards fill the page and show their results, and links restore the settings and shared results.

    Args:
        page: what is filled.
        demo: the page's blocks, for what happens when it is opened.
        cards: as `examples.build_examples` made them.
        examples: of the cards.
        model: name of the usual model.
        shares: of the results that links carry.
        completed: the event after which all files of a result that is to be shared are there.
    """
    filled = [page.clip, *(page.settings[name] for name in ("sentences", *_OF_TRUTH, "model")), page.example]
    shown = [page.player, page.status, page.bundle, page.files, page.share, page.shown]

    def choose(event: gr.EventData) -> dict[Any, Any]:
        example = examples[event.index]
        answered = None if example.result is None else read_record(example.result)["model"]["name"]
        return {
            page.settings["model"]: gr.skip() if answered is None else answered,
            **_filled(page, example),
            page.bundle: gr.update(visible=False, value=None),
            page.share: gr.update(visible=False),
            **_shown(page, example),
        }

    def restore(request: gr.Request) -> dict[Any, Any]:
        query = dict(request.query_params)
        models = [str(name) for _, name in cast(gr.Dropdown, page.settings["model"]).choices]
        updates = {page.settings[name]: value for name, value in _restored(query, models).items()}
        name = query.get("example")
        example = next((example for example in examples if example.name == name), None)
        if example:
            updates = {**_filled(page, example), **updates}
        if updates or name:
            updates[page.status] = status_html(_restored_line(name, example))
        if token := query.get("result"):
            updates |= _shared(page, shares.get(token))
        return updates or {page.example: ""}

    def leave(scored: str) -> dict[Any, Any]:
        """Remove the example's masks with its clip."""
        of_example = {page.settings["ground_truth"]: None, page.settings["scored"]: ""} if scored else {}
        return {page.example: "", **of_example}

    chosen = cards.click(choose, outputs=[*filled, *shown], **_QUIET)
    truth, scored = page.settings["ground_truth"], page.settings["scored"]
    events = [event_of(truth, name) for name in ("upload", "clear", "delete")]
    gr.on(events, lambda: "", outputs=scored, **_QUIET)  # it is a visitor's own now
    own = [page.clip.upload, page.clip.clear, page.clip.stop_recording]
    gr.on(own, leave, scored, [page.example, truth, scored], **_QUIET)
    linked = [page.settings[name] for name in _LINKED]
    restored = [
        page.clip,
        page.example,
        page.status,
        page.player,
        page.bundle,
        *(page.settings[name] for name in SETTINGS),
    ]
    look = [page.settings[name] for name in LOOK]
    opened = demo.load(restore, outputs=restored, **_QUIET)
    opened.then(None, look, None, js=_TO_PLAYER, **_QUIET)
    opened.then(None, [page.settings["first"], page.settings["last"]], None, js=TO_HANDLES, **_QUIET)
    asked = [page.settings["model"], page.settings["sentences"]]
    for changed in (opened, chosen):
        changed.then(None, asked, None, js=_TO_WORDS, **_QUIET)
    event_of(page.settings["model"], "change")(None, asked, None, js=_TO_WORDS, **_QUIET)
    page.player.input(None, None, look, js=_FROM_PLAYER, **_QUIET)
    usual = [model if name == "model" else _text(getattr(_SETTINGS, name)) for name in _LINKED]
    link = _LINK % (json.dumps(_LINKED), json.dumps(usual))
    told = [page.token, page.example, *linked]
    copied = page.copy_link.click(None, told, [page.link, page.copy_link], js=link, **_QUIET)
    copied.then(None, outputs=page.copy_link, js=_later(_COPY), **_QUIET)

    def share(request: gr.Request, result: ShownResult | None) -> dict[Any, Any]:
        try:
            if result is None:
                raise InputError("There is no result yet: press Run.")
            if not (result.folder / BUNDLE).is_file():  # it was told why not
                return {page.token: ""}
            share = shares.add(session_of(request), result.folder)
        except InputError as error:
            return {page.token: "", page.status: status_html(str(error))}
        until = f"Whoever has the link sees this result until {share.told}, and then nobody does."
        return {page.token: share.token, page.status: status_html(until)}

    shared = completed.then(share, page.shown, [page.token, page.status], **_QUIET)
    carried = shared.then(None, told, [page.link, page.share], js=link, **_QUIET)
    carried.then(lambda: "", outputs=page.token, **_QUIET).then(
        None, outputs=page.share, js=_later(_COPY_RESULT), **_QUIET
    )


def _filled(page: Page, example: Example) -> dict[Any, Any]:
    """Return what an example brings."""
    return {
        page.clip: str(example.clip),
        page.settings["sentences"]: example.expression,
        page.settings["ground_truth"]: example.truth and str(example.truth),
        page.settings["object"]: None,
        page.settings["scored"]: example.expression,
        page.example: example.name,
    }


def _shown(page: Page, example: Example) -> dict[Any, Any]:
    """Return an example's result at once, if it has one."""
    if example.result is None:
        return {page.player: None, page.status: status_html(IDLE), page.files: gr.update(visible=False)}
    record = read_record(example.result)
    told = f"{verdicts(record)} Saved result. Press Run to compute it again."
    return {
        page.player: result(record, example.result, example.clip),
        page.status: status_html(told),
        page.files: gr.update(visible=True),
        page.shown: ShownResult(str(example.clip), _settings(example, record["model"]["name"]), example.result),
    }


def _settings(example: Example, model: str) -> Settings:
    """Return the settings with which an example's result was made."""
    truth = str(example.truth) if example.truth else None
    return Settings(example.expression, model, ground_truth=truth, scored=example.expression)


def _shared(page: Page, share: Share | None) -> dict[Any, Any]:
    """Return a result that somebody shares, if it is still there."""
    if share is None:
        return {page.status: status_html("The result of this link is not here any more: press Run to compute it.")}
    record = read_record(share.folder)
    told = f"{verdicts(record)} A shared result, which stays until {share.told}."
    return {
        page.player: result(record, share.folder),
        page.bundle: gr.update(visible=True, value=str(share.folder / BUNDLE)),
        page.status: status_html(told),
    }


def _restored_line(name: str | None, example: Example | None) -> str:
    """Return what a link has brought, and what is to be done next."""
    if example:
        return f"Ready: the example “{example.title}” and the link's settings. Press Run."
    missing = f"There is no example “{quoted(name)}” here. " if name else ""
    return f"{missing}The link's settings are filled in: choose a clip and press Run."


def _restored(query: Mapping[str, str], models: Sequence[str]) -> dict[str, Any]:
    """Return the settings of a link, by name; what the setting cannot be is left out."""
    restored: dict[str, Any] = {}
    for name in _LINKED:
        text, usual = query.get(name), getattr(_SETTINGS, name)
        if text is None or (name == "model" and text not in models):
            continue
        try:
            value: Any = text[:MOST_CHARACTERS]
            if isinstance(usual, bool):
                value = text == "true"
            elif isinstance(usual, float):
                value = float(text)
            elif name == "without":
                value = [part.value for part in Part if part in text.split()]
            elif name == "colours":
                value = [int(number) for number in text.split()]
            elif not isinstance(usual, str):
                value = int(text)
            parse_settings({name: value}).selection()
        except ValueError:  # an InputError too
            continue
        restored[name] = value
    return restored


def _text(value: Any) -> str:
    """Return a setting as JavaScript writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None or value == () else f"{value:g}" if isinstance(value, float) else str(value)
