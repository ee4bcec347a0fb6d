"""Where drawings and photographs come from, and which of them training never shows."""

from __future__ import annotations

STYLES = ("noto", "twemoji", "emojione", "openmoji", "fluent-emoji")
"""The icon sets, by the names of their npm packages, `@iconify-json/…`."""

HELD_OUT_STYLES = ("fluent-emoji",)
TRAINED_STYLES = tuple(style for style in STYLES if style not in HELD_OUT_STYLES)

# Landscapes, surfaces and patterns: nothing in them goes by the name of a noun.
_MATE = ("Aqua", "Blinds", "Dune", "GreenMeadow", "Storm", "Wood")
_PLASMA = (
    *("BytheWater", "Canopee", "Cascade", "Cluster", "ColdRipple", "DarkestHour", "Elarun", "Flow", "Grey"),
    *("Honeywave", "IceCold", "Kay", "Kokkini", "MilkyWay", "OneStandsOut", "Opal", "PastelHills", "Patak"),
    *("Shell", "Volna", "summer_1am"),
)
PHOTOGRAPHS = {name: f"usr/share/backgrounds/mate/nature/{name}.jpg" for name in _MATE} | {
    name: f"usr/share/wallpapers/{name}/contents/images/*x*" for name in _PLASMA
}
"""Names, and where the packages have them; of several sizes the first in order of their names that is wide enough."""

HELD_OUT_PHOTOGRAPHS = ("Aqua", "BytheWater", "GreenMeadow", "Kokkini")
TRAINED_PHOTOGRAPHS = tuple(sorted(PHOTOGRAPHS.keys() - set(HELD_OUT_PHOTOGRAPHS)))
