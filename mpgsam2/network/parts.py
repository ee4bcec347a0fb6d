"""The parts of the network that can be switched off, which is what the paper's ablations ask."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from mpgsam2.errors import InputError


class Part(str, Enum):
    """A part of the network that `without` switches off; where a part is asked for, its value does as well.

    Attributes:
        label: what the page calls it.
    """

    label: str

    PRIOR = "prior", "mask prior"
    """The dense prompt that is made of the mask prior; SAM 2's "no mask" embedding takes its place."""

    GLOBAL_CONTEXT = "global_context", "global context"
    """The fusion of the mask decoder's features with the clip's global context."""

    HISTORY = "history", "history"
    """The memory bank: every frame is treated as a first frame, with neither memories nor object pointers."""

    def __new__(cls, value: str, label: str) -> Part:
        """Make a member that is a string."""
        part = str.__new__(cls, value)
        part._value_, part.label = value, label
        return part

    def __str__(self) -> str:
        return self.value


def parts_of(without: Iterable[str]) -> frozenset[Part]:
    """Return the parts of these names.

    Raises:
        InputError: one of them names nothing that can be switched off.
    """
    named = set(without)
    if unknown := named - set(Part):
        raise InputError(f"Cannot switch off {', '.join(map(repr, sorted(unknown)))}: choose from {', '.join(Part)}.")
    return frozenset(part for part in Part if part in named)
