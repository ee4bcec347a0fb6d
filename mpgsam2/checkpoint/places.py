"""The checkpoints among the files of a folder or repository, and which of them is meant."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mpgsam2.checkpoint.names import INDEX, SHARD, STANDARD_FILES, SUFFIXES, WEIGHTS_FILE, is_weights
from mpgsam2.errors import InputError


@dataclass(frozen=True)
class Place:
    """Where a checkpoint lies; paths are relative and have slashes."""

    path: str  # of the folder ("" is the topmost), or of the file where a folder holds several
    weights: str  # a file of weights, the first of its shards, or their index

    @property
    def folder(self) -> str:
        """Where its weights are."""
        return posixpath.dirname(self.weights)

    def files(self, files: Iterable[str]) -> list[str]:
        """Return those of the files that hold its tensors, and their index if there is one."""
        whole = _whole(posixpath.basename(self.weights))
        if self.weights == posixpath.join(self.folder, whole):
            return [self.weights]
        beside = (file for file in files if posixpath.dirname(file) == self.folder)
        return [file for file in beside if _whole(posixpath.basename(file)) == whole]


def find_places(files: Iterable[str]) -> list[Place]:
    """Return the checkpoints among the files.

    Where a folder holds weights under a standard name, the folder is a place; any other weights, in one file or in
    shards, are a place of their own. Optimizer states and the weights that training starts from are none.
    """
    folders: dict[str, dict[str, list[str]]] = {}
    for file in sorted(files):
        folder, name = posixpath.split(file)
        if is_weights(whole := _whole(name)):
            folders.setdefault(folder, {}).setdefault(whole, []).append(name)
    places = []
    for folder, parts in sorted(folders.items()):
        standard = next((name for name in STANDARD_FILES if name in parts), None)
        for whole, names in parts.items():
            if whole == standard or whole not in STANDARD_FILES:
                weights = next((name for name in (whole, whole + INDEX) if name in names), names[0])
                path = folder if whole == standard else posixpath.join(folder, whole)
                places.append(Place(path, posixpath.join(folder, weights)))
    return places


def _whole(name: str) -> str:
    """Return what a file of weights, one of its shards and their index have in common."""
    shard = SHARD.fullmatch(name)
    return shard["stem"] + shard["suffix"] if shard else name.removesuffix(INDEX)


def within(places: Iterable[Place], wanted: str) -> list[Place]:
    """Return the place that `wanted` is, or else all that lie in it; "" is the topmost folder."""
    places = list(places)
    exact = [place for place in places if wanted in (place.path, place.weights)]
    return exact or _outermost([place for place in places if not wanted or place.path.startswith(f"{wanted}/")])


def choose(places: Sequence[Place], fitting: Sequence[Place], where: str) -> Place:
    """Return the one place that fits; of files that differ in their suffix alone the preferred one.

    Args:
        places: all there are.
        fitting: those that may be meant.
        where: what holds them, the first words of the sentence otherwise.

    Raises:
        InputError: none fits, or several do.
    """
    if len({posixpath.splitext(place.path)[0] for place in fitting}) == 1:
        return min(fitting, key=_preference)
    if not places:
        raise InputError(f"{where} holds no weights, such as {WEIGHTS_FILE} or pytorch_model.bin.")
    found = ", ".join(place.path or "(top)" for place in list(fitting or places)[:10])
    if fitting:
        raise InputError(f"{where} holds more than one such checkpoint ({found}): name the one you mean.")
    raise InputError(f"{where} holds no such checkpoint, but {found}: name one of these.")


def nearest_to_the_top(places: Iterable[Place]) -> list[Place]:
    """Return the places in the fewest folders, since old ones and single epochs are often kept further down."""
    outermost = _outermost(list(places))
    least = min((place.path.count("/") for place in outermost), default=0)
    return [place for place in outermost if place.path.count("/") == least]


def _outermost(places: list[Place]) -> list[Place]:
    """Leave out the places in the folder of another."""
    return [
        place
        for place in places
        if not any(other != place and other.path and place.path.startswith(f"{other.path}/") for other in places)
    ]


def _preference(place: Place) -> int:
    name = place.weights.removesuffix(INDEX).lower()
    return next((i for i, suffix in enumerate(SUFFIXES) if name.endswith(suffix)), len(SUFFIXES))
