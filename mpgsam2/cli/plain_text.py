"""Output to terminals and files that lack some characters."""

from __future__ import annotations

import codecs
import io
from typing import TextIO

_PLAIN = str.maketrans({"“": '"', "”": '"', "’": "'", "–": "-", "…": "...", "×": "x", "·": "-", "≤": "<=", "²": "2"})
_NAME = "mpgsam2.plain"


def never_fail(stream: TextIO) -> None:
    """Let a stream write what its encoding lacks in plain letters, or escaped, instead of raising an error."""
    codecs.register_error(_NAME, _plainly)
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors=_NAME)


def _plainly(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    plain = error.object[error.start : error.end].translate(_PLAIN)
    return plain.encode("ascii", "backslashreplace").decode(), error.end
