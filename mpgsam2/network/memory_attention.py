"""Attention from a frame to its memories, SAM 2's (5.2), without what it computes in vain on a processor."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from sam2.modeling.memory_attention import MemoryAttention
from torch import Tensor

from mpgsam2.network.rotary import RotaryAttention, in_place, turn

_QUERIES, _KEYS = 512, 1024  # of a block of scores, which the processor's cache is to hold
_SCORES_WITHOUT_BLOCKS = 2**19


class MemoryCrossAttention(RotaryAttention):
    """SAM 2's cross-attention with one head, whose values are weighted as they were stored and then projected.

    The weights of a query sum up to 1, so `softmax(q kᵀ) (m W + b) = (softmax(q kᵀ) m) W + b`. Memories m are a quarter
    as wide as what they are projected to, and frames have fewer places than memories: the second product takes a
    quarter of the operations, the projection still less. SAM 2's own way stays for training, and where one fused kernel
    does it all faster: on a GPU and in bfloat16.
    """

    def forward(self, q: Tensor, k: Tensor, v: Tensor, num_k_exclude_rope: int = 0) -> Tensor:
        """Attend from B × Q × c to B × S × m; B × Q × c. The last `num_k_exclude_rope` keys have no place."""
        if not in_place(q):
            return super().forward(q, k, v, num_k_exclude_rope)
        query, key = self.q_proj(q), self.k_proj(k)
        turn(query, self.freqs_cis)
        turn(key[:, : key.shape[1] - num_k_exclude_rope], self.freqs_cis)
        return self.out_proj(self.v_proj(attend(query, key, v)))


class SharingMemoryAttention(MemoryAttention):
    """SAM 2's memory attention in two steps, the first of which needs only the image.

    Its first layer begins with self-attention. All sentences that are asked of an image share that, and it can be done
    while the frame before is still at work.
    """

    def begin(self, x: Tensor, position: Tensor) -> Tensor:
        """Turn an image's features (B × hw × c) and their position into what the first layer asks memories with."""
        return self.layers[0]._forward_sa(x + 0.1 * position, None)

    def forward(self, begun: Tensor, memory: Tensor, position: Tensor, pointers: int) -> Tensor:
        """Go on with what `begin` returned.

        Args:
            begun: B × hw × c.
            memory: B × S × m.
            position: 1 × S × m.
            pointers: how many of the last memories are object pointers, which have no place in the image.

        Returns:
            B × hw × c.
        """
        x = begun
        for number, layer in enumerate(self.layers):
            if number:
                x = layer._forward_sa(x, None)
            x = layer._forward_ca(x, memory, None, position, pointers)
            x = x + layer.linear2(layer.activation(layer.linear1(layer.norm3(x))))
        return self.norm(x)


def attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Compute `softmax(q kᵀ / √c) v` in blocks, for values of another width than queries and keys.

    Args:
        query: B × Q × c.
        key: B × S × c.
        value: B × S × m.

    Returns:
        B × Q × m.
    """
    query = query * query.shape[-1] ** -0.5
    if query.shape[1] * key.shape[1] <= _SCORES_WITHOUT_BLOCKS:
        return (query @ key.mT).softmax(dim=-1) @ value
    memory = list(zip(key.split(_KEYS, dim=1), value.split(_KEYS, dim=1), strict=True))
    return torch.cat([_attend(block, memory) for block in query.split(_QUERIES, dim=1)], dim=1)


def _attend(query: Tensor, memory: Sequence[tuple[Tensor, Tensor]]) -> Tensor:
    """Compute the softmax online (Milakov and Gimelshein, 2018): sums so far fade as a larger score comes up."""
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
