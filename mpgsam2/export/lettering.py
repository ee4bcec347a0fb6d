"""Words on pictures."""

from __future__ import annotations

import unicodedata

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mpgsam2.checkpoint.unseen import without_unseen
from mpgsam2.export.fonts import drawable
from mpgsam2.palette import Colour

_LETTERS_MEASURED = 300  # at most


def line(text: str, width: int, height: int, *, ink: Colour, paper: Colour, swatch: Colour | None = None) -> np.ndarray:
    """Return a line of text, from its left end and cut short with "…" where it does not fit.

    Args:
        text: any; white space of every kind becomes a blank. Letters that no font here has are told as such.
        width, height: of the picture in pixels; the letters are as large as fits its height.
        ink, paper: RGB, of the letters and of the ground.
        swatch: RGB, of a square before the text.

    Returns:
        (height, width, 3) uint8 RGB.
    """
    picture = Image.new("RGB", (width, height), paper)
    draw = ImageDraw.Draw(picture)
    left = height // 8
    if swatch is not None:
        side = height // 2
        draw.rectangle((left, height // 4, left + side, height // 4 + side), swatch)
        left += side + height // 4
    words, font = drawable(_plain(text), round(0.64 * height))
    draw.text((left, height / 2), _fitted(words, width - left - height // 8, font), ink, font, anchor="lm")
    return np.asarray(picture)


def _plain(text: str) -> str:
    """Return the first letters of a text, with single blanks between its words and without what is not seen."""
    seen = without_unseen(text.encode(errors="replace").decode())
    return " ".join("".join(" " if unicodedata.category(c) == "Cc" else c for c in seen).split())[
        : _LETTERS_MEASURED + 1
    ]


def _fitted(words: str, width: int, font: ImageFont.FreeTypeFont) -> str:
    """Return as much of the words as is at most `width` pixels wide."""
    shown = words[:_LETTERS_MEASURED]
    while shown and font.getlength(shown if shown == words else f"{shown}…") > width:
        shown = shown[:-1].rstrip()
    return shown if shown == words else f"{shown}…" if shown else ""
