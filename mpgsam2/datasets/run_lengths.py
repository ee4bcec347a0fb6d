"""`mask_dict.json` of MeViS: the run lengths of every annotation, read one annotation at a time.

The file of the training split is far larger than an index should be in memory. So it is gone through once, to note
where each annotation's list begins and ends, and such a list is read when it is asked for.
"""

from __future__ import annotations

import json
import mmap
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from mpgsam2.errors import InputError
from mpgsam2.export.rle import rle_decode

_MAX_SIDE = 1 << 14  # pixels of a mask
_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}]', re.DOTALL)


class MaskDict:
    """The annotations of a `mask_dict.json`: `{anno_id: [run lengths of frame 0, 1, …, or null]}`.

    Args:
        path: the file.
        name: what refusals call it.

    Raises:
        InputError: it is missing, cannot be read, or is not such a file.
    """

    def __init__(self, path: Path, name: str) -> None:
        self._path, self._name = path, name
        try:
            with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                self._spans = dict(self._find(content))
        except FileNotFoundError:
            raise InputError(f"“{name}” is missing: give the data set as it was released.") from None
        except OSError as error:
            raise InputError(f"“{name}” cannot be read ({error.strerror}).") from error
        except ValueError:  # nothing to map, or a key that is not JSON
            raise self._broken() from None

    def read(self, annotation: int) -> list[Any]:
        """Return an annotation's run lengths, frame by frame, each with its `size`; None where there is nothing of it.

        Raises:
            InputError: the file has no such annotation, or what it has is broken.
        """
        span = self._spans.get(str(annotation))
        if span is None:
            raise InputError(
                f"“{self._name}” lacks annotation {annotation}, which a sentence names: download it again."
            )
        try:
            with self._path.open("rb") as file:
                file.seek(span[0])
                track = json.loads(file.read(span[1] - span[0]))
        except OSError as error:
            raise InputError(f"“{self._name}” cannot be read ({error.strerror}).") from error
        except ValueError:
            raise self._broken(annotation) from None
        if not isinstance(track, list) or not all(
            run_lengths is None or _is_sized(run_lengths) for run_lengths in track
        ):
            raise self._broken(annotation)
        return track

    def decode(self, run_lengths: Any, annotation: int) -> np.ndarray:
        """Return a frame's run lengths, COCO's compressed or plain ones, as a (H, W) bool mask.

        Args:
            run_lengths: an item, other than None, of what `read` returned.
            annotation: whose it is, for the refusal.

        Raises:
            InputError: they are broken.
        """
        try:
            return rle_decode(run_lengths)
        except (AttributeError, IndexError, KeyError, MemoryError, OverflowError, TypeError, ValueError):
            raise self._broken(annotation) from None

    def _find(self, content: mmap.mmap) -> Iterator[tuple[str, tuple[int, int]]]:
        """Yield where the list of each annotation lies, as (annotation, (first byte, end))."""
        depth, key, start = 0, "", 0
        for token in _TOKEN.finditer(content):
            match token[0]:
                case b"[" | b"{":
                    depth += 1
                    if depth == 2:
                        start = token.start()
                case b"]" | b"}":
                    depth -= 1
                    if depth == 1:
                        yield key, (start, token.end())
                case text if depth == 1:
                    key = json.loads(text)
        if depth or not start:
            raise ValueError

    def _broken(self, annotation: int | None = None) -> InputError:
        where = "" if annotation is None else f" at annotation {annotation}"
        return InputError(f"“{self._name}” is broken{where}: download it again.")


def _is_sized(run_lengths: Any) -> bool:
    """Return whether these are run lengths of a mask of a sensible size."""
    size = run_lengths.get("size") if isinstance(run_lengths, dict) else None
    return (
        isinstance(size, list)
        and len(size) == 2
        and all(isinstance(side, int) and 0 < side <= _MAX_SIDE for side in size)
    )
