"""Parts of a sequence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def batches(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Return the items, `size` of them at a time; the last batch may be smaller."""
    return (items[start : start + size] for start in range(0, len(items), size))
