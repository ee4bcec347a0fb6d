"""A trained nano in a network of present sizes: what it learned stays, what it lacks begins anew."""

from __future__ import annotations

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor

from mpgsam2.checkpoint.tokenizer import WordTokenizer
from mpgsam2.inference.segmenter import Segmenter
from mpgsam2.network.beit3 import UNKNOWN

_WORDS = "mm_extractor.beit3.text_embed.weight"
_POSITIONS = "mm_extractor.beit3.encoder.embed_positions.A.weight"
_ROWS_BEFORE_PATCHES = 3  # of the position table: two that are unused, and the class token's
_LAYER = "mm_extractor.beit3.encoder.layers.{}."
_LAST_OF_LAYER = ("self_attn.out_proj.{}.weight", "self_attn.out_proj.{}.bias", "ffn.{}.fc2.weight", "ffn.{}.fc2.bias")


def grown(shipped: Segmenter, model: Segmenter) -> dict[str, Tensor]:
    """Return the weights of one network for another.

    Words keep their rows, and words that only `model` knows have fresh ones; patches' positions are interpolated to its
    grid; encoder layers that the older network has not change nothing at first.

    Args:
        shipped: the older network.
        model: of the same kind, at least as deep, other sizes alike but the encoder's grid.

    Returns:
        A state dictionary for `model`.
    """
    weights, fresh = shipped.state_dict(), model.state_dict()
    words = cast(WordTokenizer, model.tokenizer).words
    table = fresh[_WORDS].clone()
    table[: UNKNOWN + 1] = weights[_WORDS][: UNKNOWN + 1]
    for word in words:
        if not shipped.tokenizer.unknown_words(word):
            table[model.tokenizer.encode(word)[1]] = weights[_WORDS][shipped.tokenizer.encode(word)[1]]
    weights[_WORDS] = table

    old, new = shipped.config.encoder, model.config.encoder
    rows = weights[_POSITIONS]
    patches = rows[_ROWS_BEFORE_PATCHES:].T.unflatten(1, (old.grid, old.grid))[None]
    patches = F.interpolate(patches, (new.grid, new.grid), mode="bilinear", align_corners=False)
    weights[_POSITIONS] = torch.cat([rows[:_ROWS_BEFORE_PATCHES], patches[0].flatten(1).T])

    for depth in range(old.depth, new.depth):
        layer = _LAYER.format(depth)
        weights |= {name: tensor.clone() for name, tensor in fresh.items() if name.startswith(layer)}
        for name in _LAST_OF_LAYER:
            for half in "AB":
                weights[layer + name.format(half)].zero_()
    return weights
