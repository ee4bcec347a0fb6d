"""Hierarchical global-historical aggregator, in the SAM 2 mask decoder that carries it (network.md 5.4 to 5.8)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, NoReturn

import torch
import torch.nn.functional as F
from sam2.modeling.sam.mask_decoder import MaskDecoder
from sam2.modeling.sam.transformer import TwoWayTransformer
from sam2.modeling.sam2_utils import get_1d_sine_pe
from torch import Tensor, nn

from mpgsam2.network.attention import FusionBlock, KeysValues
from mpgsam2.network.config import TrackerConfig
from mpgsam2.network.prior import ClipContext

_HEADS = 8


class GlobalKeys(NamedTuple):
    """The clip's global context as one frame attends to it."""

    pixel: KeysValues  # merged context of the whole clip and the frame's own text features, for the image features
    object: Tensor  # B × T·g² × c, context of the whole clip, for the mask tokens


@dataclass(frozen=True)
class ClipKeys:
    """What is made once per clip, and from which every frame's `GlobalKeys` come."""

    merged: KeysValues
    words: list[KeysValues]  # by frame
    object: Tensor  # B × T·g² × c
    mask: Tensor | None  # of merged context and words

    def frame(self, t: int) -> GlobalKeys:
        """Return what frame t attends to."""
        keys, values = (torch.cat(pair, dim=2) for pair in zip(self.merged[:2], self.words[t][:2], strict=True))
        return GlobalKeys(KeysValues(keys, values, self.mask), self.object)


class PointerHistory(NamedTuple):
    """Object pointers of past frames."""

    pointers: Tensor  # B × P × c
    ages: Tensor  # P, frames back in time as a fraction of the longest history


class DecoderOutput(NamedTuple):
    """What the decoder says about one frame."""

    masks: Tensor  # B × 3 × 4h × 4w, logits
    iou: Tensor  # B × 3, predicted IoU of each mask
    tokens: Tensor  # B × 3 × c, the masks' tokens
    object_score_logit: Tensor  # B × 1


class AggregatingMaskDecoder(MaskDecoder):
    """SAM 2's mask decoder whose image features and mask tokens are first fused with the clip and its history."""

    def __init__(self, config: TrackerConfig) -> None:
        c = config.width
        super().__init__(
            transformer_dim=c,
            transformer=TwoWayTransformer(
                depth=2, embedding_dim=c, num_heads=_HEADS, mlp_dim=config.decoder_feed_forward
            ),
            iou_head_hidden_dim=config.iou_head_width,
            use_high_res_features=True,
            iou_prediction_use_sigmoid=True,
            pred_obj_scores=True,
            pred_obj_scores_mlp=True,
            use_multimask_token_for_obj_ptr=True,
        )
        self.patch_linear = nn.Linear(4 * c, c)
        self.vtlfusion_module = FusionBlock(c, _HEADS, config.fusion_feed_forward)
        self.mmfusion_module = FusionBlock(c, _HEADS, config.fusion_feed_forward)
        self.objfusion_module = FusionBlock(c, _HEADS, config.fusion_feed_forward)

    def project_context(self, context: ClipContext, words: Tensor | None = None) -> ClipKeys:
        """Return keys and values of a batch of clips' global context, at pixel level (5.4) and object level (5.5).

        Args:
            context: with B in front of every field.
            words: B × L, bool, False where a sentence is filled up; None: none is.
        """
        batch, _, c = context.global_context.shape
        grid = context.prior.shape[-1]
        maps = context.global_context.reshape(-1, grid, grid, c).permute(0, 3, 1, 2)  # B·T × c × g × g
        merged = F.pixel_unshuffle(maps, 2)  # 2 × 2 neighbours into channels: (channel, row, column)
        merged = self.patch_linear(merged.flatten(2).transpose(1, 2)).reshape(batch, -1, c)  # B × T·g²/4 × c
        return ClipKeys(
            self.vtlfusion_module.project(merged, merged),
            [self.vtlfusion_module.project(words, words) for words in context.text_features.unbind(1)],
            context.global_context,
            None if words is None else F.pad(words, (merged.shape[1], 0), value=True)[:, None, None],
        )

    def forward(self, *_: object, **__: object) -> NoReturn:
        """Raise `NotImplementedError`: SAM 2's own pass would leave the clip and its history out; call `decode`."""
        raise NotImplementedError("This mask decoder is asked by `decode`, which fuses the clip and its history.")

    def decode(
        self,
        features: Tensor,
        high_resolution: tuple[Tensor, Tensor],
        position: Tensor,
        sparse: Tensor,
        dense: Tensor,
        keys: GlobalKeys | None,
        history: PointerHistory | None,
    ) -> DecoderOutput:
        """Predict three masks, their IoU and whether the object is there.

        Args:
            features: B × c × h × w, image features after memory attention.
            high_resolution: B × c/8 × 4h × 4w and B × c/4 × 2h × 2w.
            position: 1 × c × h × w, SAM 2's dense positional encoding.
            sparse: B × S × c prompt tokens.
            dense: B × c × h × w prompt.
            keys: the clip's global context; None switches it off.
            history: past object pointers; None on a first frame.
        """
        batch, c, height, width = features.shape
        mask_tokens = self.mask_tokens.weight.expand(batch, -1, -1)
        if keys is not None:
            tokens, positions = features.flatten(2).transpose(1, 2), position.flatten(2).transpose(1, 2)
            features = self.vtlfusion_module(tokens, keys.pixel, positions).transpose(1, 2).reshape_as(features)
            mask_tokens = self.mmfusion_module.pool(mask_tokens, keys.object)
        if history is not None:
            aged = history.pointers + get_1d_sine_pe(history.ages, c)
            mask_tokens = self.objfusion_module(mask_tokens, self.objfusion_module.project(aged, history.pointers))

        heads = torch.cat([self.obj_score_token.weight, self.iou_token.weight]).expand(batch, -1, -1)
        tokens, image = self.transformer(
            features + dense, position.expand(batch, -1, -1, -1), torch.cat([heads, mask_tokens, sparse], dim=1)
        )
        mask_tokens = tokens[:, 2 : 2 + self.num_mask_tokens]

        to_half, norm, activation, to_quarter, last_activation = self.output_upscaling
        level0, level1 = high_resolution
        image = image.transpose(1, 2).reshape(batch, c, height, width)
        image = activation(norm(to_half(image) + level1))
        image = last_activation(to_quarter(image) + level0)
        # The first token is SAM's single-mask one, unused: multimask output is always on.
        mask_tokens, mlps = mask_tokens[:, 1:], self.output_hypernetworks_mlps[1:]
        kernels = torch.stack([mlp(token) for mlp, token in zip(mlps, mask_tokens.unbind(1), strict=True)], dim=1)
        return DecoderOutput(
            masks=(kernels @ image.flatten(2)).unflatten(-1, image.shape[-2:]),
            iou=self.iou_prediction_head(tokens[:, 1])[:, 1:],
            tokens=mask_tokens,
            object_score_logit=self.pred_obj_score_head(tokens[:, 0]),
        )
