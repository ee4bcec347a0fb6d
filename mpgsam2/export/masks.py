"""The masks of all queries and frames in one JSON file, written frame by frame so that none is held."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from mpgsam2.export.files import unfinished
from mpgsam2.export.rle import rle_encode


class MaskFile:
    """Writes `{"frames": [{"index": 0, "source_index": 0, "A": {"size": [H, W], "counts": "…"}, "B": …}, …]}`.

    A context manager: the file appears under its name when the block ends, and not at all if the block raises.

    Args:
        path: the file; an older one is replaced.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = unfinished(path).open("w", encoding="ascii")
        self._separator = '{"frames": [\n'

    def add(self, index: int, source_index: int, masks: Mapping[str, np.ndarray]) -> None:
        """Append a frame.

        Args:
            index: of the frame in the run.
            source_index: of the frame in the clip.
            masks: per letter of a query (H, W) bool.
        """
        frame = {
            "index": index,
            "source_index": source_index,
            **{letter: rle_encode(mask) for letter, mask in masks.items()},
        }
        self._file.write(self._separator + json.dumps(frame))
        self._separator = ",\n"

    def __enter__(self) -> MaskFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            with self._file:
                self._file.write("\n]}\n" if self._separator == ",\n" else '{"frames": []}\n')
            if kind is None:
                unfinished(self.path).replace(self.path)
        finally:
            unfinished(self.path).unlink(missing_ok=True)
