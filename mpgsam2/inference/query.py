"""What is asked of a clip: a sentence, and which parts of the network answer it."""

from __future__ import annotations

from dataclasses import dataclass

LETTERS = "ABCD"
"""What the queries of one run are called, in their order; there are at most so many."""


@dataclass(frozen=True)
class Query:
    """One of up to four questions that a run asks of the same clip.

    Attributes:
        expression: the sentence.
        without: parts of the network that are switched off for it, any of `network.parts.Part` or their values.
    """

    expression: str
    without: frozenset[str] = frozenset()
