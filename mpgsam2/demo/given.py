"""What a visitor or a program gives, which may be anything, brought to what it should be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mpgsam2.demo.frames import LIMITS
from mpgsam2.demo.settings import Settings
from mpgsam2.demo.wording import HALF, quoted, sendable
from mpgsam2.errors import InputError
from mpgsam2.export.drawing import PALETTE, PALETTE_NAMES
from mpgsam2.inference.query import LETTERS
from mpgsam2.network.model import PARTS

MOST_CHARACTERS = 2000
"""Of all sentences together."""

ADDRESS = "https://"
"""Stands for every address at which a file may be said to lie."""

_MOST = 10**9 - 1  # of a whole number
_WHOLE = {
    "first": "first frame",
    "last": "last frame",
    "every": "step",
    "longest_side": "longest side",
    "object": "object",
}
_SHARES = {
    "threshold": (0.05, 0.95),
    "opacity": (0.0, 1.0),
    "dimmed": (0.0, 1.0),
}  # least and most, as the page's sliders have them
_TEXTS = {"sentences": "sentence", "model": "model", "scored": "scored sentence", "dtype": "dtype"}
_SWITCHES = ("pattern", "compare")


def file_of(given: Any) -> str | None:
    """The path of a file as Gradio hands it over, None for none.

    Raises:
        InputError: it is none, or an address.
    """
    if given is None:
        return None
    path = given.get("path") if isinstance(given, Mapping) else given
    if not isinstance(path, str) or not path:
        raise InputError("A file must be given as an upload: choose or upload it again.")
    if path == ADDRESS:
        raise InputError("A file cannot be given by its address: download it, and upload it here.")
    return path


def settings_of(given: Mapping[str, Any]) -> Settings:
    """The settings that are given, by `settings.NAMES`; what is missing is as usual.

    Raises:
        InputError: something is not of its kind, or far out of its range.
    """
    checked: dict[str, Any] = {}
    for name, value in given.items():
        if name in _WHOLE:
            checked[name] = _whole(_WHOLE[name], value)
        elif name in _SHARES:
            checked[name] = _share(name, value, *_SHARES[name])
        elif name in _SWITCHES:
            if not isinstance(value, bool):
                raise InputError(f"Whether there is a {name} is said by true or false; got “{quoted(value)}”.")
            checked[name] = value
        elif name == "without":
            checked[name] = _parts(value)
        elif name == "colours":
            checked[name] = _colours(value)
        elif name == "ground_truth":
            checked[name] = file_of(value)
        else:
            checked[name] = _text(_TEXTS[name], value)
    every = checked.get("every")
    if every and every > LIMITS.frames:
        raise InputError(f"A step of {every} frames leads beyond every clip: take at most {LIMITS.frames}.")
    return Settings(**checked)


def _whole(label: str, value: Any) -> int | None:
    if value is None:
        return None
    sound = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _MOST
    if not sound or value != int(value):
        raise InputError(f"The {label} must be a whole number of at most nine digits; got “{quoted(value)}”.")
    return int(value)


def _share(name: str, value: Any, least: float, most: float) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or value != value:
        raise InputError(f"The {name} must be a number from {least} to {most}; got “{quoted(value)}”.")
    if not least <= value <= most:
        which = f"less than minimum {least}" if value < least else f"greater than maximum {most}"
        raise InputError(f"The {name} {quoted(value)} is {which}: give a number from {least} to {most}.")
    return float(value)


def _parts(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list | tuple) or any(not isinstance(part, str) or part not in PARTS for part in value):
        raise InputError(f"What is switched off must be a list of any of {', '.join(sorted(PARTS))}.")
    return tuple(dict.fromkeys(value))


def _colours(value: Any) -> tuple[int, ...]:
    numbers = list(value) if isinstance(value, list | tuple) else [] if value is None else [value]
    most = len(PALETTE)
    sound = [isinstance(n, int | float) and not isinstance(n, bool) and n in range(most + 1) for n in numbers]
    if not all(sound) or len(numbers) > len(LETTERS):
        names = ", ".join(f"{number} {name}" for number, name in enumerate(PALETTE_NAMES, 1))
        raise InputError(f"Colours are given by at most {len(LETTERS)} numbers: 0 for one that stands out, {names}.")
    return tuple(map(int, numbers))


def _text(label: str, value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InputError(f"The {label} must be a text; got “{quoted(value)}”.")
    if len(value) > MOST_CHARACTERS:
        raise InputError(f"The {label} is too long: at most {MOST_CHARACTERS} characters can be given.")
    if HALF in sendable(value):
        raise InputError(f"The {label} holds half a character, as after a text was cut: write it anew.")
    return value
