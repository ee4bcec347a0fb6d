"""What a visitor wrote, as it may stand in a sentence."""

from __future__ import annotations

import re

HALF_CHARACTER = "\ufffd"
"""What stands for half a character."""

_MOST = 60  # characters of a quotation


def quoted(given: object) -> str:
    """What a visitor gave, as a short text: cut in its middle, without what cannot be sent."""
    text = sendable(str(given))
    return text if len(text) <= _MOST else f"{text[: _MOST // 2]} … {text[-_MOST // 4 :]}"


def sendable(text: str) -> str:
    """A text with `HALF_CHARACTER` in place of halves of characters (lone surrogates), which UTF-8 has no bytes for."""
    return re.sub("[\ud800-\udfff]", HALF_CHARACTER, text)
