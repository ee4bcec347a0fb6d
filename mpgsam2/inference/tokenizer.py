"""What is asked of a vocabulary, and words as sentences name them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

_MAX_LETTERS, _MAX_WORDS = 40, 6


class Tokenizer(Protocol):
    """What the pipeline asks of a vocabulary."""

    vocabulary_size: int
    """One more than the highest id: the least number of rows that the network's text table must have."""

    def encode(self, expression: str) -> list[int]:
        """Return the expression's ids, `<s> … </s>`; raises InputError if it is empty or too long for the network."""

    def pieces(self, expression: str) -> list[str]:
        """Return what each id of `encode` stands for, without the first and the last."""

    def known_words(self, expression: str) -> list[str]:
        """Return the words of the expression that the vocabulary knows, lower case, in order, each once."""

    def unknown_words(self, expression: str) -> list[str]:
        """Return the words of the expression that the vocabulary does not know, likewise."""

    def check_known(self, expression: str) -> None:
        """Raise InputError if the vocabulary knows no word of the expression."""

    def save(self, folder: str | Path) -> None:
        """Write the files from which `load_tokenizer` makes this tokenizer again."""


def quoted(words: Sequence[str]) -> str:
    """Return words as a sentence names them: “a”, “b” and “c”, long ones cut short, and of many the first."""
    shown = [
        f"“{word if len(word) <= _MAX_LETTERS else word[: _MAX_LETTERS - 1] + '…'}”" for word in words[:_MAX_WORDS]
    ]
    more = len(words) - len(shown)
    last = f"{more} more" if more else shown.pop()
    return f"{', '.join(shown)} and {last}" if shown else last
