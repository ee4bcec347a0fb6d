"""The network on a batch of clips, with gradients: the same two halves as in inference, all frames of a clip at once.

Where memory is short, activations are not kept but computed again on the way back (gradient checkpointing, Chen et al.,
2016): of the encoder by frame, of the tracker by step.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from mpgsam2.network.beit3 import EncoderOutput
from mpgsam2.network.images import normalise
from mpgsam2.network.model import MPGSAM2
from mpgsam2.network.prior import ClipContext
from mpgsam2.network.tracker import FrameOutput, ImageFeatures, MemoryBank

T = TypeVar("T")


def encode(
    network: MPGSAM2, images: Tensor, clip_of_pair: Tensor, input_ids: Tensor, checkpointing: bool = False
) -> EncoderOutput:
    """Read P sentences with the T frames of their clips.

    Args:
        network: the network.
        images: C × T × 3 × E × E uint8.
        clip_of_pair: P int64, the clip of every sentence.
        input_ids: P × L int64, padded with `UNKNOWN`.
        checkpointing: see above.

    Returns:
        Tokens of P·T frame-sentence pairs, the frames of a clip one after the other.
    """
    beit3, (clips, frames) = network.beit3, images.shape[:2]
    vision = beit3.vision_embed(normalise(images.flatten(0, 1))).unflatten(0, (clips, frames))[clip_of_pair]
    if not checkpointing:
        return beit3.fuse(vision.flatten(0, 1), input_ids.repeat_interleave(frames, dim=0))
    by_frame = [_again(beit3.fuse, vision[:, t], input_ids) for t in range(frames)]  # P pairs each
    return EncoderOutput(*(torch.stack(tokens, dim=1).flatten(0, 1) for tokens in zip(*by_frame, strict=True)))


def track(
    network: MPGSAM2,
    images: Tensor,
    clip_of_pair: Tensor,
    context: ClipContext,
    words: Tensor | None = None,
    checkpointing: bool = False,
) -> list[FrameOutput]:
    """Walk P clips in order, with their memory.

    Args:
        network: the network.
        images: C × T × 3 × S × S uint8.
        clip_of_pair: P int64, the clip of every sentence.
        context: of P clips.
        words: P × L bool, False where a sentence is filled up; None: none is.
        checkpointing: see above.

    Returns:
        For each frame the outputs of P clips.
    """
    tracker, frames = network.visual_model, images.shape[1]
    keys = tracker.sam_mask_decoder.project_context(context, words)
    bank = MemoryBank(tracker.config, frames)
    outputs = []
    for t in range(frames):
        features = ImageFeatures(*(x[clip_of_pair] for x in tracker.image_features(normalise(images[:, t]))))
        prompts = tracker.prompt(context.prior[:, t], context.sparse_prompts[:, t])
        frame = features, *prompts, keys.frame(t), bank.past()
        output, memory = _again(tracker.segment, *frame) if checkpointing else tracker.segment(*frame)
        bank.add(memory, output.object_pointer)
        outputs.append(output)
    return outputs


def _again(function: Callable[..., T], *inputs: object) -> T:
    return checkpoint(function, *inputs, use_reentrant=False)
