"""The colours in which objects are marked."""

from __future__ import annotations

Colour = tuple[int, int, int]
"""RGB, each 0..255."""

_OKABE_ITO: dict[str, Colour] = {
    "sky blue": (86, 180, 233),
    "orange": (230, 159, 0),
    "bluish green": (0, 158, 115),
    "reddish purple": (204, 121, 167),
    "yellow": (240, 228, 66),
    "blue": (0, 114, 178),
    "vermilion": (213, 94, 0),
}

PALETTE = tuple(_OKABE_ITO.values())
"""One colour per object: Okabe and Ito, "Color Universal Design" (2008), without their black."""

PALETTE_NAMES = tuple(_OKABE_ITO)
"""What they call them."""
