"""The result that is shown, and how its files are made in another look, without the model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path
from typing import Any

from mpgsam2.demo.settings import Settings
from mpgsam2.export import read_record
from mpgsam2.export.drawing import hex_of
from mpgsam2.palette import PALETTE

LOOK = ("threshold", "opacity", "dimmed", "pattern", "colours")
"""The settings that can be changed while a result is shown."""


@dataclass(frozen=True)
class ShownResult:
    """A result.

    Attributes:
        clip: path of its clip.
        settings: with which it was made.
        folder: of its files.
    """

    clip: str
    settings: Settings
    folder: Path

    def looks(self, look: Settings) -> bool:
        """Return whether it is drawn in that look."""
        own, other = self.again(self.settings), self.again(look)
        return (own.look, own.threshold) == (other.look, other.threshold)

    def again(self, look: Settings) -> Settings:
        """Return the settings of the same run in the look of others; of a run that was stopped, of what it came to.

        Answers whose colours the look leaves open keep theirs. The run's files must be there still.
        """
        record = read_record(self.folder)
        taken: dict[str, Any] = record["selection"]
        last = taken["first"] + (record["frames"] - 1) * taken["every"]
        changed = {name: getattr(look, name) for name in LOOK}
        palette = [hex_of(colour) for colour in PALETTE]
        had = [palette.index(query["colour"]) + 1 for query in record["queries"]]
        changed["colours"] = tuple(chosen or own for chosen, own in zip_longest(look.colours[: len(had)], had))
        return replace(self.settings, last=last + 1, **changed)
