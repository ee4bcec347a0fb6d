"""A checkpoint's files into a model that is ready."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from mpgsam2.checkpoint.find import find
from mpgsam2.checkpoint.names import CONFIG_FILE
from mpgsam2.checkpoint.published import says_mevis
from mpgsam2.checkpoint.read import read_json, read_weights
from mpgsam2.checkpoint.tokenizer import load_tokenizer
from mpgsam2.errors import InputError
from mpgsam2.inference.config import InferenceConfig
from mpgsam2.inference.segmenter import Segmenter
from mpgsam2.network.config import ModelConfig
from mpgsam2.network.fingerprint import fingerprint
from mpgsam2.network.model import MPGSAM2

MEVIS_WINDOW = 24
"""Frames that a checkpoint trained on MeViS takes at once (network.md 6); the others take the whole clip."""

_log = logging.getLogger(__name__)


def load_model(
    name: str | Path = "nano", device: str | torch.device = "cpu", dtype: torch.dtype = torch.float32
) -> Segmenter:
    """Find, read and load a checkpoint.

    The weights are mapped from their file, not copied: they come into memory once, as they are used. What goes on is
    logged, and downloads show progress bars.

    Args:
        name: "nano" (comes with this package); one of `SHORT_NAMES` (downloaded when first used); a folder; a file of
            weights; or a hub id, "owner/repository" or "owner/repository/subfolder".
        device: where the network goes.
        dtype: of its matrix products, float32 or bfloat16, see `MPGSAM2.dtype`.

    Returns:
        The network with weights in float32, ready to be asked. Its window is what `config.json` says, else 24 for a
        checkpoint with "mevis" in its name, else none; windows follow each other unless `config.json` says that they
        are interleaved.

    Raises:
        InputError: there is no such checkpoint, it cannot be reached or read, its tensors are not those of this
            network, or there is no such device.
    """
    return load(name, device, dtype)


def load(
    name: str | Path,
    device: str | torch.device = "cpu",
    dtype: torch.dtype = torch.float32,
    *,
    kind: type[MPGSAM2] = MPGSAM2,
    settings: Mapping[str, Any] | None = None,
    **hub_options: Any,
) -> Segmenter:
    """Load as `load_model` does, with a choice of more.

    Args:
        name, device, dtype: see `load_model`.
        kind: class of the network.
        settings: in place of what `config.json` says.
        hub_options: of `huggingface_hub.snapshot_download`, such as `revision` and `token`.
    """
    start = time.monotonic()
    _check_device(device)
    checkpoint = find(name, **hub_options)
    _log.info("%s: reading %s", checkpoint.name, checkpoint.weights.name)
    tokenizer = load_tokenizer(checkpoint.vocabulary)
    if settings is None:
        settings = read_json(checkpoint.weights.with_name(CONFIG_FILE))
    # The published config.json is another program's; sizes are then read off the tensors.
    config = ModelConfig.from_dict(settings) if "tracker" in settings else None
    if "window" not in settings and says_mevis(checkpoint.words):
        settings = {**settings, "window": MEVIS_WINDOW}
    inference = InferenceConfig.from_settings(settings, dtype)

    network = kind.from_state_dict(read_weights(checkpoint.weights), config, assign=True)
    if torch.device(device).type != "cpu":
        _log.info("%s: going to %s", checkpoint.name, device)
        fingerprint(network)  # now, since a GPU that is only lent does not give weights back to who put them there
    model = Segmenter(network.to(device), tokenizer, checkpoint.name, inference)
    size = sum(tensor.nbytes for tensor in network.state_dict().values())
    _log.info("%s: ready, %.1f GB of weights in %.1f s", checkpoint.name, size / 1e9, time.monotonic() - start)
    return model


def _check_device(device: str | torch.device) -> None:
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise InputError(f"There is no device {str(device)!r} on this machine: use 'cpu'.") from error
