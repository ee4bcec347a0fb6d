"""Every size in the network, as frozen dataclasses.

- `ModelConfig`: the whole network; `LARGE` and `TINY` are the published ones, `NANO` the one shipped here.
- `config_from_state_dict`: what the shapes of a checkpoint's tensors say, so that it needs no configuration file.

Head counts cannot be read off shapes; they follow the published rules: 8 in the fusion blocks and the mask decoder, 64
channels a head in BEiT-3 (32 in nano), and the Hiera variant's own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch

from mpgsam2.errors import InputError


@dataclass(frozen=True)
class EncoderConfig:
    """Unified multimodal encoder (BEiT-3)."""

    width: int = 1024  # d
    depth: int = 24
    head_width: int = 64
    feed_forward: int = 4096
    image_size: int = 224  # side of the square input, pixels
    patch_size: int = 16  # pixels
    stem: tuple[int, ...] = ()  # channels of 3×3 stride-2 convolutions in place of the linear patch embedding
    vocabulary_size: int = 64010
    text_positions: int = 1024  # rows of the text position table; two of them are never used

    @property
    def heads(self) -> int:
        """Number of attention heads."""
        return self.width // self.head_width

    @property
    def grid(self) -> int:
        """Side g of the patch grid."""
        return self.image_size // self.patch_size


@dataclass(frozen=True)
class PriorConfig:
    """Mask prior generator."""

    heads: int = 8
    feed_forward: int = 4096
    frame_positions: bool = False  # add a learned projection of pe(t) before the frame-joint layer; not in the paper


@dataclass(frozen=True)
class HieraConfig:
    """Image encoder of SAM 2; the fields are `sam2.modeling.backbones.hieradet.Hiera`'s arguments."""

    embed_dim: int
    num_heads: int
    stages: tuple[int, int, int, int]
    global_att_blocks: tuple[int, ...]
    window_spec: tuple[int, int, int, int] = (8, 4, 14, 7)
    window_pos_embed_bkg_spatial_size: tuple[int, int] = (7, 7)


@dataclass(frozen=True)
class TrackerConfig:
    """SAM 2 with the hierarchical global-historical aggregator."""

    hiera: HieraConfig
    image_size: int = 1024  # side of the square input, pixels
    width: int = 256  # c
    memory_width: int = 64
    memory_layers: int = 4
    memory_feed_forward: int = 2048
    decoder_feed_forward: int = 2048
    fusion_feed_forward: int = 1024
    iou_head_width: int = 256
    max_memories: int = 7  # the first frame and the 6 before the current one
    max_pointers: int = 16  # the first frame's and the 15 before the current one

    @property
    def grid(self) -> int:
        """Side of the image feature map: stride 16."""
        return self.image_size // 16


@dataclass(frozen=True)
class ModelConfig:
    """The whole network."""

    encoder: EncoderConfig
    prior: PriorConfig
    tracker: TrackerConfig

    def to_dict(self) -> dict[str, Any]:
        """Return a nested dictionary of plain values, as `config.json` holds it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ModelConfig:
        """Return the inverse of `to_dict`; lists become tuples, and what else `config.json` holds is left out.

        Raises:
            InputError: a field is missing or not one of this version's.
        """
        try:
            tracker = dict(values["tracker"])
            hiera = HieraConfig(**_tuples(tracker.pop("hiera")))
            return cls(
                encoder=EncoderConfig(**_tuples(values["encoder"])),
                prior=PriorConfig(**_tuples(values["prior"])),
                tracker=TrackerConfig(hiera=hiera, **_tuples(tracker)),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise InputError(f"The checkpoint's config.json does not describe this network: {error}.") from None


def _tuples(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}


HIERA_TINY = HieraConfig(96, 1, (1, 2, 7, 2), (5, 7, 9))
HIERA_SMALL = HieraConfig(96, 1, (1, 2, 11, 2), (7, 10, 13))
HIERA_BASE_PLUS = HieraConfig(112, 2, (2, 3, 16, 3), (12, 16, 20), window_pos_embed_bkg_spatial_size=(14, 14))
HIERA_LARGE = HieraConfig(144, 2, (2, 6, 36, 4), (23, 33, 43), window_spec=(8, 4, 16, 8))
HIERA_NANO = HieraConfig(24, 1, (1, 1, 2, 1), (3,), window_spec=(8, 4, 8, 4))

LARGE = ModelConfig(EncoderConfig(), PriorConfig(), TrackerConfig(HIERA_LARGE))
TINY = ModelConfig(
    EncoderConfig(width=768, depth=12, feed_forward=3072),
    PriorConfig(),
    TrackerConfig(HIERA_TINY),
)
NANO = ModelConfig(
    EncoderConfig(
        width=128,
        depth=6,
        head_width=32,
        feed_forward=256,
        image_size=192,
        patch_size=16,
        stem=(8, 24, 64, 128),
        vocabulary_size=768,
        text_positions=64,
    ),
    PriorConfig(feed_forward=256, frame_positions=True),
    TrackerConfig(
        HIERA_NANO,
        image_size=256,
        width=64,
        memory_width=16,
        memory_layers=2,
        memory_feed_forward=256,
        decoder_feed_forward=256,
        fusion_feed_forward=256,
        iou_head_width=64,
    ),
)
PRESETS: dict[str, ModelConfig] = {"large": LARGE, "tiny": TINY, "nano": NANO}

_LARGEST_NANO_WIDTH = 256  # a narrower encoder has nano's head width, a wider one the published

# The Hiera and the image size, which a checkpoint's tensors cannot say, by (embed_dim, blocks), which they can.
_VARIANTS: dict[tuple[int, int], tuple[HieraConfig, int]] = {
    (hiera.embed_dim, sum(hiera.stages)): (hiera, image_size)
    for hiera, image_size in [
        (HIERA_TINY, 1024),
        (HIERA_SMALL, 1024),
        (HIERA_BASE_PLUS, 1024),
        (HIERA_LARGE, 1024),
        (HIERA_NANO, NANO.tracker.image_size),
    ]
}


def config_from_state_dict(state_dict: Mapping[str, torch.Tensor]) -> ModelConfig:
    """Read every size off the shapes of a checkpoint with the published names.

    Args:
        state_dict: tensors by name, training prefixes already stripped.

    Raises:
        InputError: a tensor that says a size is missing, or the Hiera variant is not a known one.
    """

    def shape(name: str) -> torch.Size:
        try:
            return state_dict[name].shape
        except KeyError:
            raise InputError(f"This is not an MPG-SAM 2 checkpoint: it holds no tensor named {name!r}.") from None

    def count(pattern: str) -> int:
        return len({match[1] for name in state_dict if (match := re.match(pattern + r"\.(\d+)\.", name))})

    beit3 = "mm_extractor.beit3."
    patches = shape(beit3 + "encoder.embed_positions.A.weight")[0] - 3
    grid = round(patches**0.5)
    stages = count(re.escape(beit3) + r"vision_embed\.proj")
    stem = tuple(shape(f"{beit3}vision_embed.proj.{stage}.0.weight")[0] for stage in range(stages))
    width = shape(beit3 + "text_embed.weight")[1]
    patch_size = 2 ** len(stem) if stem else shape(beit3 + "vision_embed.proj.weight")[-1]

    sam2 = "visual_model."
    embed_dim = shape(sam2 + "image_encoder.trunk.patch_embed.proj.weight")[0]
    blocks = count(re.escape(sam2) + r"image_encoder\.trunk\.blocks")
    if (embed_dim, blocks) not in _VARIANTS:
        raise InputError(f"No Hiera with embed_dim {embed_dim} and {blocks} blocks is known; the checkpoint has one.")
    hiera, image_size = _VARIANTS[embed_dim, blocks]

    return ModelConfig(
        EncoderConfig(
            width=width,
            head_width=NANO.encoder.head_width if width <= _LARGEST_NANO_WIDTH else EncoderConfig.head_width,
            depth=count(re.escape(beit3) + r"encoder\.layers"),
            feed_forward=shape(beit3 + "encoder.layers.0.ffn.A.fc1.weight")[0],
            image_size=grid * patch_size,
            patch_size=patch_size,
            stem=stem,
            vocabulary_size=shape(beit3 + "text_embed.weight")[0],
            text_positions=shape(beit3 + "encoder.embed_positions.B.weight")[0],
        ),
        PriorConfig(
            feed_forward=shape("visual_ifi.linear1.weight")[0],
            frame_positions="frame_position_linear.weight" in state_dict,
        ),
        TrackerConfig(
            hiera=hiera,
            image_size=image_size,
            width=shape(sam2 + "no_mem_embed")[-1],
            memory_width=shape(sam2 + "maskmem_tpos_enc")[-1],
            memory_layers=count(re.escape(sam2) + r"memory_attention\.layers"),
            memory_feed_forward=shape(sam2 + "memory_attention.layers.0.linear1.weight")[0],
            decoder_feed_forward=shape(sam2 + "sam_mask_decoder.transformer.layers.0.mlp.layers.0.weight")[0],
            fusion_feed_forward=shape(sam2 + "sam_mask_decoder.mmfusion_module.linear1.weight")[0],
            iou_head_width=shape(sam2 + "sam_mask_decoder.iou_prediction_head.layers.0.weight")[0],
            max_memories=shape(sam2 + "maskmem_tpos_enc")[0],
        ),
    )
