"""Things: the words for them, and how they are drawn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mpgsam2.nano.drawings.atlas import Drawing
from mpgsam2.nano.drawings.nouns import LOOK_ALIKES
from mpgsam2.nano.synthetic.colours import RGB
from mpgsam2.nano.synthetic.shapes import SHAPES


@dataclass(frozen=True)
class Thing:
    """A thing by the words for it.

    shape: of `shapes.SHAPES` or, where there is a drawing, its noun; colour, texture: "" where a drawing has none that
    can be said; size: "small", "medium" or "large"; motion: one of `world.DRAWING_MOTIONS`.
    """

    shape: str
    colour: str
    texture: str
    size: str
    motion: str
    drawing: Drawing | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """What it is: its shape, or its noun and what that also is."""
        return (self.shape, *self.drawing.entry.groups) if self.drawing else (self.shape,)

    def values(self, attribute: str) -> tuple[str, ...]:
        """Return what is true of it in an attribute: "shape", "colour" or "texture"."""
        if attribute == "shape":
            return self.names
        value = getattr(self, attribute)
        return (value,) if value else ()

    def doubtful(self, attribute: str) -> tuple[str, ...]:
        """Return what one may or may not say of it: no sentence depends on that."""
        if self.drawing is None:
            return ()
        if attribute == "shape":
            alike = (shape for shape, nouns in LOOK_ALIKES.items() if self.shape in nouns)
            return (*self.drawing.entry.unclear, *alike)
        return self.drawing.tinges if attribute == "colour" else ("plain", "striped", "dotted")

    @property
    def extent(self) -> float:
        """Distance of its outline's farthest point from its middle, in radii."""
        return self.drawing.extent if self.drawing else SHAPES[self.shape].extent

    @property
    def area(self) -> float:
        """In squared radii."""
        return self.drawing.area if self.drawing else SHAPES[self.shape].area

    def shows(self, motion: str) -> bool:
        """Return whether one would see it do this: a plain circle that spins looks like one that does not."""
        if motion == "turning_round":
            return self.drawing is not None and self.drawing.lopsided
        return motion != "spinning" or (self.shape, self.texture) != ("circle", "plain")


@dataclass(frozen=True)
class Body:
    """A thing as it is drawn.

    second: colour of its stripes or dots, None where it is plain; centres: (T, 2) x, y in px; radii: (T,) px; angles:
    (T,) radians; flips: (T,) 1, or -1 where a drawing is mirrored; crossing: it enters or leaves the frame.
    """

    thing: Thing
    rgb: RGB
    second: RGB | None
    centres: np.ndarray
    radii: np.ndarray
    angles: np.ndarray
    crossing: bool
    flips: np.ndarray | None = None

    @property
    def turning(self) -> bool:
        """Whether it turns, be it all that it does or not."""
        return bool(np.ptp(self.angles) > 0)
