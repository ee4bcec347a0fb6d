"""What a visitor wrote, as it may stand in a sentence."""

from __future__ import annotations

import re

HALF_CHARACTER = "\ufffd"
"""What stands for half a character."""

_MAX_CHARACTERS = 60  # of a quotation


def quoted(given: object) -> str:
    """Return what a visitor gave, as a short text: cut in its middle, without what cannot be sent."""
    text = sendable(str(given))
    return text if len(text) <= _MAX_CHARACTERS else f"{text[: _MAX_CHARACTERS // 2]} … {text[-_MAX_CHARACTERS // 4 :]}"


def sendable(text: str) -> str:
    """Return a text with `HALF_CHARACTER` for halves of characters (lone surrogates), for which UTF-8 has no bytes."""
    return re.sub("[\ud800-\udfff]", HALF_CHARACTER, text)
