"""Fonts that have the letters of a text: Pillow's own for Latin ones, for others what fontconfig finds installed."""

from __future__ import annotations

import subprocess
import unicodedata
from functools import cache, lru_cache
from typing import cast

from PIL import Image, ImageDraw, ImageFont, features

NO_LETTERS = "[letters that no font here has]"
"""Stands for words that cannot be drawn."""

_MISSING_CHARACTER = "\U0010ffff"  # every font draws it as it draws those that it lacks
_FONTS_TRIED = 8
_SEARCH_SECONDS = 10  # at most; finding a font takes a twentieth of one


def drawable(text: str, size: int) -> tuple[str, ImageFont.FreeTypeFont]:
    """Return a text as it can be drawn, and the font to draw it with.

    Args:
        text: words with single blanks between them, and no other characters that are not seen.
        size: of the letters in pixels.

    Returns:
        The text without symbols that the font lacks, and with `NO_LETTERS` for words whose letters it lacks; and the
        font in which most of the words can be drawn.
    """
    own = _own(size)
    lacking = "".join(sorted({c for c in text if not _can(own, c)}))
    if not lacking:
        return text, own
    fonts = [own, *filter(None, (_load(file, index, size) for file, index in _installed(lacking)))]
    return min(((_shown(text, font), font) for font in fonts), key=lambda shown: _loss(text, shown[0]))


def _loss(text: str, shown: str) -> tuple[int, int]:
    """Return how many words are told as lacking, and how many characters are gone."""
    return shown.count(NO_LETTERS), len(text) - len(shown.replace(NO_LETTERS, ""))


def _shown(text: str, font: ImageFont.FreeTypeFont) -> str:
    words: list[str] = []
    for word in text.split():
        letters = "".join(c for c in word if _can(font, c) or unicodedata.category(c)[0] != "S")
        if all(_can(font, c) for c in letters):
            words += [letters] if letters else []
        elif words[-1:] != [NO_LETTERS]:
            words.append(NO_LETTERS)
    return " ".join(words) or NO_LETTERS


@lru_cache(4096)
def _can(font: ImageFont.FreeTypeFont, character: str) -> bool:
    """Return whether a font has a character, and Pillow can set its script."""
    if character == " ":
        return True
    complex_script = unicodedata.bidirectional(character) in ("R", "AL") or unicodedata.category(character)[0] == "M"
    if complex_script and not features.check("raqm"):
        return False
    return _drawn(font, character) != _drawn(font, _MISSING_CHARACTER)


def _drawn(font: ImageFont.FreeTypeFont, character: str) -> bytes:
    side = round(3 * font.size)
    picture = Image.new("1", (side, side))
    ImageDraw.Draw(picture).text((side // 3, side // 3), character, 1, font)
    return picture.tobytes()


@cache
def _own(size: int) -> ImageFont.FreeTypeFont:
    return cast(ImageFont.FreeTypeFont, ImageFont.load_default(size))


@lru_cache(64)
def _load(file: str, index: int, size: int) -> ImageFont.FreeTypeFont | None:
    """Return an installed font; None if it has no outlines, or not even the letters of `NO_LETTERS`."""
    try:
        font = ImageFont.truetype(file, size, index)
        return font if all(_can(font, c) for c in NO_LETTERS) else None
    except OSError:
        return None


@lru_cache(64)
def _installed(characters: str) -> tuple[tuple[str, int], ...]:
    """Return installed fonts' files and the index of each in its file, those with most of the characters first."""
    charset = " ".join(f"{ord(c):x}" for c in characters)
    command = ["fc-match", "--sort", "--format", "%{file}\t%{index}\n", f"sans:scalable=true:charset={charset}"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, timeout=_SEARCH_SECONDS, check=True).stdout
        files = [line.split("\t") for line in found.splitlines()[:_FONTS_TRIED]]
        return tuple((file, int(index)) for file, index in files)
    except (OSError, ValueError, subprocess.SubprocessError):
        return ()
