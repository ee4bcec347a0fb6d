"""Small data sets in the layouts in which the real ones were released."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from mpgsam2.checkpoint.tokenizer import WordTokenizer
from mpgsam2.nano.synthetic import VOCABULARY
from mpgsam2.network.config import ModelConfig
from mpgsam2.network.initialisation import SkipInitialisation
from mpgsam2.network.model import MPGSAM2
from mpgsam2.speed.weights import weights_by_rule

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


def write_parts(folder: Path, config: ModelConfig) -> tuple[Path, Path]:
    """What training starts from, with weights made by rule: BEiT-3's file and SAM 2's, and nano's vocabulary."""
    with SkipInitialisation():
        shapes = {name: tensor.shape for name, tensor in MPGSAM2(config).state_dict().items()}
    weights = weights_by_rule(shapes)
    beit3 = {name.removeprefix("mm_extractor."): x for name, x in weights.items() if name.startswith("mm_extractor.")}
    beit3["mlm_head.weight"] = torch.zeros(2, 2)  # of its pretraining
    sam2 = {
        name.removeprefix("visual_model."): x
        for name, x in weights.items()
        if name.startswith("visual_model.") and "fusion_module" not in name and "patch_linear" not in name
    }
    files = folder / "beit3_base_patch16_224.pth", folder / "sam2_hiera_tiny.pt"
    for file, tensors in zip(files, (beit3, sam2), strict=True):
        torch.save({"model": tensors}, file)
    WordTokenizer(VOCABULARY).save(folder)
    return files
