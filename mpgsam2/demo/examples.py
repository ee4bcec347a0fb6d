"""Clips that come with the page, each with a sentence, its true masks and a result computed before.

`examples/examples.json` lists them; `examples/make.py` makes them.
"""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import gradio as gr
import numpy as np

from mpgsam2.demo.pictures import data_uri
from mpgsam2.demo.scripts import script
from mpgsam2.export import read_record
from mpgsam2.shipped import shipped
from mpgsam2.video import open_clip

FOLDER = shipped("examples")

_RESULTS = "results"


@dataclass(frozen=True)
class Example:
    """A clip, its sentence, a picture for its button, and where its true masks and its result lie, if it has them."""

    clip: Path
    expression: str
    title: str
    thumbnail: np.ndarray  # (H, W, 3) uint8 RGB, the frame in the middle of the clip
    truth: Path | None  # zip of PNG masks
    result: Path | None  # folder as `export` writes it: run.json and the three videos

    @property
    def name(self) -> str:
        """By which a link calls it."""
        return self.clip.stem


def load_examples(folder: Path, *models: str) -> list[Example]:
    """Return the examples of a folder, none if it has no list.

    Args:
        folder: with `examples.json`.
        models: fingerprints of the models that run; a result of any other is not shown.

    Raises:
        InputError: a clip that is listed cannot be read.
    """
    return [_load(folder, entry, models) for entry in _listed(folder)]


def own_files(folder: Path) -> frozenset[Path]:
    """Return all files that a folder's list names: clips, true masks, and what is in their results."""
    results = [file for entry in _listed(folder) for file in _result(folder, entry).glob("*") if file.is_file()]
    return frozenset(file.resolve() for file in [*_given(folder), *results])


def own_places(folder: Path) -> list[Path]:
    """Return where `own_files` lie, in few paths: Gradio goes through all of them for every file that it hands out."""
    return [place.resolve() for place in (folder / _RESULTS, *_given(folder))]


def build_examples(examples: list[Example]) -> gr.HTML:
    """Place a card per example; choosing one triggers a click with its `index`."""
    cards = "".join(map(_card, range(len(examples)), examples))
    return gr.HTML(
        '<h2>Or start from an example <small role="status">Once the run has ended, or is stopped.</small></h2>'
        f'<div class="cards">{cards}</div>',
        js_on_load=script("choose"),
        elem_id="examples",
        visible=bool(examples),
    )


def _listed(folder: Path) -> list[dict[str, str]]:
    listing = folder / "examples.json"
    return json.loads(listing.read_text(encoding="utf-8")) if listing.is_file() else []


def _given(folder: Path) -> list[Path]:
    return [folder / entry[kind] for entry in _listed(folder) for kind in ("clip", "masks") if kind in entry]


def _result(folder: Path, entry: dict[str, str]) -> Path:
    return folder / _RESULTS / Path(entry["clip"]).stem


def _load(folder: Path, entry: dict[str, str], models: Sequence[str]) -> Example:
    path, result = folder / entry["clip"], _result(folder, entry)
    precomputed = (result / "run.json").is_file() and read_record(result)["model"]["sha256"] in models
    return Example(
        path,
        entry["expression"],
        entry["title"],
        _middle_frame(path),
        folder / entry["masks"] if "masks" in entry else None,
        result if precomputed else None,
    )


def _card(index: int, example: Example) -> str:
    return (
        f'<button type="button" data-index="{index}"><img src="{data_uri(example.thumbnail)}" alt="">'
        f"<b>{html.escape(example.title)}</b><span>“{html.escape(example.expression)}”</span></button>"
    )


def _middle_frame(path: Path) -> np.ndarray:
    clip = open_clip(path)
    return next(islice(clip, clip.frame_count // 2, None))
