"""The settings of a run besides the clip, in one table: page, HTTP, command line and docs are made from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from enum import Enum, auto
from typing import Any

from mpgsam2.inference.query import LETTERS
from mpgsam2.network.dtype import DTYPES
from mpgsam2.network.parts import Part
from mpgsam2.palette import PALETTE_NAMES


class Kind(Enum):
    """What the values of a setting are."""

    TEXT = auto()
    WHOLE_NUMBER = auto()
    NUMBER = auto()  # between two bounds
    SWITCH = auto()  # true or false
    PARTS = auto()  # of the network, see `Part`
    COLOURS = auto()  # numbers of the palette, counted from 1
    FILE = auto()


@dataclass(frozen=True)
class Setting:
    """A setting.

    Attributes:
        name: in Python and over HTTP.
        kind: what its values are.
        help: what it does, without default and range.
        default: its value where nothing is said.
        unset: what an empty default stands for; "" where the default says it itself.
        called: what a sentence about it calls it; "" for its name.
        bounds: least and most, of a `Kind.NUMBER`.
    """

    name: str
    kind: Kind
    help: str
    default: Any
    unset: str
    called: str
    bounds: tuple[float, float]

    @property
    def noun(self) -> str:
        """What a sentence about it calls it."""
        return self.called or self.name

    @property
    def usual(self) -> str:
        """The default in words."""
        return self.unset or str(self.default).lower()

    @property
    def range(self) -> str:
        """The bounds in words; "" where there are none."""
        least, most = self.bounds
        return f"{least:g} to {most:g}" if self.kind is Kind.NUMBER else ""


def _setting(
    kind: Kind,
    help: str,
    default: Any = None,
    *,
    unset: str = "",
    called: str = "",
    bounds: tuple[float, float] = (0.0, 1.0),
) -> Any:
    """Make a field of `RunSettings`; the arguments are as in `Setting`."""
    known = {"kind": kind, "help": help, "unset": unset, "called": called, "bounds": bounds}
    return field(default=default, metadata=known)


@dataclass(frozen=True)
class RunSettings:
    """Everything that is asked besides the clip; the defaults are the page's. Frames are counted from 1."""

    sentences: str = _setting(
        Kind.TEXT,
        f'English sentence that names one object, such as "the red circle"; up to {len(LETTERS)}, one a line',
        "",
        called="sentence",
    )
    model: str = _setting(Kind.TEXT, "name of a model that runs here", "", unset="the usual one")
    first: int = _setting(Kind.WHOLE_NUMBER, "first frame to use", 1, called="first frame")
    last: int | None = _setting(Kind.WHOLE_NUMBER, "last frame to use", unset="the clip's last", called="last frame")
    every: int = _setting(Kind.WHOLE_NUMBER, "use every n-th of these frames", 1, called="step")
    longest_side: int | None = _setting(
        Kind.WHOLE_NUMBER, "scale larger frames down to this many pixels", unset="their own size", called="longest side"
    )
    threshold: float = _setting(
        Kind.NUMBER, "probability from which a pixel belongs to the mask", 0.5, bounds=(0.05, 0.95)
    )
    opacity: float = _setting(Kind.NUMBER, "of the colour in the overlay; 0 leaves the object its own colours", 0.0)
    pattern: bool = _setting(Kind.SWITCH, "hatch the masks", False)
    without: Sequence[str] = _setting(
        Kind.PARTS, f"parts of the network to switch off, of {', '.join(Part)}", (), unset="none"
    )
    compare: bool = _setting(
        Kind.SWITCH,
        "where parts are off, ask the whole network as well (A), and the rest of it beside it (B)",
        True,
    )
    ground_truth: str | None = _setting(
        Kind.FILE,
        "zip of true masks to score against, a PNG for each frame of the clip or for some, by the numbers in their "
        "names",
        unset="none",
    )
    object: int | None = _setting(
        Kind.WHOLE_NUMBER, "which object the ground truth's masks are of, where they hold several", unset="the only one"
    )
    scored: str = _setting(
        Kind.TEXT, "the one sentence that the ground truth is of", "", unset="all", called="scored sentence"
    )
    dtype: str = _setting(
        Kind.TEXT,
        f"of matrix products, one of {', '.join(DTYPES)}: bfloat16 is faster where the processor or GPU has it, and "
        "auto takes it on such a GPU",
        "auto",
    )
    dimmed: float = _setting(Kind.NUMBER, "how far the overlay darkens and greys everything else", 0.8)
    colours: Sequence[int] = _setting(
        Kind.COLOURS,
        "of the answers' masks, in their order: 0 one that stands out from what lies there, "
        + ", ".join(f"{number} {name}" for number, name in enumerate(PALETTE_NAMES, 1)),
        (),
        unset="those that stand out",
    )


SETTINGS = {
    field.name: Setting(name=field.name, default=field.default, **field.metadata) for field in fields(RunSettings)
}
"""All of them by name, in the order in which the page and HTTP give them."""


def as_markdown() -> str:
    """Return the table as `docs/api.md` has it; a test compares them."""
    rows = [
        f"| `{setting.name}` | {setting.usual} | {'; '.join(filter(None, (setting.help, setting.range)))} |"
        for setting in SETTINGS.values()
    ]
    return "\n".join(["| setting | usual | |", "| --- | --- | --- |", *rows])
