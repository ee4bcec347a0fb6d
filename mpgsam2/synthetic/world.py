"""Every knob of how hard a clip is."""

from __future__ import annotations

from dataclasses import dataclass, replace

from mpgsam2.errors import InputError
from mpgsam2.synthetic.background import FAMILIES
from mpgsam2.synthetic.colours import COLOURS
from mpgsam2.synthetic.shapes import SHAPES
from mpgsam2.synthetic.textures import TEXTURES

MOTIONS = ("still", "left", "right", "up", "down", "growing", "shrinking")
KINDS = ("appearance", "position", "relation", "motion")


@dataclass(frozen=True)
class World:
    """What clips look like and what is said of them; the defaults are the full world. A share is a probability, 0..1.

    "side" below is the shorter side of the frame. Raises InputError where a value cannot be used.
    """

    frames: int = 8  # per clip
    fps: float = 8.0  # frames per second; has no influence on what is drawn
    height: tuple[int, int] = (144, 256)  # px, range
    aspect: tuple[float, float] = (0.75, 1.78)  # width / height, range

    objects: tuple[int, int] = (2, 4)  # things per clip, range
    radius: tuple[float, float] = (0.08, 0.24)  # of the side, range
    shapes: tuple[str, ...] = tuple(SHAPES)
    colours: tuple[str, ...] = tuple(COLOURS)
    textures: tuple[str, ...] = tuple(TEXTURES)
    motions: tuple[str, ...] = MOTIONS
    tilt: float = 0.25  # share of things at any angle; the rest stand about upright
    spin: float = 0.15  # share of things that turn as time goes on
    occlusion: float = 0.35  # share of clips in which things may hide each other
    border: float = 0.15  # share of moving things that enter or leave the frame

    backgrounds: tuple[str, ...] = tuple(FAMILIES)
    contrast: float = 32.0  # smallest distance of a thing's colour from any of the background, in L*a*b*
    shading: float = 0.5  # share of clips with lit things
    shadow: float = 0.3  # share of clips in which things cast a shadow
    pan: float = 0.04  # largest travel of the camera over the clip, of the side
    shake: float = 0.003  # largest standard deviation of the camera's trembling, of the side
    blur: float = 0.8  # largest standard deviation of the lens's blur, px at a side of 256
    noise: float = 8.0  # largest standard deviation of the sensor's noise, grey levels 0..255
    compression: float = 0.35  # share of clips that went through JPEG

    kinds: tuple[tuple[str, float], ...] = (("appearance", 1.0), ("position", 1.0), ("relation", 0.7), ("motion", 1.0))
    sentences: int = 4  # at most so many per clip
    extremes: float = 0.35  # share of "leftmost" and the like among sentences about position, where both can be said
    usual: float = 0.4  # share of the usual wording among all wordings of the same
    apart: float = 0.35  # share of position clips in which every other thing lies on the other side

    def __post_init__(self) -> None:
        for name, words in (
            ("shapes", SHAPES),
            ("colours", COLOURS),
            ("textures", TEXTURES),
            ("motions", MOTIONS),
            ("backgrounds", FAMILIES),
        ):
            given = getattr(self, name)
            if not given or not set(given) <= set(words):
                raise InputError(f"A world's {name} must be one or more of {', '.join(words)}; got {given!r}.")
        if not self.sentence_kinds or not {kind for kind, _ in self.kinds} <= set(KINDS):
            raise InputError(
                f"A world's kinds of sentence must be one or more of {', '.join(KINDS)}, and not motion alone where a "
                f"clip has one frame; got {self.kinds!r}."
            )
        for name in ("height", "aspect", "objects", "radius"):
            low, high = getattr(self, name)
            if not 0 < low <= high:
                raise InputError(f"A world's {name} must be a range above zero, lowest first; got {(low, high)!r}.")
        if self.frames < 1 or self.sentences < 1:
            raise InputError("A world needs at least one frame and one sentence per clip.")
        if self.height[0] < 32 or self.objects[1] > 8 or self.radius[1] > 0.4:
            raise InputError("A world holds frames of at least 32 px, at most 8 objects, and radii of at most 0.4.")

    @property
    def sentence_kinds(self) -> dict[str, float]:
        """Weight of every kind of sentence that can occur; in a clip of one frame nothing moves."""
        return {
            kind: weight for kind, weight in self.kinds if weight > 0 and not (kind == "motion" and self.frames == 1)
        }


FULL = World()
"""The full world of the first version."""

EASY = replace(
    FULL,
    objects=(2, 3),
    radius=(0.13, 0.28),
    textures=("plain",),
    motions=("still", "left", "right", "up", "down"),
    tilt=0.1,
    spin=0.0,
    occlusion=0.0,
    border=0.0,
    backgrounds=("plain", "gradient"),
    contrast=45.0,
    shading=0.2,
    shadow=0.0,
    pan=0.0,
    shake=0.0,
    blur=0.0,
    noise=4.0,
    compression=0.0,
    kinds=(("appearance", 1.0), ("position", 1.0)),
    extremes=0.15,
    usual=0.7,
    apart=0.7,
)
"""Two or three large things far from each other on a quiet background: where learning starts."""
