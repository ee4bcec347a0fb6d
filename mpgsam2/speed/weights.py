"""Weights by rule, for sizes of which no checkpoint is at hand: time and memory do not depend on what they say."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence

import numpy as np
import torch

from mpgsam2.checkpoint import load_model
from mpgsam2.inference.segmenter import Segmenter
from mpgsam2.network.config import PRESETS
from mpgsam2.network.initialisation import SkipInitialisation
from mpgsam2.network.model import MPGSAM2

_OBJECT_BIAS = "visual_model.sam_mask_decoder.pred_obj_score_head.layers.2.bias"
_PRESENCE_LOGIT = 5.0  # the object is in every frame, as in the reference arrays


def load_or_make(name: str, device: str = "cpu") -> Segmenter:
    """Load a checkpoint; for the presets that come without one, make one by rule.

    Args:
        name: "nano" or anything else that `load_model` takes; or another of `PRESETS`, which then has nano's vocabulary
            and takes the whole clip at once.
        device: where the network goes.

    Raises:
        InputError: there is no such checkpoint, or no such device.
    """
    nano = load_model("nano" if name in PRESETS else name, device)
    if name == "nano" or name not in PRESETS:
        return nano
    with SkipInitialisation():
        shapes = {key: tensor.shape for key, tensor in MPGSAM2(PRESETS[name]).state_dict().items()}
    weights = weights_by_rule(shapes, object_bias=_PRESENCE_LOGIT)
    network = MPGSAM2.from_state_dict(weights, PRESETS[name], assign=True)
    return Segmenter(network.to(device), nano.tokenizer, name)


def weights_by_rule(
    shapes: Mapping[str, Sequence[int]], seed: int = 0, object_bias: float = 0.0
) -> dict[str, torch.Tensor]:
    """Return weights that anybody can make again from the tensors' names alone (network.md 9).

    Args:
        shapes: of every tensor, by name.
        seed: other seeds give other weights.
        object_bias: of the object score: above 0 the object tends to be present.
    """
    weights = {}
    for name, shape in shapes.items():
        random = np.random.RandomState((zlib.crc32(name.encode()) ^ seed) & 0xFFFFFFFF)
        x = random.standard_normal(int(np.prod(shape))).astype(np.float32).reshape(shape)
        if x.ndim >= 2:
            x /= np.float32(np.sqrt(np.prod(shape[1:])))
        else:
            x = 1 + np.float32(0.1) * x if name.endswith("weight") else np.float32(0.02) * x
        weights[name] = torch.from_numpy(x)
    weights[_OBJECT_BIAS].fill_(object_bias)
    return weights
