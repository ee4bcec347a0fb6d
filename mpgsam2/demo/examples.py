"""Clips that come with the page, each with a sentence: `examples/examples.json` lists them."""

from __future__ import annotations

import html
import json
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import gradio as gr
import numpy as np

from mpgsam2.demo.pictures import data_uri
from mpgsam2.video import open_clip

FOLDER = Path(__file__).parents[2] / "examples"


@dataclass(frozen=True)
class Example:
    """A clip, its sentence and a picture for its button."""

    clip: Path
    expression: str
    title: str
    thumbnail: np.ndarray  # (H, W, 3) uint8 RGB, the frame in the middle of the clip


def load_examples(folder: Path) -> list[Example]:
    """The examples of a folder, none if it has no list.

    Raises:
        InputError: a clip that is listed cannot be read.
    """
    listing = folder / "examples.json"
    if not listing.is_file():
        return []
    entries = json.loads(listing.read_text(encoding="utf-8"))
    return [
        Example(folder / entry["clip"], entry["expression"], entry["title"], _middle_frame(folder / entry["clip"]))
        for entry in entries
    ]


def build_examples(examples: list[Example], clip: gr.Video, expression: gr.Textbox) -> None:
    """Place a card per example; choosing one fills clip and expression."""
    if not examples:
        return
    cards = gr.HTML(
        '<h2>Or start from an example</h2><div class="cards">'
        + "".join(map(_card, range(len(examples)), examples))
        + "</div>",
        js_on_load=_CHOOSE,
        elem_id="examples",
    )

    def choose(event: gr.EventData) -> tuple[str, str]:
        example = examples[event.index]
        return str(example.clip), example.expression

    cards.click(choose, outputs=[clip, expression], queue=False, show_progress="hidden", api_visibility="private")


_CHOOSE = """
element.addEventListener("click", (event) => {
  const card = event.target.closest("button");
  if (card) trigger("click", { index: Number(card.dataset.index) });
});
"""


def _card(index: int, example: Example) -> str:
    return (
        f'<button type="button" data-index="{index}"><img src="{data_uri(example.thumbnail)}" alt="">'
        f"<b>{html.escape(example.title)}</b><span>“{html.escape(example.expression)}”</span></button>"
    )


def _middle_frame(path: Path) -> np.ndarray:
    clip = open_clip(path)
    return next(islice(clip, clip.frame_count // 2, None))
