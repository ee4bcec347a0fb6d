"""How the sentences of a refusal word a number of frames."""

from __future__ import annotations


def frames_in_words(number: int) -> str:
    """Write a number in words: “1 frame”, “2 frames”."""
    return f"{number} frame" if number == 1 else f"{number} frames"
