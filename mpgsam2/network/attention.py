"""Multi-head attention whose keys and values can be projected once and used many times, or never be held at all."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mpgsam2.network.ways import is_plain

_NARROW_HEAD_WIDTH = 8  # up to which torch's own attention is slow on a processor
_TOKENS_PER_BATCH = 4096  # of a feed-forward, where no gradient is asked for


class KeysValues(NamedTuple):
    """What is attended to, projected."""

    keys: Tensor  # B × heads × S × d/heads
    values: Tensor  # B × heads × S × d/heads
    mask: Tensor | None = None  # B × 1 × 1 × S, bool, False where nothing is to be attended to; None: all is


class MultiheadAttention(nn.Module):
    """Attention with the parameters of `torch.nn.MultiheadAttention` (names and shapes).

    It always runs through `scaled_dot_product_attention`, so no queries × keys matrix is held in memory. `project` is
    apart from `forward`, so that what every frame of a clip attends to is projected once per clip. Where keys and
    values are made of the same tokens of a whole clip, `by_head` and `pool` hold little beside these.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.in_proj_weight = nn.Parameter(torch.empty(3 * width, width))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * width))
        self.out_proj = nn.Linear(width, width)
        nn.init.xavier_uniform_(self.in_proj_weight)
        nn.init.zeros_(self.out_proj.bias)

    def project(self, keys: Tensor, values: Tensor) -> KeysValues:
        """Project keys and values.

        Args:
            keys, values: B × S × d.
        """
        _, key_weight, value_weight = self.in_proj_weight.chunk(3)
        _, key_bias, value_bias = self.in_proj_bias.chunk(3)
        return KeysValues(
            self._split(F.linear(keys, key_weight, key_bias)),
            self._split(F.linear(values, value_weight, value_bias)),
        )

    def forward(self, query: Tensor, keys_values: KeysValues) -> Tensor:
        """Attend from `query` (B × Q × d) to what `project` returned; B × Q × d."""
        width = query.shape[-1]
        query = self._split(F.linear(query, self.in_proj_weight[:width], self.in_proj_bias[:width]))
        narrow = query.shape[-1] <= _NARROW_HEAD_WIDTH and query.is_cpu and not (is_plain() or torch.is_grad_enabled())
        attended = (_attend_narrow if narrow else F.scaled_dot_product_attention)(query, *keys_values)
        return self.out_proj(attended.transpose(1, 2).flatten(2))

    def by_head(self, query: Tensor, memory: Tensor) -> Tensor:
        """Attend from `query` (B × Q × d) to `memory` (B × S × d), keys and values in one; B × Q × d.

        One head after the other, unless there is something to learn: projections are held for one head at a time.
        """
        if torch.is_grad_enabled():
            return self(query, self.project(memory, memory))
        weights = self.in_proj_weight.unflatten(0, (3, self.heads, -1)).unbind(1)  # of each head: 3 × d/heads × d
        biases = self.in_proj_bias.unflatten(0, (3, self.heads, -1)).unbind(1)
        output_weights = self.out_proj.weight.T.unflatten(0, (self.heads, -1))  # of each head: d/heads × d
        attended = self.out_proj.bias.repeat(*query.shape[:2], 1)
        for weight, bias, output_weight in zip(weights, biases, output_weights, strict=True):
            queries, keys, values = (
                F.linear(x, w, b)[:, None] for x, w, b in zip((query, memory, memory), weight, bias, strict=True)
            )
            head = F.scaled_dot_product_attention(queries, keys, values)
            attended.flatten(0, 1).addmm_(head.flatten(0, 2).to(attended.dtype), output_weight)
        return attended

    def pool(self, query: Tensor, memory: Tensor) -> Tensor:
        """Compute `by_head` for few queries and many memories: the queries go where the memories are, not vice versa.

        `q · (W m + b)` is `(Wᵀ q) · m` and a number that is the same for all m, and weights add up to 1, so values can
        be projected after they are summed up.
        """
        width = query.shape[-1]
        query_weight, key_weight, value_weight = self.in_proj_weight.chunk(3)
        query = self._split(F.linear(query, query_weight, self.in_proj_bias[:width]))  # B × heads × Q × d/heads
        scale = query.shape[-1] ** -0.5
        key_weight, value_weight = (w.unflatten(0, (self.heads, -1)) for w in (key_weight, value_weight))
        query = (query @ key_weight).flatten(1, 2)[:, None]  # B × 1 × heads·Q × d
        pooled = F.scaled_dot_product_attention(query, memory[:, None], memory[:, None], scale=scale)
        values = pooled.squeeze(1).unflatten(1, (self.heads, -1)) @ value_weight.mT  # B × heads × Q × d/heads
        return self.out_proj(values.transpose(1, 2).flatten(2) + self.in_proj_bias[2 * width :])

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)  # B × heads × S × d/heads


def _attend_narrow(query: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None) -> Tensor:
    """Compute `scaled_dot_product_attention`, one head after the other; each product's long side is its inner loop."""
    query = query * query.shape[-1] ** -0.5
    attended = values.new_empty(*query.shape[:2], values.shape[-1], query.shape[2])  # B × heads × d/heads × Q
    for number, of_clip in enumerate(attended):
        for head, out in enumerate(of_clip):
            scores = query[number, head] @ keys[number, head].T
            if mask is not None:
                scores.masked_fill_(~mask[number, 0], -torch.inf)
            torch.mm(values[number, head].T, scores.softmax(dim=-1).T, out=out)
    return attended.mT


class SelfAttentionLayer(nn.Module):
    """Post-norm transformer encoder layer with ReLU: `x ← LN(x + MHA(x, x, x)); x ← LN(x + FFN(x))`.

    Parameters are named as `torch.nn.TransformerEncoderLayer` names them.
    """

    def __init__(self, width: int, heads: int, feed_forward: int) -> None:
        super().__init__()
        self.self_attn = MultiheadAttention(width, heads)
        self.linear1 = nn.Linear(width, feed_forward)
        self.linear2 = nn.Linear(feed_forward, width)
        self.norm1 = nn.LayerNorm(width)
        self.norm2 = nn.LayerNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        """Map B × S × d to B × S × d."""
        attended = self.self_attn.by_head(x, x)
        if torch.is_grad_enabled():
            return self._finish(attended + x)
        for part, tokens in zip(
            attended.split(_TOKENS_PER_BATCH, dim=1), x.split(_TOKENS_PER_BATCH, dim=1), strict=True
        ):
            part.copy_(self._finish(part + tokens))
        return attended

    def _finish(self, x: Tensor) -> Tensor:
        x = self.norm1(x)
        return self.norm2(x + self.linear2(F.relu(self.linear1(x))))


class CrossAttention(nn.Module):
    """Attention alone, under the name that the published checkpoints give it."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.multihead_attn = MultiheadAttention(width, heads)

    def forward(self, query: Tensor, memory: Tensor) -> Tensor:
        """Attend from `query` (B × Q × d) to `memory` (B × S × d); B × Q × d."""
        return self.multihead_attn.by_head(query, memory)


class FusionBlock(nn.Module):
    """Fusion block of the aggregator (network.md 5.4): post-norm cross-attention and feed-forward.

    `x ← LN1(x + MHA(x + pe, keys, values)); x ← LN2(x + Linear2(ReLU(Linear1(x))))`
    """

    def __init__(self, width: int, heads: int, feed_forward: int) -> None:
        super().__init__()
        self.multihead_attn = MultiheadAttention(width, heads)
        self.linear1 = nn.Linear(width, feed_forward)
        self.linear2 = nn.Linear(feed_forward, width)
        self.norm1 = nn.LayerNorm(width)
        self.norm2 = nn.LayerNorm(width)

    def project(self, keys: Tensor, values: Tensor) -> KeysValues:
        """Project what is attended to (B × S × c) once; the result serves any number of `forward` calls."""
        return self.multihead_attn.project(keys, values)

    def forward(self, x: Tensor, keys_values: KeysValues, query_position: Tensor | None = None) -> Tensor:
        """Fuse `x` (B × Q × c) with what `project` returned; `query_position` (1 × Q × c) goes to the query only."""
        query = x if query_position is None else x + query_position
        return self._finish(x + self.multihead_attn(query, keys_values))

    def pool(self, x: Tensor, memory: Tensor) -> Tensor:
        """Fuse few tokens (B × Q × c) with many (B × S × c), which need not be projected."""
        return self._finish(x + self.multihead_attn.pool(x, memory))

    def _finish(self, x: Tensor) -> Tensor:
        x = self.norm1(x)
        return self.norm2(x + self.linear2(F.relu(self.linear1(x))))
