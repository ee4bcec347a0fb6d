"""The order in which people count: 2.png before 10.png."""

from __future__ import annotations

import re


def natural_order(name: str) -> list[tuple[int, str, str]]:
    """Return the key to sort names by, in which a number counts as a number however many digits it has."""
    parts = re.split(r"(\d+)", name)
    return [(len(part.lstrip("0")), part.lstrip("0"), part) if part.isdecimal() else (0, "", part) for part in parts]
