"""What a visitor or a program asks for, as it was given, and what follows from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

from mpgsam2.demo.wording import quoted
from mpgsam2.errors import InputError
from mpgsam2.export.drawing import PALETTE, Look
from mpgsam2.export.pipeline import check_request
from mpgsam2.inference.query import LETTERS, Query
from mpgsam2.inference.segmenter import Segmenter
from mpgsam2.network.dtype import choose_dtype
from mpgsam2.video import Selection


@dataclass(frozen=True)
class Settings:
    """Everything that is asked besides the clip; the defaults are those of the page.

    Attributes:
        sentences: up to four, one a line.
        model: name of one of the models that run here; empty for the first.
        first, last: frames of the clip, counted from 1 as people do; `last` None or 0 for the clip's last.
        every: every n-th frame of these.
        longest_side: of the frames in pixels, larger ones are scaled down; None or 0 for their own size.
        threshold: probability from which a pixel belongs to the mask, 0..1.
        opacity: of the colour in the overlay, 0..1; 0 leaves the object its own colours.
        dimmed: how far the overlay darkens and greys everything else, 0..1.
        pattern: whether masks are hatched too.
        without: parts of the network that are switched off.
        compare: whether every sentence is asked of the whole network too.
        ground_truth: path of a zip of PNG masks, None if there is none.
        object: which object these masks are of, where they hold several; None where they do not.
        scored: the one sentence that is scored against them; empty to score all.
        dtype: of matrix products, one of `network.dtype.DTYPES`.
        colours: of the answers' masks, numbers of `drawing.PALETTE` counted from 1; where it is 0 or missing the run
            chooses one that stands out.
    """

    sentences: str = ""
    model: str = ""
    first: int = 1
    last: int | None = None
    every: int = 1
    longest_side: int | None = None
    threshold: float = 0.5
    opacity: float = 0.0
    pattern: bool = False
    without: Sequence[str] = ()
    compare: bool = True
    ground_truth: str | None = None
    object: int | None = None
    scored: str = ""
    dtype: str = "auto"
    dimmed: float = 0.8
    colours: Sequence[int] = ()

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
        """What is asked of the model: every sentence, or if it is compared, the whole network and what is left of it.

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
        """Which frames of the clip are used, at which size.

        Raises:
            InputError: the numbers are none that a clip can have.
        """
        numbers = {"first": self.first, "every": self.every, "last": self.last, "longest side": self.longest_side}
        for name, number in numbers.items():
            if number and number != int(number):
                raise InputError(f"The {name} must be a whole number; got {number}.")
        if not (self.first or 0) >= 1 or not (self.every or 0) >= 1:
            raise InputError("Frames are counted from 1, and every first, second or later one can be taken.")
        last = int(self.last) - 1 if self.last else None
        longest_side = int(self.longest_side) if self.longest_side else None
        return Selection(int(self.first) - 1, last, int(self.every), longest_side)


NAMES: tuple[str, ...] = tuple(field.name for field in fields(Settings))
"""Of the settings, in the order in which the page and the API give them."""


def chosen(models: Mapping[str, Segmenter], name: str, dtype: str = "auto") -> Segmenter:
    """The model of a name, the first one for no name, in a dtype; "auto" is the one that it was loaded in.

    Raises:
        InputError: no model of that name runs here, or there is no such dtype.
    """
    if name and name not in models:
        raise InputError(f"There is no model “{quoted(name)}” here: choose from {', '.join(models)}.")
    model = models[name] if name else next(iter(models.values()))
    return model if dtype in ("", "auto") else model.configured(dtype=choose_dtype(dtype, "cpu"))
