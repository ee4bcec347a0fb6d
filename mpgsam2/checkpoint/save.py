"""A network into a folder that can be loaded, or pushed to the hub as it is."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor

from mpgsam2.checkpoint.names import CONFIG_FILE, WEIGHTS_FILE
from mpgsam2.checkpoint.tokenizer import WORDS_FILE
from mpgsam2.errors import InputError
from mpgsam2.inference.config import InferenceConfig
from mpgsam2.inference.segmenter import Segmenter
from mpgsam2.inference.tokenizer import Tokenizer
from mpgsam2.network.config import ModelConfig

MODEL_TYPE = "mpgsam2"
"""What `config.json` calls networks like this one; `mpgsam2.checkpoint.auto_model` registers it."""


def save_checkpoint(
    model: Segmenter,
    folder: str | Path,
    dtype: torch.dtype = torch.float32,
    weights: Mapping[str, Tensor] | None = None,
) -> None:
    """Write a folder that `load_model` and transformers' `AutoModel` read: weights, `config.json` and the vocabulary.

    Args:
        model: the network, its words, and how it is asked.
        folder: made if it is not there; an older checkpoint in it is replaced.
        dtype: of the tensors in the file; float16 halves it.
        weights: in place of the network's own, by name.
    """
    weights = model.state_dict() if weights is None else weights
    save_parts(weights, model.config, model.inference, model.tokenizer, Path(folder), dtype)


def save_parts(
    weights: Mapping[str, Tensor],
    config: ModelConfig,
    inference: InferenceConfig,
    tokenizer: Tokenizer | None,
    folder: Path,
    dtype: torch.dtype = torch.float32,
) -> None:
    """Save as `save_checkpoint` does, also a network that has no words: then `load_model` does not read it."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {name: tensor.detach().to("cpu", dtype).contiguous() for name, tensor in weights.items()}
    unfinished = folder / (WEIGHTS_FILE + ".part")
    safetensors.torch.save_file(tensors, unfinished, metadata={"format": "pt"})  # as transformers marks its own
    os.replace(unfinished, folder / WEIGHTS_FILE)  # whoever stops in between keeps the older one whole
    kind = {"model_type": MODEL_TYPE, "architectures": ["MPGSAM2Model"]}
    settings = {**kind, **config.to_dict(), **inference.to_settings()}
    (folder / CONFIG_FILE).write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
    if tokenizer is not None:
        tokenizer.save(folder)


def check_replaceable(folder: str | Path) -> None:
    """Raise `InputError` if `save_checkpoint` of nano would replace files in a folder that are no nano checkpoint's."""
    folder = Path(folder)
    there = [name for name in (WEIGHTS_FILE, CONFIG_FILE, WORDS_FILE) if (folder / name).exists()]
    if 0 < len(there) < 3:
        raise InputError(f"“{folder.name}” holds “{there[0]}”, which is no nano checkpoint's: choose another folder.")
