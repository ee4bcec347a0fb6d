"""The network as it was first written: the reference that every faster way is held against."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch
from sam2.modeling.backbones.hieradet import Hiera
from sam2.modeling.sam.transformer import RoPEAttention
from torch import Tensor

from mpgsam2.network.hiera import StripwiseHiera
from mpgsam2.network.memory_attention import MemoryCrossAttention
from mpgsam2.network.model import MPGSAM2
from mpgsam2.network.tracker import ImageFeatures, Tracker
from mpgsam2.speed.replace import replaced


@contextmanager
def plain(net: MPGSAM2) -> Iterator[None]:
    """Within this context a network is in float32, not TF32, and SAM 2's modules compute as its package has them, none
    of them split up or put in one."""
    with ExitStack() as ways:
        ways.callback(setattr, net, "dtype", net.dtype)
        ways.callback(torch.set_float32_matmul_precision, torch.get_float32_matmul_precision())
        net.dtype = torch.float32
        torch.set_float32_matmul_precision("highest")
        ways.enter_context(replaced(StripwiseHiera, "forward", Hiera.forward))
        ways.enter_context(replaced(StripwiseHiera, "_get_pos_embed", Hiera._get_pos_embed))
        ways.enter_context(replaced(MemoryCrossAttention, "forward", RoPEAttention.forward))
        ways.enter_context(replaced(Tracker, "image_features", _image_features))
        yield


def _image_features(tracker: Tracker, images: Tensor) -> ImageFeatures:
    encoded = tracker.image_encoder(images)
    level0, level1, level2 = encoded["backbone_fpn"]
    decoder = tracker.sam_mask_decoder
    return ImageFeatures(decoder.conv_s0(level0), decoder.conv_s1(level1), level2, encoded["vision_pos_enc"][-1])
