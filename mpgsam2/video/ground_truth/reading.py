"""What the numbers of a clip's mask pictures mean: which pixels are the object's, and which count for nothing.

- Numbers of objects, in a palette or as few dark greys: 0 is the ground and 255 void, as in PASCAL VOC and DAVIS. Void
  pixels are left out of the scores.
- Few flat colours, each an object: black is the ground, VOC's cream is void.
- A picture that is transparent around the object: what is not transparent is the object, whatever its colours; only
  where these are few and flat is each an object of its own.
- Anything else is a picture of the mask: the object is what is at least half bright.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from mpgsam2.errors import InputError
from mpgsam2.video.ground_truth.picture import MAX_OBJECTS, OPAQUE, Kind, Picture

_VOID_NUMBER = 255
_CREAM = 0xE0E0C0  # its colour in PASCAL VOC's colour map
_BRIGHTEST = {"grey": 255, "deep grey": 65535}
_MAX_FLAT_GREYS = 8  # of a mask that is drawn in flat greys
_MAX_GREYS = 256  # more colours than that cannot all be greys

Tally = Mapping[int, int]
"""Of values, how many pixels have each."""


@dataclass
class Seen:
    """What the mask pictures hold that were looked over, by their kind.

    Attributes:
        tallies: of all values but 0; None where there are too many to count.
        strongest: the highest value of any colour's channel.
    """

    tallies: dict[Kind, dict[int, int] | None] = field(default_factory=dict)
    strongest: int = 0

    def add(self, picture: Picture) -> None:
        """Take in one more picture."""
        tally = self.tallies.setdefault(picture.kind, {})
        coloured = picture.kind in ("colour", "cutout")
        if coloured:
            self.strongest = max(self.strongest, int(_strongest(picture.values).max()))
        if tally is None:
            return
        if coloured:
            values, pixels = _counted(picture.values)
        else:
            pixels = np.bincount(picture.values.ravel())
            values = np.flatnonzero(pixels)
            pixels = pixels[values]
        for value, count in zip(values.tolist(), pixels.tolist(), strict=True):
            if value:
                tally[value] = tally.get(value, 0) + count
        if coloured and len(tally) > _MAX_GREYS:
            self.tallies[picture.kind] = None


@dataclass(frozen=True)
class _Meaning:
    """What the values of one kind of pictures mean.

    Attributes:
        objects: the number of the object that each value stands for; None if the values are shades.
        void: the value that counts for nothing.
        least: of shades, the first that is the object's.
        grey: whether colours are greys, all three channels alike.
    """

    objects: Mapping[int, int] | None = None
    void: int | None = None
    least: int = 1
    grey: bool = False


class Reading:
    """Which pixels of a clip's mask pictures are the object's.

    Args:
        name: of the zip, for refusals.
        seen: what all pictures that count hold.
        chosen: the number of the object; None where there is only one.

    Raises:
        InputError: there are several objects and none is chosen, or none has the chosen number.
    """

    def __init__(self, name: str, seen: Seen, chosen: int | None) -> None:
        self._chosen = chosen
        self._meanings = {kind: _meaning(kind, seen, chosen) for kind in seen.tallies}
        names = self._names()
        if chosen is None and len(names) > 1:
            raise InputError(f"“{name}” holds the objects {_listed(names)}: choose the number of one as the object.")
        if chosen is not None and chosen not in names and any(tally != {} for tally in seen.tallies.values()):
            there = f"only {_listed(names)}" if names else "whose masks are not numbered: choose none"
            raise InputError(f"There is no object {chosen} in the chosen frames of “{name}”, {there}.")

    def masks(self, picture: Picture) -> tuple[np.ndarray, np.ndarray]:
        """Return the object's pixels and the void ones, each (H, W) bool; no pixel is both."""
        meaning, values = self._meanings.get(picture.kind, _Meaning()), picture.values
        if meaning.grey:
            values = values & 255
        if meaning.objects is None:
            shades = _strongest(values) if picture.kind == "colour" and not meaning.grey else values
            return shades >= meaning.least, np.zeros(values.shape, bool)
        mine = [value for value, number in meaning.objects.items() if self._chosen in (None, number)]
        return np.isin(values, mine), np.isin(values, [] if meaning.void is None else [meaning.void])

    def _names(self) -> dict[int, str]:
        """Return what each object is called, by its number: that, and its colour where colours tell objects apart."""
        names = {}
        for kind, meaning in self._meanings.items():
            for value, number in (meaning.objects or {}).items():
                coloured = kind in ("colour", "cutout") and not meaning.grey
                names[number] = f"{number} (#{value & ~OPAQUE:06x})" if coloured else f"{number}"
        return dict(sorted(names.items()))


def _meaning(kind: Kind, seen: Seen, chosen: int | None) -> _Meaning:
    """Return what a kind of pictures means, if an object of that number is chosen."""
    tally = seen.tallies[kind]
    if tally is None:
        return _Meaning(least=OPAQUE if kind == "cutout" else _half(seen.strongest))
    match kind:
        case "number":
            return _Meaning({value: value for value in tally if value != _VOID_NUMBER}, _VOID_NUMBER)
        case "grey" | "deep grey":
            return _greys(tally, _BRIGHTEST[kind], chosen)
        case "shade":
            return _Meaning(least=_half(max(tally, default=0)))
        case "cutout":
            return _colours(tally) if 1 < len(tally) <= MAX_OBJECTS else _Meaning(least=OPAQUE)
    if all(colour == (colour & 255) * 0x010101 for colour in tally):
        greys = _greys({colour & 255: pixels for colour, pixels in tally.items()}, 255, chosen)
        return _Meaning(greys.objects, greys.void, greys.least, grey=True)
    return _colours(tally) if len(tally) <= MAX_OBJECTS else _Meaning(least=_half(seen.strongest))


def _greys(tally: Tally, brightest: int, chosen: int | None) -> _Meaning:
    """Take greys for numbers if they are few and dark, but for the white seams of void; or flat, and one is chosen."""
    numbers = [value for value in tally if value < brightest]
    dark = numbers and max(numbers) <= brightest // 2
    seams = sum(tally[value] for value in numbers) >= tally.get(brightest, 0)
    if dark and len(numbers) <= MAX_OBJECTS and (seams or chosen in numbers):
        return _Meaning({value: value for value in numbers}, brightest)
    if chosen is not None and len(tally) <= _MAX_FLAT_GREYS:
        return _Meaning({value: value for value in tally})
    most = max(tally, default=brightest)
    return _Meaning(least=_half(brightest if most > brightest // 2 else most))


def _colours(tally: Tally) -> _Meaning:
    """Take each colour for an object: by its number in PASCAL VOC's colour map, or if one is not in it, in order."""
    opaque = OPAQUE & max(tally)
    void = _CREAM + opaque if len(tally) > 1 else None
    objects = [colour for colour in sorted(tally) if colour not in (opaque, void)]
    known = [_VOC_NUMBERS[colour & ~OPAQUE] for colour in objects if colour & ~OPAQUE in _VOC_NUMBERS]
    numbers = known if len(known) == len(objects) else range(1, len(objects) + 1)
    return _Meaning(dict(zip(objects, numbers, strict=True)), void)


def _counted(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the values of an array and how often each occurs; by runs, of which masks have few."""
    flat = values.ravel()
    starts = np.flatnonzero(np.diff(flat, prepend=flat[0] - 1))
    found, places = np.unique(flat[starts], return_inverse=True)
    return found, np.bincount(places, np.diff(starts, append=flat.size)).astype(np.int64)


def _half(most: int) -> int:
    return max(1, (most + 1) // 2)


def _strongest(colours: np.ndarray) -> np.ndarray:
    """Return the strongest channel of (H, W) colours 0xRRGGBB."""
    return np.maximum(np.maximum(colours >> 16 & 255, colours >> 8 & 255), colours & 255)


def _listed(names: Mapping[int, str]) -> str:
    *most, last = names.values()
    return f"{', '.join(most)} and {last}" if most else last


def _voc_colour(number: int) -> int:
    """Return the colour 0xRRGGBB of a number in PASCAL VOC's (and DAVIS's) colour map: its bits, dealt to channels."""
    channels = [sum((number >> 3 * place + channel & 1) << 7 - place for place in range(3)) for channel in range(3)]
    return channels[0] << 16 | channels[1] << 8 | channels[2]


_VOC_NUMBERS = {_voc_colour(number): number for number in range(1, _VOID_NUMBER)}
