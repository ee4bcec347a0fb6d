"""Attention with rotary position encoding, SAM 2's, that touches no device while it is built."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from sam2.modeling.position_encoding import compute_axial_cis
from sam2.modeling.sam.transformer import Attention, RoPEAttention
from torch import Tensor

from mpgsam2.network.ways import is_plain

_THETA = 10000.0  # SAM 2's


class RotaryAttention(RoPEAttention):
    """SAM 2's attention; its table of turns is a buffer, which goes where the module goes and is in no checkpoint.

    SAM 2's own constructor puts the table on a GPU wherever one is seen, while the weights are made elsewhere. Neither
    can a layer that lies on two devices be copied, as SAM 2 does with it, nor may a GPU that is only lent, as
    ZeroGPU's, be touched before it is there.
    """

    def __init__(
        self, width: int, *, feat_sizes: tuple[int, int], rope_k_repeat: bool = False, **attention: Any
    ) -> None:
        """Build the layer.

        Args:
            width: of queries, c.
            feat_sizes: width and height of the feature map, places.
            rope_k_repeat: whether keys are of several feature maps, one after the other.
            attention: what SAM 2's `Attention` takes besides.
        """
        Attention.__init__(self, width, **attention)
        self.rope_k_repeat = rope_k_repeat
        with torch.device("cpu"):  # also where the weights are made on the meta device
            turns = self.compute_cis(*feat_sizes)
        self.register_buffer("freqs_cis", turns, persistent=False)

    def forward(self, q: Tensor, k: Tensor, v: Tensor, num_k_exclude_rope: int = 0) -> Tensor:
        """Attend as SAM 2 does; where all has the usual size and a processor computes, nothing is copied to turn it."""
        usual = self.num_heads == 1 and q.shape[1] == k.shape[1] == len(self.freqs_cis) and not num_k_exclude_rope
        if not usual or not in_place(q):
            return super().forward(q, k, v, num_k_exclude_rope)
        query, key = self.q_proj(q), self.k_proj(k)
        for x in (query, key):
            turn(x, self.freqs_cis)
        attended = F.scaled_dot_product_attention(*(x[:, None] for x in (query, key, self.v_proj(v))))
        return self.out_proj(attended.squeeze(1))

    def compute_cis(self, end_x: int, end_y: int) -> torch.Tensor:
        """Return the turns of the places of a feature map: end_x·end_y × c/(2·heads), complex64."""
        with torch.inference_mode(False):  # kept, so that a network that has answered can still learn
            return compute_axial_cis(self.internal_dim // self.num_heads, end_x, end_y, _THETA)


def in_place(x: Tensor) -> bool:
    """Return whether what was projected from `x` may be turned in place: float32 on a processor, nothing to learn."""
    return x.is_cpu and not (is_plain() or torch.is_grad_enabled() or torch.is_autocast_enabled("cpu"))


def turn(x: Tensor, turns: Tensor) -> None:
    """Rotate in place: B × n·hw × c, as n frames of hw places; turns hw × c/2, complex."""
    torch.view_as_complex(x.unflatten(-1, (-1, 2))).unflatten(1, (-1, len(turns))).mul_(turns)
