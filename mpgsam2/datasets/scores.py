"""The scores of a set of results: of the whole, of each annotator where there are several, and of each sequence."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import Any

from mpgsam2.datasets.statistics import Statistics


@dataclass(frozen=True)
class SequenceScore:
    """What one sentence's masks score.

    Attributes:
        about: which sentence it is, by the names of the CSV's columns.
        statistics: over its frames.
    """

    about: dict[str, Any]
    statistics: Statistics

    def to_dict(self) -> dict[str, Any]:
        """Return both, as JSON and CSV hold them."""
        return {**self.about, **self.statistics.to_dict()}


@dataclass(frozen=True)
class Scores:
    """The scores of a set.

    Attributes:
        data_set: its name.
        split: of it.
        whole: the benchmark's figures.
        annotators: theirs, in order; empty where there is but one.
        sequences: at least one.
    """

    data_set: str
    split: str
    whole: Statistics
    annotators: tuple[Statistics, ...]
    sequences: tuple[SequenceScore, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return everything, as JSON can hold it: the whole set's figures at the top, all in 0..1 (decays -1..1)."""
        annotators = {"annotators": [annotator.to_dict() for annotator in self.annotators]} if self.annotators else {}
        return {
            **self.whole.to_dict(),
            "dataset": self.data_set,
            "split": self.split,
            **annotators,
            "sequences": [sequence.to_dict() for sequence in self.sequences],
        }

    def csv(self) -> str:
        """Return one row for each sequence, under a row of names."""
        content = io.StringIO()
        rows = [sequence.to_dict() for sequence in self.sequences]
        writer = csv.DictWriter(content, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return content.getvalue()

    def table(self) -> str:
        """Return percent, a row for each annotator and one for the whole."""
        names = list(self.whole.to_dict())
        rows = [(f"annotator {number}", annotator) for number, annotator in enumerate(self.annotators)]
        rows.append(("all", self.whole))
        head = f"{'percent':<14}" + "".join(f"{name:>10}" for name in names)
        return "\n".join(
            [head, *(f"{name:<14}" + "".join(f"{100 * x:10.1f}" for x in row.to_dict().values()) for name, row in rows)]
        )
