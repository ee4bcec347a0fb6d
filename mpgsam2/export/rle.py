"""Masks as COCO's run lengths, as pycocotools writes and reads them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np


def rle_encode(mask: np.ndarray) -> dict[str, Any]:
    """Return a (H, W) bool mask as COCO's compressed run lengths, {"size": [H, W], "counts": str}, like pycocotools.

    Runs go down the columns, off and on by turns, beginning with off. From the fourth on, a run is stored as its
    difference to the one two before; each number as groups of five bits, lowest first, in characters from "0" on whose
    sixth bit says that more follow (rleToString in COCO's maskApi.c).
    """
    pixels = np.asarray(mask, bool).ravel(order="F")
    changes = np.flatnonzero(np.diff(pixels, prepend=False))
    runs = np.diff(changes, prepend=0, append=pixels.size)
    runs[3:] -= runs[1:-2].copy()
    characters = bytearray()
    for number in runs.tolist():
        more = True
        while more:
            bits, number = number & 31, number >> 5
            more = number != (-1 if bits & 16 else 0)
            characters.append(48 + bits + 32 * more)
    return {"size": list(mask.shape), "counts": characters.decode("ascii")}


def rle_decode(rle: Mapping[str, Any]) -> np.ndarray:
    """Return the (H, W) bool mask of COCO's run lengths: compressed ones, as `rle_encode` makes them, or a plain list.

    Raises:
        ValueError: the runs do not add up to the size.
    """
    counts = rle["counts"]
    runs = counts if isinstance(counts, list) else _decompressed(counts)
    height, width = rle["size"]
    if sum(runs) != height * width:
        raise ValueError(f"runs of {sum(runs)} pixels in a mask of {height} × {width}")
    return np.repeat(np.arange(len(runs)) % 2 == 1, runs).reshape((height, width), order="F")


def _decompressed(counts: str) -> list[int]:
    runs: list[int] = []
    number = shift = 0
    for character in counts.encode("ascii"):
        bits = character - 48
        number |= (bits & 31) << shift
        shift += 5
        if not bits & 32:
            if bits & 16:
                number -= 1 << shift
            runs.append(number + (runs[-2] if len(runs) > 2 else 0))
            number = shift = 0
    return runs
