"""The atlas: drawings of things in several styles, and photographs, as `build` wrote them."""

from __future__ import annotations

import functools
import json
import os
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from mpgsam2.errors import InputError
from mpgsam2.nano.drawings.colour_names import NAMES, name_of, shares
from mpgsam2.nano.drawings.nouns import NOUNS, Noun
from mpgsam2.nano.drawings.recolour import recolour

FOLDER_VARIABLE = "MPGSAM2_ATLAS"
DEFAULT_FOLDER = Path("~/.cache/mpgsam2/atlas")
RADIUS = 0.4  # of a drawing's square, the radius that stands for its size
SMALLEST_SIDE = 14  # px, of the smallest copy of a drawing
LOPSIDED_DIFFERENCE = 0.25  # mean difference of a drawing and its mirror image, of its mean opacity
MAX_DRAWINGS = 16384  # drawings held in memory


@dataclass(frozen=True, eq=False)
class Drawing:
    """A drawing of a thing, around the origin, y down; lengths in radii.

    Attributes:
        noun: what it shows, a key of `nouns.NOUNS`.
        style: whose.
        colour: what it is said to have, "" where none prevails.
        tinges: other colours that one might say.
        rgb: of its main colour.
        rgba: (S, S, 4) uint8, not premultiplied.
    """

    noun: str
    style: str
    colour: str
    tinges: tuple[str, ...]
    rgba: np.ndarray

    @property
    def entry(self) -> Noun:
        """What is known of the noun."""
        return NOUNS[self.noun]

    @functools.cached_property
    def outline(self) -> np.ndarray:
        """(P, 2) float64, the convex hull of what is drawn."""
        drawn = (self.rgba[..., 3] > 8).astype(np.uint8)
        contours, _ = cv2.findContours(drawn, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        hull = cv2.convexHull(np.concatenate(contours))[:, 0].astype(float)
        outwards = np.sign(hull - (self.side - 1) / 2) / 2  # a pixel's far edge, not its middle
        return (hull + outwards - (self.side - 1) / 2) / (RADIUS * self.side)

    @functools.cached_property
    def extent(self) -> float:
        """Distance of the farthest point from the origin."""
        return float(np.hypot(*self.outline.T).max())

    @functools.cached_property
    def area(self) -> float:
        """Of what is drawn, in squared radii."""
        return float((self.rgba[..., 3] > 127).sum()) / (RADIUS * self.side) ** 2

    @functools.cached_property
    def rgb(self) -> tuple[int, int, int]:
        """The median of what is drawn, 0..255."""
        red, green, blue = np.median(self.rgba[self.rgba[..., 3] > 127][:, :3], axis=0)
        return int(red), int(green), int(blue)

    @functools.cached_property
    def lopsided(self) -> bool:
        """Whether its mirror image looks different."""
        seen = self.rgba.astype(np.float32)
        seen[..., :3] *= seen[..., 3:] / 255
        return bool(np.abs(seen - seen[:, ::-1]).mean() > LOPSIDED_DIFFERENCE * seen[..., 3].mean())

    @property
    def side(self) -> int:
        """Of the square, px."""
        return len(self.rgba)

    def copy_for(self, radius: float) -> tuple[np.ndarray, np.ndarray]:
        """Return the smallest copy not coarser than a radius in px: (s, s, 3) colours and (s, s) opacity, uint8."""
        copies = self._copies
        fitting = [copy for copy in copies if RADIUS * len(copy[1]) >= radius]
        return fitting[-1] if fitting else copies[0]

    @functools.cached_property
    def _copies(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """From full size down, each half of the one before; what is transparent has its neighbours' colour."""
        weight: np.ndarray = self.rgba[..., 3:].astype(np.float32) / 255
        paint: np.ndarray = self.rgba[..., :3] * weight
        copies, side = [], self.side
        while side >= SMALLEST_SIDE:
            around_paint, around = cv2.blur(paint, (7, 7)), cv2.blur(weight, (7, 7))[..., None]
            known = weight.reshape(side, side, 1)
            spread = np.where(known > 0.02, paint / np.maximum(known, 0.02), around_paint / np.maximum(around, 1e-3))
            copies.append(
                (np.clip(np.rint(spread), 0, 255).astype(np.uint8), np.rint(255 * known[..., 0]).astype(np.uint8))
            )
            side //= 2
            paint = cv2.resize(paint, (side, side), interpolation=cv2.INTER_AREA)
            weight = cv2.resize(known, (side, side), interpolation=cv2.INTER_AREA)
        return copies


class Atlas:
    """Drawings and photographs in a folder.

    Attributes:
        styles: names of the styles.
        photographs: names of the photographs.
    """

    def __init__(self, folder: Path) -> None:
        """Raise InputError where the folder holds no atlas."""
        file = folder / "atlas.json"
        if not file.is_file():
            raise InputError(
                f"There is no atlas of drawings: make it with `make atlas`, or name its folder in {FOLDER_VARIABLE}."
            )
        record = json.loads(file.read_text(encoding="utf-8"))
        self._folder, self._side, self._columns = folder, record["side"], record["columns"]
        self._looks = record["looks"]
        self.styles: tuple[str, ...] = tuple(record["styles"])
        self.photographs: tuple[str, ...] = tuple(record["photographs"])
        self._places: dict[str, list[int]] = {}
        for place, (noun, _) in enumerate(record["drawings"]):
            if noun in NOUNS:
                self._places.setdefault(noun, []).append(place)
        self._sheets: dict[str, np.ndarray] = {}
        self.nouns: tuple[str, ...] = tuple(self._places)

    def places(self, noun: str) -> list[int]:
        """Return the numbers of the drawings of a noun, in every style the same."""
        return self._places[noun]

    def colour(self, style: str, place: int) -> str:
        """Return what colour a drawing has by itself, "" for none."""
        return self._looks[style][place][0]

    @functools.lru_cache(MAX_DRAWINGS)  # noqa: B019  there is one atlas in a process
    def drawing(self, noun: str, style: str, place: int) -> Drawing:
        """Return a drawing as it is. People are not called by colours.

        Args:
            noun: which it is of.
            style, place: which it is.
        """
        colour, tinges = ("", NAMES) if "person" in NOUNS[noun].groups else self._looks[style][place]
        return Drawing(noun, style, colour, tuple(tinges), self._cut(style, place))

    @functools.lru_cache(MAX_DRAWINGS)  # noqa: B019
    def recoloured(self, noun: str, style: str, place: int, wear: tuple[str, tuple[int, int, int]]) -> Drawing | None:
        """Return a drawing in another colour.

        Args:
            noun: which it is of.
            style, place: which it is.
            wear: the colour's name and an RGB value that goes by it.

        Returns:
            None where it cannot be recoloured so that it has the colour's name. People are not recoloured.
        """
        if "person" in NOUNS[noun].groups:
            return None
        changed = recolour(self._cut(style, place), wear[1])
        if changed is None:
            return None
        colour, tinges = name_of(shares(changed[::2, ::2, :3], changed[::2, ::2, 3]))
        return Drawing(noun, style, colour, tinges, changed) if colour == wear[0] else None

    def _cut(self, style: str, place: int) -> np.ndarray:
        if style not in self._sheets:
            sheet = self._picture(f"{style}.png", cv2.IMREAD_UNCHANGED)
            self._sheets[style] = cv2.cvtColor(sheet, cv2.COLOR_BGRA2RGBA)
        row, column = divmod(place, self._columns)
        side = self._side
        return self._sheets[style][row * side : (row + 1) * side, column * side : (column + 1) * side]

    @functools.lru_cache(None)  # noqa: B019
    def photograph(self, name: str) -> np.ndarray:
        """Return (H, W, 3) uint8 RGB."""
        return cv2.cvtColor(self._picture(f"{name}.jpg", cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)

    def _picture(self, name: str, flags: int) -> np.ndarray:
        """Return a file of the atlas as OpenCV reads it."""
        picture = cv2.imread(str(self._folder / name), flags)
        if picture is None:
            raise InputError(f"“{name}” of the atlas of drawings cannot be read: make it anew with `make atlas`.")
        return picture


@functools.cache
def load_atlas(folder: Path | None = None) -> Atlas:
    """Return the atlas of a folder; by default that of the variable `MPGSAM2_ATLAS`, or where `make atlas` puts it."""
    return Atlas(folder or Path(os.environ.get(FOLDER_VARIABLE, DEFAULT_FOLDER)).expanduser())
