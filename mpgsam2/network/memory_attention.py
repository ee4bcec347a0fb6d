"""Attention from a frame to its memories, SAM 2's (5.2), without what it computes in vain on a processor."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from mpgsam2.network.rotary import RotaryAttention
from mpgsam2.network.ways import is_plain

_QUERIES, _KEYS = 512, 1024  # of a block of scores, which the processor's cache is to hold


class MemoryCrossAttention(RotaryAttention):
    """SAM 2's cross-attention with one head, whose values are weighted as they were stored and then projected.

    The weights of a query sum up to 1, so `softmax(q kᵀ) (m W + b) = (softmax(q kᵀ) m) W + b`. Memories m are a quarter
    as wide as what they are projected to, and frames have fewer places than memories: the second product takes a
    quarter of the operations, the projection still less. SAM 2's own way stays for training, and where one fused kernel
    does it all faster: on a GPU and in bfloat16.
    """

    def forward(self, q: Tensor, k: Tensor, v: Tensor, num_k_exclude_rope: int = 0) -> Tensor:
        """Attend from B × Q × c to B × S × m; B × Q × c. The last `num_k_exclude_rope` keys have no place."""
        if is_plain() or q.device.type != "cpu" or torch.is_grad_enabled() or torch.is_autocast_enabled("cpu"):
            return super().forward(q, k, v, num_k_exclude_rope)
        query, key = self.q_proj(q), self.k_proj(k)
        rotate(query, self.freqs_cis)
        rotate(key[:, : key.shape[1] - num_k_exclude_rope], self.freqs_cis)
        return self.out_proj(self.v_proj(attend(query, key, v)))


def attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """`softmax(q kᵀ / √c) v` in blocks, for values of another width than queries and keys.

    Args:
        query: B × Q × c.
        key: B × S × c.
        value: B × S × m.

    Returns:
        B × Q × m.
    """
    memory = list(zip(key.split(_KEYS, dim=1), value.split(_KEYS, dim=1), strict=True))
    query = query * query.shape[-1] ** -0.5
    return torch.cat([_attend(block, memory) for block in query.split(_QUERIES, dim=1)], dim=1)


def _attend(query: Tensor, memory: Sequence[tuple[Tensor, Tensor]]) -> Tensor:
    """Online softmax (Milakov and Gimelshein, 2018): sums so far fade as a larger score comes up."""
    largest = query.new_full((*query.shape[:2], 1), -torch.inf)
    total = weighted = torch.zeros_like(largest)
    for key, value in memory:
        scores = query @ key.mT
        larger = torch.maximum(largest, scores.amax(dim=-1, keepdim=True))
        weights, fade = scores.sub_(larger).exp_(), (largest - larger).exp()
        total = total * fade + weights.sum(dim=-1, keepdim=True)
        weighted = weighted * fade + weights @ value
        largest = larger
    return weighted / total


def rotate(x: Tensor, turns: Tensor) -> None:
    """Rotary position encoding in place: B × n·hw × c, as n frames of hw places; turns hw × c/2, complex."""
    torch.view_as_complex(x.unflatten(-1, (-1, 2))).unflatten(1, (-1, len(turns))).mul_(turns)
