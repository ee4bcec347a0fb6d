"""Mask prior generator: mask prior, global context and sparse prompts of a clip (network.md 4; paper, section 3.3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from sam2.modeling.sam2_utils import get_1d_sine_pe
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from mpgsam2.network.attention import CrossAttention, SelfAttentionLayer
from mpgsam2.network.beit3 import EncoderOutput
from mpgsam2.network.config import ModelConfig

_FRAMES_PER_BATCH = 16  # of the product of patches and sentence


class ClipContext(NamedTuple):
    """What the tracker is told about a clip and a sentence, before it sees the first frame.

    Inside the network every field has a batch of clips, B, in front.
    """

    prior: Tensor  # T × 1 × g × g, probabilities in 0..1
    global_context: Tensor  # T·g² × c
    sparse_prompts: Tensor  # T × 1 × c
    text_features: Tensor  # T × L × c

    def unbatched(self) -> ClipContext:
        """Return the only clip of a batch of one."""
        return ClipContext(*(field.squeeze(0) for field in self))


def stack(contexts: Sequence[ClipContext]) -> tuple[ClipContext, Tensor | None]:
    """Return contexts of one clip and B sentences as a batch.

    Returns:
        The batch, shorter sentences' text features filled up with zeros, and which of them are words' (B × L, bool);
        None for the latter where all sentences are of one length.
    """
    if len(contexts) == 1:
        return ClipContext(*(field[None] for field in contexts[0])), None
    text = pad_sequence([context.text_features.transpose(0, 1) for context in contexts], batch_first=True)
    batch = ClipContext(
        torch.stack([context.prior for context in contexts]),
        torch.stack([context.global_context for context in contexts]),
        torch.stack([context.sparse_prompts for context in contexts]),
        text.transpose(1, 2),
    )
    lengths = torch.tensor([context.text_features.shape[1] for context in contexts], device=text.device)
    words = torch.arange(text.shape[1], device=text.device) < lengths[:, None]
    return batch, None if words.all() else words


def interleave(contexts: Sequence[ClipContext]) -> ClipContext:
    """Return the context of a clip that was dealt out to k clips in turn: frame t is frame t // k of clip t mod k."""
    if len(contexts) == 1:
        return contexts[0]
    lengths = [len(context.prior) for context in contexts]
    dealt = [t for clip in range(len(contexts)) for t in range(clip, sum(lengths), len(contexts))]
    order = torch.tensor(dealt).argsort().to(contexts[0].prior.device)

    def in_order(fields: Sequence[Tensor]) -> Tensor:
        frames = torch.cat([field.unflatten(0, (length, -1)) for field, length in zip(fields, lengths, strict=True)])
        return frames[order].flatten(0, 1)

    return ClipContext(*map(in_order, zip(*contexts, strict=True)))


def frame_positions(frame_count: int, width: int, like: Tensor) -> Tensor:
    """Return the sine encoding pe(t) of the frame index t = 0…T-1, not normalised: T × width, `[sin | cos]` halves."""
    return get_1d_sine_pe(torch.arange(frame_count, device=like.device, dtype=torch.float32), width).to(like.dtype)


class PriorLayers(nn.Module):
    """The generator's layers; they stand at the top of the published checkpoints, so `MPGSAM2` inherits them."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        d, c = config.encoder.width, config.tracker.width
        self.text_hidden_fcs = nn.ModuleList([nn.Sequential(nn.Linear(d, d), nn.ReLU(), nn.Linear(d, c))])
        self.text_feat_linear = nn.Linear(d, c)
        self.mask_linear = nn.Linear(d, d)
        self.mask_product = nn.Linear(d, 1)
        self.vmtoken = CrossAttention(d, config.prior.heads)
        self.visual_ifi = SelfAttentionLayer(d, config.prior.heads, config.prior.feed_forward)
        self.meo_linear = nn.Linear(d, c)
        self.text2one_linear = nn.Linear(c, 1)  # only in the similarity loss of training
        if config.prior.frame_positions:
            self.frame_position_linear = nn.Linear(d, d, bias=False)

    def generate_prior(self, encoded: EncoderOutput, frame_count: int) -> tuple[Tensor, ClipContext]:
        """Generate prior and context of B clips of T frames each.

        Args:
            encoded: B·T frame-sentence pairs, the frames of a clip one after the other.
            frame_count: T.

        Returns:
            The prior's logits (B × T × 1 × g × g), and the context with B in front of every field.
        """
        z, patches, words = (x.unflatten(0, (-1, frame_count)) for x in encoded)  # B × T × tokens × d
        tokens, width = patches.shape[-2:]
        grid = round(tokens**0.5)
        if hasattr(self, "frame_position_linear"):
            patches = patches + self.frame_position_linear(frame_positions(frame_count, width, patches))[:, None]

        joint = self.visual_ifi(patches.flatten(1, 2))  # 4.1: frames talk to each other
        gated = z * self.vmtoken(z.flatten(1, 2), joint)[:, :, None]  # 4.2
        parts = zip(
            joint.view_as(patches).split(_FRAMES_PER_BATCH, dim=1),
            self.mask_linear(gated).split(_FRAMES_PER_BATCH, dim=1),
            strict=True,
        )
        products = (visual * query for visual, query in parts)  # 4.3: M = V ⊙ q
        logit_parts, context_parts = zip(
            *((self.mask_product(product), self.meo_linear(product)) for product in products), strict=True
        )
        logits = torch.cat(logit_parts, dim=1).transpose(-2, -1).unflatten(-1, (grid, grid))  # 4.4
        context = torch.cat(context_parts, dim=1)  # 4.5
        context = context + frame_positions(frame_count, context.shape[-1], context)[:, None]
        return logits, ClipContext(
            prior=logits.sigmoid(),
            global_context=context.flatten(1, 2),
            sparse_prompts=self.text_hidden_fcs[0](z),  # 4.6
            text_features=self.text_feat_linear(words),
        )
