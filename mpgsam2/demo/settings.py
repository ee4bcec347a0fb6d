"""What a visitor or a program asks for, as it was given, and what follows from it."""

from __future__ import annotations

from collections.abc import Mapping

from mpgsam2.demo.quoting import quoted
from mpgsam2.errors import InputError
from mpgsam2.export.drawing import Look
from mpgsam2.export.pipeline import check_request
from mpgsam2.inference.query import LETTERS, Query
from mpgsam2.inference.segmenter import Segmenter
from mpgsam2.network.dtype import choose_dtype
from mpgsam2.palette import PALETTE
from mpgsam2.settings import RunSettings
from mpgsam2.video import Selection


class Settings(RunSettings):
    """Everything that is asked besides the clip, and what follows from it."""

    @property
    def expressions(self) -> list[str]:
        """The sentences, white space around them and empty lines dropped."""
        return [line.strip() for line in self.sentences.splitlines() if line.strip()]

    @property
    def look(self) -> Look:
        """How the answers are drawn."""
        colours = tuple(PALETTE[number - 1] if number else None for number in self.colours)
        return Look(opacity=self.opacity, pattern=self.pattern, colours=colours, dimmed=self.dimmed)

    def queries(self, model: Segmenter) -> list[Query]:
        """Return what is asked of the model: every sentence, or to compare, the whole network and what is left of it.

        Raises:
            InputError: there is no sentence, there are too many, or the model cannot read one or use the threshold.
        """
        without = frozenset(self.without)
        ways = [frozenset(), without] if self.compare and without else [without]
        expressions = self.expressions or [""]  # which the model refuses in its own words
        queries = [Query(expression, way) for expression in expressions for way in ways]
        if len(queries) > len(LETTERS):
            most = len(LETTERS) // len(ways)
            raise InputError(
                f"At most {most} sentences can be asked at once{' when each is compared' if len(ways) > 1 else ''}; "
                f"here are {len(expressions)}, one a line."
            )
        check_request(model, queries, self.threshold)
        return queries

    def selection(self) -> Selection:
        """Return which frames of the clip are used, at which size.

        Raises:
            InputError: the numbers are none that a clip can have.
        """
        numbers = {"first": self.first, "every": self.every, "last": self.last, "longest side": self.longest_side}
        for name, number in numbers.items():
            if number and number != int(number):
                raise InputError(f"The {name} must be a whole number; got {number}.")
        if not (self.first or 0) >= 1:
            raise InputError("The first frame must be 1 or more: frames are counted from 1.")
        if not (self.every or 0) >= 1:
            raise InputError("The step must be 1 or more: 1 takes every frame, 2 every second one.")
        last = int(self.last) - 1 if self.last else None
        longest_side = int(self.longest_side) if self.longest_side else None
        return Selection(int(self.first) - 1, last, int(self.every), longest_side)


def choose_model(models: Mapping[str, Segmenter], name: str, dtype: str = "auto") -> Segmenter:
    """Return the model of a name, the first one for no name, in a dtype; "auto" is the one that it was loaded in.

    Raises:
        InputError: no model of that name runs here, or there is no such dtype.
    """
    if name and name not in models:
        raise InputError(f"There is no model “{quoted(name)}” here: choose from {', '.join(models)}.")
    model = models[name] if name else next(iter(models.values()))
    return model if dtype in ("", "auto") else model.configured(dtype=choose_dtype(dtype, "cpu"))
