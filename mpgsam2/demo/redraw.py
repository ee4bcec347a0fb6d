"""The result that is shown, and how its files are made in another look, without the model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mpgsam2.demo.settings import Settings
from mpgsam2.export import read_record

LOOK = ("threshold", "opacity", "dimmed", "pattern", "colours")
"""The settings that can be changed while a result is shown."""


@dataclass(frozen=True)
class Shown:
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
        """Whether it is drawn in that look."""
        return self.settings.look == look.look and self.settings.threshold == look.threshold

    def again(self, look: Settings) -> Settings:
        """The settings of the same run in the look of others; of a run that was stopped, of what it came to.

        Its files must be there still.
        """
        record = read_record(self.folder)
        taken: dict[str, Any] = record["selection"]
        last = taken["first"] + (record["frames"] - 1) * taken["every"]
        changed = {name: getattr(look, name) for name in LOOK}
        return replace(self.settings, last=last + 1, **changed)
