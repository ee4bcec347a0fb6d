"""Unified multimodal encoder: BEiT-3 over one frame and the sentence (network.md 3; Wang et al., CVPR 2023).

Sequence = [class token, N patches, L words]. Multiway: every linear and every norm exists twice, `A` for class token
and patches, `B` for the words. Module names are those of the published checkpoints.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mpgsam2.network.config import EncoderConfig

UNKNOWN = 3  # id of <unk>, which also pads: positions that hold it are masked out of the attention
_UNUSED_POSITIONS = 2  # both position tables are used from row 2


class EncoderOutput(NamedTuple):
    """Tokens of B frame-sentence pairs after the last norm."""

    class_token: Tensor  # B × 1 × d
    patches: Tensor  # B × N × d
    words: Tensor  # B × L × d


class Multiway(nn.Module):
    """Two copies of a module: `A` for the first `split` positions of a sequence, `B` for the rest."""

    def __init__(self, make: Callable[[], nn.Module]) -> None:
        super().__init__()
        self.A = make()
        self.B = make()

    def forward(self, x: Tensor, split: int) -> Tensor:
        """Map B × S × d to B × S × d'."""
        return torch.cat([self.A(x[:, :split]), self.B(x[:, split:])], dim=1)


class VisionEmbedding(nn.Module):
    """Frame → class token and patch tokens, before positions."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.mask_token = nn.Parameter(torch.zeros(1, 1, config.width))  # used in BEiT-3's pretraining only
        self.cls_token = nn.Parameter(torch.zeros(1, 1, config.width))
        self.proj: nn.Module
        if config.stem:
            self.proj = convolutional_stem(config.stem)
        else:
            self.proj = nn.Conv2d(3, config.width, kernel_size=config.patch_size, stride=config.patch_size)

    def forward(self, images: Tensor) -> Tensor:
        """Map B × 3 × H × W, normalised, to B × (1 + N) × d."""
        patches = self.proj(images).flatten(2).transpose(1, 2)
        return torch.cat([self.cls_token.expand(len(patches), -1, -1), patches], dim=1)


def convolutional_stem(channels: tuple[int, ...]) -> nn.Sequential:
    """Build 3×3 convolutions of stride 2, each followed by a norm over the channels and GELU.

    It sees shapes that a linear patch embedding learns slowly (Xiao et al., "Early convolutions help transformers see
    better", 2021).
    """
    layers = []
    for inputs, outputs in zip((3, *channels), channels, strict=False):
        layers.append(
            nn.Sequential(
                nn.Conv2d(inputs, outputs, kernel_size=3, stride=2, padding=1), nn.GroupNorm(1, outputs), nn.GELU()
            )
        )
    return nn.Sequential(*layers)


class SelfAttention(nn.Module):
    """Multiway self-attention with a norm before the output projection (sub-LN)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.k_proj = Multiway(lambda: nn.Linear(width, width))
        self.v_proj = Multiway(lambda: nn.Linear(width, width))
        self.q_proj = Multiway(lambda: nn.Linear(width, width))
        self.out_proj = Multiway(lambda: nn.Linear(width, width))
        self.inner_attn_ln = Multiway(lambda: nn.LayerNorm(width))

    def forward(self, x: Tensor, split: int, mask: Tensor) -> Tensor:
        """Map B × S × d to B × S × d; `mask` (B × 1 × 1 × S, bool) is False where a key must not be seen."""
        q, k, v = (
            projection(x, split).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for projection in (self.q_proj, self.k_proj, self.v_proj)
        )
        attended = F.scaled_dot_product_attention(q, k, v, attn_mask=mask).transpose(1, 2).flatten(2)
        return self.out_proj(self.inner_attn_ln(attended, split), split)


class FeedForward(nn.Module):
    """Linear, GELU, norm (sub-LN), linear."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, hidden)
        self.fc2 = nn.Linear(hidden, width)
        self.ffn_layernorm = nn.LayerNorm(hidden)

    def forward(self, x: Tensor) -> Tensor:
        """Map B × S × d to B × S × d."""
        return self.fc2(self.ffn_layernorm(F.gelu(self.fc1(x))))


class Layer(nn.Module):
    """One pre-norm block."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.self_attn = SelfAttention(config.width, config.heads)
        self.self_attn_layer_norm = Multiway(lambda: nn.LayerNorm(config.width))
        self.ffn = Multiway(lambda: FeedForward(config.width, config.feed_forward))
        self.final_layer_norm = Multiway(lambda: nn.LayerNorm(config.width))

    def forward(self, x: Tensor, split: int, mask: Tensor) -> Tensor:
        """Map B × S × d to B × S × d."""
        x = x + self.self_attn(self.self_attn_layer_norm(x, split), split, mask)
        return x + self.ffn(self.final_layer_norm(x, split), split)


class Encoder(nn.Module):
    """Positions, blocks and the last norm."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.embed_positions = nn.ModuleDict(
            {
                "A": nn.Embedding(config.grid**2 + 1 + _UNUSED_POSITIONS, config.width),
                "B": nn.Embedding(config.text_positions, config.width),
            }
        )
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.depth))
        self.layer_norm = Multiway(lambda: nn.LayerNorm(config.width))

    def forward(self, vision: Tensor, text: Tensor, text_mask: Tensor) -> Tensor:
        """Encode vision B × (1 + N) × d and text B × L × d; `text_mask`: B × L, bool, False = unknown or padding."""
        split, length = vision.shape[1], text.shape[1]
        vision = vision + self._positions("A")
        text = text + self._positions("B")[:length]
        x = torch.cat([vision, text * text_mask[..., None]], dim=1)
        mask = F.pad(text_mask, (split, 0), value=True)[:, None, None]
        for layer in self.layers:
            x = layer(x, split, mask)
        return self.layer_norm(x, split)

    def _positions(self, part: str) -> Tensor:
        return cast(nn.Embedding, self.embed_positions[part]).weight[_UNUSED_POSITIONS:]


class BEiT3(nn.Module):
    """Encode every frame together with its sentence."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.text_embed = nn.Embedding(config.vocabulary_size, config.width)
        self.vision_embed = VisionEmbedding(config)
        self.encoder = Encoder(config)

    def forward(self, images: Tensor, input_ids: Tensor) -> EncoderOutput:
        """Encode B pairs.

        Args:
            images: B × 3 × H × W float, normalised with the ImageNet mean and deviation.
            input_ids: B × L integers; `UNKNOWN` is masked.
        """
        return self.fuse(self.vision_embed(images), input_ids)

    def fuse(self, vision: Tensor, input_ids: Tensor) -> EncoderOutput:
        """Encode as `forward` does, from B × (1 + N) × d that `vision_embed` made: sentences on one clip share them."""
        split = vision.shape[1]
        x = self.encoder(vision, self.text_embed(input_ids), input_ids != UNKNOWN)
        return EncoderOutput(x[:, :1], x[:, 1:split], x[:, split:])
