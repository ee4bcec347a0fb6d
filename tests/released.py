"""Small data sets in the layouts in which the real ones were released."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

Expressions = Mapping[str, Mapping[str, Any]]


def write_json(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")


def write_index(path: Path, videos: Mapping[str, tuple[Sequence[str], Expressions]]) -> None:
    """A `meta_expressions.json` of videos with frames and expressions."""
    content = {
        name: {"expressions": expressions, "frames": list(frames)} for name, (frames, expressions) in videos.items()
    }
    write_json(path, {"videos": content})


def write_png(path: Path, values: np.ndarray, palette: bool = False) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.fromarray(values.astype(np.uint8))
    if palette:
        picture.putpalette([7 * i % 256 for i in range(768)])
    picture.save(path)


def write_jpg(path: Path, frame: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(frame).save(path, quality=95)


def run_lengths(mask: np.ndarray) -> dict[str, Any]:
    """COCO's plain run lengths, written down column by column."""
    counts, value = [0], False
    for pixel in mask.T.ravel().tolist():
        if pixel != value:
            counts.append(0)
            value = pixel
        counts[-1] += 1
    return {"size": list(mask.shape), "counts": counts}


def noise(seed: int, size: tuple[int, int] = (12, 16)) -> np.ndarray:
    """A frame of an even colour that differs from seed to seed."""
    return np.full((*size, 3), np.random.default_rng(seed).integers(0, 255, 3), np.uint8)


def box(size: tuple[int, int], top: int, left: int, bottom: int, right: int) -> np.ndarray:
    mask = np.zeros(size, bool)
    mask[top:bottom, left:right] = True
    return mask
