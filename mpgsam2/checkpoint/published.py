"""Which place in a repository is "large-ytvos": by words where there are any, else by size.

Nobody here has seen the published repository. What its page says: "The tiny model uses BEiT-3-base, while the other
models use BEiT-3-large"; so the large ones may not call themselves anything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from math import log, sqrt

from mpgsam2.checkpoint.places import Place, nearest_to_the_top

_Words = dict[str, re.Pattern[str]]

# How names may say it, in lower case; abbreviations count where nothing else does.
_DATA: Sequence[_Words] = (
    {"ytvos": re.compile(r"yt.{0,2}vos|youtube|(?<![a-z])r?(ef.?)?y.?vos"), "mevis": re.compile(r"me.?vis")},
    {"ytvos": re.compile(r"(?<![a-z])(ref.?|r)?(yt|ytv|ytb)(?![a-z])"), "mevis": re.compile(r"(?<![a-z])mev(?![a-z])")},
)
_SIZES: Sequence[_Words] = (
    {"large": re.compile(r"large"), "tiny": re.compile(r"tiny|base(?!line)")},
    {"large": re.compile(r"(?<![a-z])l(?![a-z])"), "tiny": re.compile(r"(?<![a-z])[tb](?![a-z])")},
)
_PARAMETERS = {"large": 919e6, "tiny": 275e6}  # of the published networks


def says_mevis(words: str) -> bool:
    """Return whether names of folders and files say that a checkpoint was trained on MeViS."""
    return "mevis" in _said(words, _DATA)


def find_published(places: Sequence[Place], short_name: str, parameters: Callable[[Place], float]) -> list[Place]:
    """Return the places that may be the checkpoint of a short name; one, if all goes well.

    Args:
        places: all in the repository.
        short_name: size of the network and data that it was trained on, "large-ytvos".
        parameters: reckons how many a place's weights have, from what can be known without downloading them; asked only
            where words do not tell the size.
    """
    size, data = short_name.split("-")
    of_data = _by_words(places, _DATA, data) or []
    of_size = _by_words(of_data, _SIZES, size)
    if of_size is None:
        of_size = _by_size(of_data, size, {place: parameters(place) for place in places})
        if of_size is None:  # as odd a size as that is the one that no name in the repository says
            of_size = [] if any(_said(place.weights, _SIZES) == {size} for place in places) else of_data
    return nearest_to_the_top(of_size)


def _by_words(places: Sequence[Place], words: Sequence[_Words], wanted: str) -> list[Place] | None:
    """Return the places that say the wanted word, none while others say another one; None if none says anything."""
    said = {place: _said(place.weights, words) for place in places}
    if not any(said.values()):
        return None
    for what in ({wanted}, set(words[0]), set()):
        if found := [place for place in places if said[place] == what]:
            return found
    return []


def _said(path: str, words: Sequence[_Words]) -> set[str]:
    found = ({word for word, pattern in some.items() if pattern.search(path.lower())} for some in words)
    return next(filter(None, found), set())


def _by_size(places: Sequence[Place], wanted: str, parameters: dict[Place, float]) -> list[Place] | None:
    """Return the places of the wanted network's size; None if the sizes are of neither network."""
    least, most = min(parameters.values()), max(parameters.values())
    if most > 2 * least:  # both networks are there, in whatever precision
        border = sqrt(least * most)
        return [place for place in places if (parameters[place] > border) == (wanted == "large")]
    size = min(_PARAMETERS, key=lambda name: abs(log(most / _PARAMETERS[name])))
    if abs(log(most / _PARAMETERS[size])) > log(2):
        return None
    return list(places) if size == wanted else []
