"""What the network looks at while it answers, for who asks for it: nothing here runs otherwise.

`watch` computes beside a run, from what goes into three of its attentions, what these do not hand out:

- words: how the class token's attention in the encoder's last layer is shared out among the words of the sentence;
- frames: from which frames the prior generator's attention over the whole clip (network.md 4.1) draws, for each frame;
- memories: from which of its memories the tracker's last memory attention (5.2) draws.

Patches and places are sampled, so that a run takes little longer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from mpgsam2.network.ahead import in_turn
from mpgsam2.network.parts import Part
from mpgsam2.network.rotary import turn

if TYPE_CHECKING:
    from mpgsam2.network.model import MPGSAM2

_SAMPLED_PLACES = 16  # patches of a frame, or places of its features, from which attention is looked at


Kind = Literal["words", "frames", "memories"]


class Sight(NamedTuple):
    """One look of an attention.

    Attributes:
        kind: what was looked at.
        shares: float32, rows that add up to 1. "words": B × words, for B frames. "frames": T × T, of the T frames that
            the generator sees together. "memories": B × (memories + 1), for B sentences; the last are the pointers.
    """

    kind: Kind
    shares: np.ndarray


@contextmanager
def watch(network: MPGSAM2) -> Iterator[list[Sight]]:
    """Add what the network looks at, while the block lasts, to the list that it yields, in the order of its steps.

    On a GPU there are no memories: the tracker's steps are replayed there from a recording.
    """
    seen: list[Sight] = []

    def watched(module: nn.Module, kind: Kind, look: Any) -> Any:
        def hook(module: nn.Module, given: tuple[Any, ...], named: dict[str, Any]) -> None:
            sight = Sight(kind, look(module, *given, **named).float().cpu().numpy())
            in_turn(lambda: seen.append(sight))

        return module.register_forward_pre_hook(hook, with_kwargs=True)

    patches = network.config.encoder.grid**2
    encoder: Any = network.mm_extractor["beit3"]
    looks: list[tuple[nn.Module, Kind, Any]] = [
        (encoder.encoder.layers[-1].self_attn, "words", _words),
        (network.visual_ifi, "frames", lambda module, x: _frames(module.self_attn, x, patches)),
    ]
    if network.device.type == "cpu":
        tracker: Any = network.visual_model
        looks.append((tracker.memory_attention.layers[-1].cross_attn_image, "memories", _memories))
    with ExitStack() as hooks:
        for look in looks:
            hooks.callback(watched(*look).remove)
        yield seen


def _words(attention: Any, x: Tensor, split: int, mask: Tensor) -> Tensor:
    """Return the shares of the class token's attention: B × words, without the marks of the sentence's two ends."""
    query, keys = attention.q_proj.A(x[:, :1]), attention.k_proj(x, split)
    query, keys = (part.unflatten(-1, (attention.heads, -1)).transpose(1, 2) for part in (query, keys))
    scores = (query @ keys.mT * query.shape[-1] ** -0.5).masked_fill(~mask, -torch.inf)
    words = scores.float().softmax(dim=-1).mean(dim=1)[:, 0, split + 1 : -1]
    return words / words.sum(dim=-1, keepdim=True).clamp(min=1e-12)


def _frames(attention: Any, x: Tensor, patches: int) -> Tensor:
    """Return the shares of the frames: T × T, a row for each frame that looks."""
    (tokens,) = x.unflatten(1, (-1, patches))  # T × N × d
    width = tokens.shape[-1]
    weights, biases = attention.in_proj_weight.chunk(3), attention.in_proj_bias.chunk(3)
    sampled = tokens[:, :: max(1, patches // _SAMPLED_PLACES)]
    query, keys = (
        nn.functional.linear(part, weights[i], biases[i]).unflatten(-1, (attention.heads, -1)).movedim(-2, 0)
        for i, part in enumerate((sampled, tokens.reshape(-1, width)))
    )
    query = query * query.shape[-1] ** -0.5
    rows = [
        (of_frame @ keys.mT).float().softmax(dim=-1).mean(dim=(0, 1)).view(-1, patches).sum(dim=-1)
        for of_frame in query.unbind(1)  # heads × n × d/heads, one frame after the other: little is held
    ]
    return torch.stack(rows)


def _memories(attention: Any, q: Tensor, k: Tensor, v: Tensor, num_k_exclude_rope: int = 0) -> Tensor:
    """Return the shares of the memories and of all pointers together: B × (memories + 1)."""
    places = q.shape[1]
    query, key = attention.q_proj(q), attention.k_proj(k)
    with_place = key.shape[1] - num_k_exclude_rope
    turn(query, attention.freqs_cis)
    turn(key[:, :with_place], attention.freqs_cis)
    query = query[:, :: max(1, places // _SAMPLED_PLACES)] * query.shape[-1] ** -0.5
    weights = (query @ key.mT).float().softmax(dim=-1).mean(dim=1)
    memories = weights[:, :with_place].unflatten(1, (-1, places)).sum(dim=-1)
    return torch.cat([memories, weights[:, with_place:].sum(dim=-1, keepdim=True)], dim=1)


def by_query(
    seen: Sequence[Sight], queries: Sequence[tuple[str, frozenset[str]]], together: int
) -> list[dict[str, list[Any]]]:
    """Sort what was seen by query and frame.

    Args:
        seen: of one run, in order, perhaps of its first frames alone.
        queries: sentence of each query, and the parts that are switched off for it.
        together: frames that the prior generator sees at most together, dealt out in turn; 0 for all.

    Returns:
        Per query, for each frame counted from 0: in "words" a list of shares; in "frames" and "memories" a dict of
        shares by frame, in the latter one more of all "pointers"; None where nothing was seen.
    """
    sentences = list(dict.fromkeys(expression for expression, _ in queries))
    walks = dict.fromkeys(parts for _, parts in queries)
    remembering = [parts for parts in walks if Part.HISTORY not in parts]
    words: dict[str, list] = {expression: [] for expression in sentences}
    frames: dict[str, dict[int, dict[int, float]]] = {expression: {} for expression in sentences}
    memories: list[dict[int, dict[int | str, float]]] = [{} for _ in queries]
    calls = 0  # of the encoder
    start = made = steps = 0  # of the span of frames that the network has before it: where it begins, what is done
    for kind, shares in seen:
        if kind == "words":
            if made:
                start, made, steps = len(words[sentences[0]]), 0, 0
            words[sentences[calls % len(sentences)]].extend(shares.tolist())
            calls += 1
        elif kind == "frames":
            length = len(words[sentences[0]]) - start
            parts = -(-length // together) if together else 1
            dealt = range(start + made % parts, start + length, parts)
            for t, row in zip(dealt, shares, strict=True):
                frames[sentences[made // parts]][t] = dict(zip(dealt, row.tolist(), strict=True))
            made += 1
        else:
            t = start + 1 + steps // len(remembering)  # a first frame has no memories
            of_walk = [i for i, (_, parts) in enumerate(queries) if parts == remembering[steps % len(remembering)]]
            for i, row in zip(of_walk, shares, strict=True):
                recent = range(t - len(row) + 2, t)
                memories[i][t] = dict(zip([start, *recent, "pointers"], row.tolist(), strict=True))
            steps += 1
    return [
        {
            "words": words[expression],
            "frames": [frames[expression].get(t) for t in range(len(words[expression]))],
            "memories": [memories[i].get(t) for t in range(len(words[expression]))],
        }
        for i, (expression, _) in enumerate(queries)
    ]
