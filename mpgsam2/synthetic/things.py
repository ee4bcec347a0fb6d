"""Things: the words for them, and how they are drawn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mpgsam2.synthetic.colours import RGB


@dataclass(frozen=True)
class Thing:
    """A thing by the words for it. size: "small", "medium" or "large"; motion: one of `world.MOTIONS`."""

    shape: str
    colour: str
    texture: str
    size: str
    motion: str

    def shows(self, motion: str) -> bool:
        """Whether one would see it do this: a plain circle that spins looks like one that does not."""
        return motion != "spinning" or (self.shape, self.texture) != ("circle", "plain")


@dataclass(frozen=True)
class Body:
    """A thing as it is drawn.

    second: colour of its stripes or dots, None where it is plain; centres: (T, 2) x, y in px; radii: (T,) px; angles:
    (T,) radians; crossing: it enters or leaves the frame.
    """

    thing: Thing
    rgb: RGB
    second: RGB | None
    centres: np.ndarray
    radii: np.ndarray
    angles: np.ndarray
    crossing: bool

    @property
    def turning(self) -> bool:
        """Whether it turns, be it all that it does or not."""
        return bool(np.ptp(self.angles) > 0)
