"""Every knob of how hard a clip is."""

from __future__ import annotations

from dataclasses import dataclass, replace

from mpgsam2.errors import InputError
from mpgsam2.nano.drawings.nouns import NOUNS
from mpgsam2.nano.drawings.sources import (
    HELD_OUT_PHOTOGRAPHS,
    HELD_OUT_STYLES,
    STYLES,
    TRAINED_PHOTOGRAPHS,
    TRAINED_STYLES,
)
from mpgsam2.nano.synthetic.background import FAMILIES, HELD_OUT_FAMILIES
from mpgsam2.nano.synthetic.colours import COLOURS
from mpgsam2.nano.synthetic.shapes import SHAPES
from mpgsam2.nano.synthetic.textures import TEXTURES

MOTIONS = ("still", "left", "right", "up", "down", "growing", "shrinking", "spinning")
EVENTS = ("entering", "leaving", "hidden")
DRAWING_MOTIONS = (*MOTIONS, "bouncing", "turning_round")
DRAWING_EVENTS = (*EVENTS, "returning")
EVENT_FRAMES = 8  # shorter clips hold no events
KINDS = ("name", "appearance", "position", "relation", "motion")
WORDINGS = ("usual", "held-out")


@dataclass(frozen=True)
class World:
    """What clips look like and what is said of them; the defaults are the full world. A share is a probability, 0..1.

    "side" below is the shorter side of the frame. Raises InputError where a value cannot be used.
    """

    frames: int = 8  # per clip
    fps: float = 8.0  # frames per second; has no influence on what is drawn
    height: tuple[int, int] = (144, 256)  # px, range
    aspect: tuple[float, float] = (0.75, 1.78)  # width / height, range

    objects: tuple[int, int] = (1, 5)  # things per clip, range
    radius: tuple[float, float] = (0.08, 0.24)  # of the side, range
    smallest: float = 0.03  # of the side, the least radius of tiny things
    tiny: float = 0.2  # share of clips whose range of radii begins anywhere between `smallest` and `radius`
    shapes: tuple[str, ...] = tuple(SHAPES)
    colours: tuple[str, ...] = tuple(COLOURS)
    textures: tuple[str, ...] = tuple(TEXTURES)
    motions: tuple[str, ...] = MOTIONS
    events: tuple[str, ...] = EVENTS  # what may happen to things, and be said of them, in clips of `EVENT_FRAMES`
    tilt: float = 0.25  # share of things at any angle; the rest stand about upright
    spin: float = 0.15  # share of things that turn as time goes on
    occlusion: float = 0.35  # share of clips in which things may hide each other
    border: float = 0.15  # share of moving things that enter or leave the frame

    backgrounds: tuple[str, ...] = tuple(FAMILIES)
    contrast: float = 32.0  # smallest distance of a thing's colour from any of the background, in L*a*b*
    shading: float = 0.5  # share of clips with lit things
    highlight: float = 0.9  # strongest that a lit thing may have, 0.2..1
    shadow: float = 0.3  # share of clips in which things cast a shadow
    pan: float = 0.04  # largest travel of the camera over the clip, of the side
    shake: float = 0.003  # largest standard deviation of the camera's trembling, of the side
    blur: float = 0.8  # largest standard deviation of the lens's blur, px at a side of 256
    noise: float = 8.0  # largest standard deviation of the sensor's noise, grey levels 0..255
    compression: float = 0.35  # share of clips that went through JPEG
    h264: float = 0.1  # share of clips of 4 frames and more that went through H.264 instead
    motion_blur: float = 0.25  # share of clips whose shutter is so slow that motion blurs
    exposure: float = 0.3  # share of clips that are a little too dark, bright, hazy or tinted

    empty: float = 0.0  # share of clips whose things stay away, so that no sentence names anything
    drawn: float = 0.0  # share of things that are drawings of everyday things, from the atlas
    nouns: tuple[str, ...] = ()  # of the drawings; none: any
    styles: tuple[str, ...] = TRAINED_STYLES  # of the drawings
    recoloured: float = 0.35  # share of drawings in another colour than their own
    photographed: float = 0.0  # share of clips before a photograph
    photographs: tuple[str, ...] = TRAINED_PHOTOGRAPHS

    kinds: tuple[tuple[str, float], ...] = (("appearance", 1.0), ("position", 1.0), ("relation", 0.7), ("motion", 1.0))
    sentences: int = 4  # at most so many per clip name a thing
    absent: float = 0.3  # sentences more per clip that name nothing in it, on average
    wording: str = "usual"  # one of `WORDINGS`: held-out sentences are built in ways that usual ones never are
    extremes: float = 0.35  # share of "leftmost" and the like among sentences about position, where both can be said
    usual: float = 0.4  # share of the usual wording among all wordings of the same
    apart: float = 0.35  # share of position clips in which every other thing lies on the other side

    def __post_init__(self) -> None:
        for name, words in (
            ("shapes", SHAPES),
            ("colours", COLOURS),
            ("textures", TEXTURES),
            ("motions", DRAWING_MOTIONS),
            ("styles", STYLES),
            ("backgrounds", FAMILIES | HELD_OUT_FAMILIES),
        ):
            given = getattr(self, name)
            if not given or not set(given) <= set(words):
                raise InputError(f"A world's {name} must be one or more of {', '.join(words)}; got {given!r}.")
        if not set(self.nouns) <= set(NOUNS):
            raise InputError(f"A world's nouns must be of those in mpgsam2/nano/drawings/nouns.py; got {self.nouns!r}.")
        if not set(self.events) <= set(DRAWING_EVENTS) or self.wording not in WORDINGS:
            raise InputError(
                f"A world's events must be of {', '.join(DRAWING_EVENTS)} and its wording one of "
                f"{', '.join(WORDINGS)}; got {self.events!r} and {self.wording!r}."
            )
        if not self.sentence_kinds or not {kind for kind, _ in self.kinds} <= set(KINDS):
            raise InputError(
                f"A world's kinds of sentence must be one or more of {', '.join(KINDS)}, and not motion alone where a "
                f"clip has one frame; got {self.kinds!r}."
            )
        for name in ("height", "aspect", "objects", "radius"):
            low, high = getattr(self, name)
            if not 0 < low <= high:
                raise InputError(f"A world's {name} must be a range above zero, lowest first; got {(low, high)!r}.")
        if self.tiny > 0 and not 0 < self.smallest <= self.radius[0]:
            raise InputError(f"A world's smallest radius must be above zero and at most {self.radius[0]}.")
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

    @property
    def clip_events(self) -> tuple[str, ...]:
        """The events that can occur in clips of this length."""
        return self.events if self.frames >= EVENT_FRAMES else ()


FULL = World()
"""The widest world."""

HALFWAY = replace(
    FULL,
    objects=(2, 4),
    tiny=0.0,
    motions=tuple(motion for motion in MOTIONS if motion != "spinning"),
    events=(),
    highlight=0.6,
    h264=0.0,
    motion_blur=0.0,
    exposure=0.0,
    absent=0.0,
)
"""Neither single nor tiny things, nor what spins, comes and goes; a good camera; every sentence names a thing."""

HELD_OUT = replace(FULL, wording="held-out", backgrounds=tuple(HELD_OUT_FAMILIES))
"""The widest world before backgrounds, and in words put together in ways, that are never met in training."""

EASY = replace(
    HALFWAY,
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

THINGS = replace(
    FULL,
    objects=(1, 5),
    radius=(0.09, 0.26),
    motions=DRAWING_MOTIONS,
    events=DRAWING_EVENTS,
    tilt=0.1,
    spin=0.05,
    drawn=0.9,
    photographed=0.35,
    kinds=(("name", 1.3), ("appearance", 1.0), ("position", 1.0), ("relation", 0.7), ("motion", 1.2)),
)
"""Everyday things, drawn, among them a few shapes; also before photographs."""

THINGS_HELD_OUT = replace(
    THINGS,
    styles=HELD_OUT_STYLES,
    photographs=HELD_OUT_PHOTOGRAPHS,
    wording="held-out",
    backgrounds=tuple(HELD_OUT_FAMILIES),
)
"""The same in a style, before photographs and backgrounds, and in ways of wording, that are never met in training."""
