"""Putting another function in a method's place for a while."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def replaced(kind: type, name: str, method: Callable[..., Any]) -> Iterator[None]:
    """Within this context `kind.name` is `method`, for every object of that class."""
    own = kind.__dict__.get(name)
    setattr(kind, name, method)
    try:
        yield
    finally:
        if own is None:  # it was inherited
            delattr(kind, name)
        else:
            setattr(kind, name, own)
