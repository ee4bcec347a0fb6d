"""What a visitor or a program gives, which may be anything, brought to what it should be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mpgsam2.demo.frames import LIMITS
from mpgsam2.demo.quoting import HALF_CHARACTER, quoted, sendable
from mpgsam2.demo.settings import Settings
from mpgsam2.errors import InputError
from mpgsam2.inference.query import LETTERS
from mpgsam2.network.parts import Part
from mpgsam2.palette import PALETTE, PALETTE_NAMES
from mpgsam2.settings import SETTINGS, Kind, Setting

MOST_CHARACTERS = 2000
"""Of all sentences together."""

ADDRESS = "https://"
"""Stands for every address at which a file may be said to lie."""

_LARGEST_NUMBER = 10**9 - 1


def parse_file(given: Any) -> str | None:
    """Return the path of a file as Gradio hands it over, None for none.

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


def parse_settings(given: Mapping[str, Any]) -> Settings:
    """Return the settings that are given, by their names; what is missing is as usual.

    Raises:
        InputError: something is not of its kind, or far out of its range.
    """
    checked = {name: _CHECKS[SETTINGS[name].kind](SETTINGS[name], value) for name, value in given.items()}
    every = checked.get("every")
    if every and every > LIMITS.frames:
        raise InputError(f"A step of {every} frames leads beyond every clip: take at most {LIMITS.frames}.")
    return Settings(**checked)


def _whole_number(setting: Setting, value: Any) -> int | None:
    if value is None:
        return None
    sound = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _LARGEST_NUMBER
    if not sound or value != int(value):
        raise InputError(f"The {setting.noun} must be a whole number of at most nine digits; got “{quoted(value)}”.")
    return int(value)


def _number(setting: Setting, value: Any) -> float:
    least, most = setting.bounds
    if not isinstance(value, int | float) or isinstance(value, bool) or value != value:
        raise InputError(f"The {setting.name} must be a number from {least} to {most}; got “{quoted(value)}”.")
    if not least <= value <= most:
        which = f"less than minimum {least}" if value < least else f"greater than maximum {most}"
        raise InputError(f"The {setting.name} {quoted(value)} is {which}: give a number from {least} to {most}.")
    return float(value)


def _switch(setting: Setting, value: Any) -> bool:
    if not isinstance(value, bool):
        raise InputError(f"Whether there is a {setting.name} is said by true or false; got “{quoted(value)}”.")
    return value


def _parts(setting: Setting, value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list | tuple) or any(part not in tuple(Part) for part in value):
        raise InputError(f"What is switched off must be a list of any of {', '.join(Part)}.")
    return tuple(dict.fromkeys(value))


def _colours(setting: Setting, value: Any) -> tuple[int, ...]:
    numbers = list(value) if isinstance(value, list | tuple) else [] if value is None else [value]
    most = len(PALETTE)
    sound = [isinstance(n, int | float) and not isinstance(n, bool) and n in range(most + 1) for n in numbers]
    if not all(sound) or len(numbers) > len(LETTERS):
        names = ", ".join(f"{number} {name}" for number, name in enumerate(PALETTE_NAMES, 1))
        raise InputError(f"Colours are given by at most {len(LETTERS)} numbers: 0 for one that stands out, {names}.")
    return tuple(map(int, numbers))


def _text(setting: Setting, value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InputError(f"The {setting.noun} must be a text; got “{quoted(value)}”.")
    if len(value) > MOST_CHARACTERS:
        raise InputError(f"The {setting.noun} is too long: at most {MOST_CHARACTERS} characters can be given.")
    if HALF_CHARACTER in sendable(value):
        raise InputError(f"The {setting.noun} holds half a character, as after a text was cut: write it anew.")
    return value


_CHECKS: dict[Kind, Callable[[Setting, Any], Any]] = {
    Kind.TEXT: _text,
    Kind.WHOLE_NUMBER: _whole_number,
    Kind.NUMBER: _number,
    Kind.SWITCH: _switch,
    Kind.PARTS: _parts,
    Kind.COLOURS: _colours,
    Kind.FILE: lambda setting, value: parse_file(value),
}
