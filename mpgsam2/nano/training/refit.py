"""After training of the prior alone: tell the tracker what it was told before, in closed form.

The tracker reads what `meo_linear`, `text_feat_linear` and `text_hidden_fcs` make of the encoder's tokens. Where the
encoder is trained without the tracker, these no longer mean what they did, and the tracker has to learn to read anew.
Ridge regression from the new tokens to what the old layers made of the old ones spares it that.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from typing import cast

import torch
from torch import Tensor, nn

from mpgsam2.inference.segmenter import Segmenter
from mpgsam2.nano.synthetic import SyntheticClip
from mpgsam2.network.model import MPGSAM2

_RIDGE = 1e-3  # of the mean variance of the inputs
_SENTENCES_PER_CLIP = 3


def refit(model: Segmenter, before: Segmenter, clips: Iterable[SyntheticClip]) -> None:
    """Fit the layers whose outputs the tracker reads to those of the network before, and change them in place.

    Args:
        model: whose encoder was trained.
        before: the network as it was then, of the same sizes and words.
        clips: whose sentences the network before understood; at least one.
    """
    given, wanted = _Recorder(model.network), _Recorder(before.network)
    with given, wanted:
        for clip in clips:
            for expression in clip.expressions[:_SENTENCES_PER_CLIP]:
                ids = model.tokenizer.encode(expression.text)
                model.encode_clip(clip.frames, ids)
                before.encode_clip(clip.frames, ids)
    for layer, inputs, outputs in zip(given.layers, given.inputs, wanted.outputs, strict=True):
        weight, bias = _ridge(torch.cat(inputs), torch.cat(outputs))
        with torch.no_grad():
            layer.weight.copy_(weight)
            layer.bias.copy_(bias)


class _Recorder(ExitStack):
    """Keeps what goes through a network's last layers before the tracker, as long as it is open."""

    def __init__(self, network: MPGSAM2) -> None:
        super().__init__()
        last = cast(nn.Sequential, network.text_hidden_fcs[0])[-1]
        self.layers: tuple[nn.Linear, ...] = (network.meo_linear, network.text_feat_linear, cast(nn.Linear, last))
        self.inputs: list[list[Tensor]] = [[] for _ in self.layers]
        self.outputs: list[list[Tensor]] = [[] for _ in self.layers]
        for number, layer in enumerate(self.layers):
            handle = layer.register_forward_hook(
                lambda _, given, made, number=number: self._keep(number, given[0], made)
            )
            self.callback(handle.remove)

    def _keep(self, number: int, given: Tensor, made: Tensor) -> None:
        self.inputs[number].append(given.flatten(0, -2).double())
        self.outputs[number].append(made.flatten(0, -2).double())


def _ridge(inputs: Tensor, outputs: Tensor) -> tuple[Tensor, Tensor]:
    """Return weight (c' × c) and bias (c') of the linear layer that best makes N × c' of N × c."""
    middle, aim = inputs.mean(dim=0), outputs.mean(dim=0)
    centred = inputs - middle
    products = centred.T @ centred
    products.diagonal().add_(_RIDGE * products.diagonal().mean())
    weight = torch.linalg.solve(products, centred.T @ (outputs - aim)).T
    return weight, aim - weight @ middle
