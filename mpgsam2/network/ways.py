"""Fast ways and plain ways to the same result: one switch for all of them.

The fast ones are those that are used. The plain ones are SAM 2's modules as its package has them, none of them split up
or put in one: what every faster way is held against.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

_plain = False


def is_plain() -> bool:
    """Return whether networks compute in the plain ways now."""
    return _plain


@contextmanager
def plain_ways() -> Iterator[None]:
    """Let every network compute in the plain ways within this context."""
    global _plain
    before, _plain = _plain, True
    try:
        yield
    finally:
        _plain = before
