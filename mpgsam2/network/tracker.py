"""SAM 2 with the aggregating mask decoder: one step per frame, over a memory of fixed size (network.md 5).

SAM 2's own modules are used as they are; what is written here is the order in which they act.
"""

from __future__ import annotations

from collections import deque
from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple, cast

import torch
import torch.nn.functional as F
from sam2.modeling.backbones.image_encoder import FpnNeck, ImageEncoder
from sam2.modeling.memory_attention import MemoryAttentionLayer
from sam2.modeling.memory_encoder import CXBlock, Fuser, MaskDownSampler, MemoryEncoder
from sam2.modeling.position_encoding import PositionEmbeddingSine
from sam2.modeling.sam.prompt_encoder import PromptEncoder
from sam2.modeling.sam2_utils import MLP
from torch import Tensor, nn

from mpgsam2.network.aggregator import AggregatingMaskDecoder, GlobalKeys, PointerHistory
from mpgsam2.network.config import TrackerConfig
from mpgsam2.network.constant import Constant
from mpgsam2.network.hiera import StripwiseHiera
from mpgsam2.network.memory_attention import MemoryCrossAttention, SharingMemoryAttention
from mpgsam2.network.rotary import RotaryAttention
from mpgsam2.network.ways import is_plain

NO_OBJECT_LOGIT = -1024.0  # SAM 2's mask logit where the object is judged absent


class ImageFeatures(NamedTuple):
    """Features of B frames."""

    level0: Tensor  # B × c/8 × 4h × 4w
    level1: Tensor  # B × c/4 × 2h × 2w
    level2: Tensor  # B × c × h × w
    position: Tensor  # B × c × h × w, sine
    recalling: Tensor  # B × hw × c, level2 on its way through the memory attention, before it meets a memory

    def frame(self, number: int) -> ImageFeatures:
        """Return those of one of the frames, as a batch of one."""
        return ImageFeatures(*(field[number : number + 1] for field in self))

    def expand(self, batch: int) -> ImageFeatures:
        """Return features of one frame, that many times; none is copied."""
        return ImageFeatures(*(field.expand(batch, *field.shape[1:]) for field in self))


class FrameOutput(NamedTuple):
    """What the tracker says about one frame; inside the network every field has a batch, B, in front."""

    low_res_logits: Tensor  # h' × w' (256 × 256 at 1024 px): the mask of the highest predicted IoU
    object_pointer: Tensor  # c
    object_score_logit: Tensor  # scalar; above 0: the object is in the frame
    iou: Tensor  # 3, predicted IoU of the candidates
    memory_conditioned_features: Tensor  # c × h × w
    candidate_logits: Tensor  # 3 × h' × w', before the object score is heeded

    def split(self) -> list[FrameOutput]:
        """Return each of the batch alone."""
        return [FrameOutput(*fields) for fields in zip(*self, strict=True)]


class Past(NamedTuple):
    """What a frame is told of the frames before it, for a batch of B clips."""

    memories: list[Tensor]  # B × m × h × w bfloat16, the first frame's first
    rows: list[int]  # of each memory in the table of temporal positions
    history: PointerHistory


class MemoryBank:
    """What is kept of the past: the first frame, the last 6 memories and the last 15 pointers."""

    def __init__(self, config: TrackerConfig, frame_count: int) -> None:
        pointers = min(config.max_pointers, frame_count)  # SAM 2 keeps no more pointers than the clip has frames
        self.longest_history = max(pointers - 1, 1)
        self.length = 0
        self.first: tuple[Tensor, Tensor] | None = None
        self.last_row = config.max_memories - 1
        self.memories: deque[Tensor] = deque(maxlen=self.last_row)
        self.pointers: deque[Tensor] = deque(maxlen=pointers - 1)

    def add(self, memory: Tensor, pointer: Tensor) -> None:
        """Remember one frame: memory features (B × m × h × w) and pointer (B × c)."""
        memory = memory.bfloat16()  # as SAM 2 stores it
        if self.first is None:
            self.first = (memory, pointer)
        else:
            self.memories.append(memory)
            self.pointers.append(pointer)
        self.length += 1

    @property
    def full(self) -> bool:
        """Whether what the next frame is told has the shapes that every later frame's has."""
        return len(self.memories) == self.memories.maxlen and len(self.pointers) == self.pointers.maxlen

    def past(self) -> Past | None:
        """Return all that the next frame is told; None before the first frame.

        Rows of temporal positions: the last one for the first frame's memory, 0 for t-1's. Pointers: the first frame's
        first, then t-1, t-2, …
        """
        if self.first is None:
            return None
        rows = [self.last_row, *reversed(range(len(self.memories)))]
        pointers = torch.stack([self.first[1], *reversed(self.pointers)], dim=1)
        ages = torch.arange(len(self.pointers) + 1, device=pointers.device)
        ages[0] = self.length
        return Past([self.first[0], *self.memories], rows, PointerHistory(pointers, ages / self.longest_history))


class Tracker(nn.Module):
    """SAM 2 (Ravi et al., 2024), prompted by the mask prior and the class token on every frame.

    Attributes:
        config: every size.
        compute_dtype: of matrix products and convolutions in the image encoder and the memory attention, see
            `autocast`: torch.float32 or torch.bfloat16.
    """

    def __init__(self, config: TrackerConfig) -> None:
        super().__init__()
        self.config = config
        self.compute_dtype = torch.float32
        c, m, grid = config.width, config.memory_width, config.grid
        hiera = config.hiera
        trunk = StripwiseHiera(
            embed_dim=hiera.embed_dim,
            num_heads=hiera.num_heads,
            stages=hiera.stages,
            global_att_blocks=hiera.global_att_blocks,
            window_pos_embed_bkg_spatial_size=hiera.window_pos_embed_bkg_spatial_size,
            window_spec=hiera.window_spec,
        )
        neck = FpnNeck(
            PositionEmbeddingSine(c, warmup_cache=False),
            d_model=c,
            backbone_channel_list=trunk.channel_list,
            fpn_top_down_levels=[2, 3],
            fpn_interp_model="nearest",
        )
        self.image_encoder = ImageEncoder(trunk, neck, scalp=1)
        self.mask_downsample = nn.Conv2d(1, 1, kernel_size=4, stride=4)  # SAM 2's, for mask prompts; unused here
        self.memory_attention = SharingMemoryAttention(
            d_model=c,
            pos_enc_at_input=True,
            layer=MemoryAttentionLayer(
                activation="relu",
                d_model=c,
                dim_feedforward=config.memory_feed_forward,
                dropout=0.0,
                pos_enc_at_attn=False,
                pos_enc_at_cross_attn_keys=True,
                pos_enc_at_cross_attn_queries=False,
                self_attention=RotaryAttention(c, num_heads=1, feat_sizes=(grid, grid)),
                cross_attention=MemoryCrossAttention(
                    c, num_heads=1, kv_in_dim=m, feat_sizes=(grid, grid), rope_k_repeat=True
                ),
            ),
            num_layers=config.memory_layers,
        )
        self.memory_encoder = MemoryEncoder(
            out_dim=m,
            in_dim=c,
            mask_downsampler=MaskDownSampler(c, kernel_size=3, stride=2, padding=1),
            fuser=Fuser(CXBlock(c), num_layers=2),
            position_encoding=PositionEmbeddingSine(m, warmup_cache=False),
        )
        self.maskmem_tpos_enc = nn.Parameter(0.02 * torch.randn(config.max_memories, 1, 1, m))
        self.no_mem_embed = nn.Parameter(0.02 * torch.randn(1, 1, c))
        self.no_mem_pos_enc = nn.Parameter(torch.zeros(1, 1, c))
        self.no_obj_ptr = nn.Parameter(0.02 * torch.randn(1, c))
        self.sam_prompt_encoder = PromptEncoder(
            c, (grid, grid), (config.image_size, config.image_size), mask_in_chans=16
        )
        self.sam_mask_decoder = AggregatingMaskDecoder(config)
        self.obj_ptr_proj = MLP(c, c, c, 3)
        self._dense_position = Constant()

    def autocast(self) -> AbstractContextManager:
        """Return the context of all that is computed in `compute_dtype`: the image encoder and the memory attention.

        These two take nine tenths of the time. What decides between candidate masks, and what is added up over a whole
        clip, is cheap and stays in float32: see `docs/speed.md` for what each part's rounding does.
        """
        if self.compute_dtype == torch.float32:
            return nullcontext()
        return torch.autocast(self.no_mem_embed.device.type, self.compute_dtype)

    def image_features(self, images: Tensor) -> ImageFeatures:
        """Run Hiera and FPN on B × 3 × S × S normalised images (5.1); float32."""
        neck, decoder = self.image_encoder.neck, self.sam_mask_decoder
        if is_plain():
            return self._plain_image_features(images)
        with self.autocast():
            stage1, stage2, stage3, stage4 = self.image_encoder.trunk(images)
        stage1, stage2, stage3, stage4 = (stage.float() for stage in (stage1, stage2, stage3, stage4))
        lateral4, lateral3, lateral2, lateral1 = (level.conv for level in neck.convs)
        level2 = lateral3(stage3) + F.interpolate(lateral4(stage4), scale_factor=2.0, mode="nearest")
        level0, level1 = _in_one(lateral1, decoder.conv_s0, stage1), _in_one(lateral2, decoder.conv_s1, stage2)
        return self._features(level0, level1, level2)

    def _features(self, level0: Tensor, level1: Tensor, level2: Tensor) -> ImageFeatures:
        """Return the three levels of an image, and what else does not depend on the frames before."""
        position = self.image_encoder.neck.position_encoding(level2[:1]).expand_as(level2)
        with self.autocast():
            recalling = self.memory_attention.begin(*(x.flatten(2).transpose(1, 2) for x in (level2, position)))
        return ImageFeatures(level0, level1, level2, position, recalling)

    def _plain_image_features(self, images: Tensor) -> ImageFeatures:
        encoded, decoder = self.image_encoder(images), self.sam_mask_decoder
        level0, level1, level2 = encoded["backbone_fpn"]
        return self._features(decoder.conv_s0(level0), decoder.conv_s1(level1), level2)

    def recall(self, features: ImageFeatures, past: Past | None) -> Tensor:
        """Condition a frame's features on the past (5.2); B × c × h × w. None: a first frame."""
        x = features.level2
        if past is None:
            return x + self.no_mem_embed.reshape(1, -1, 1, 1)
        memories = torch.stack(past.memories, dim=1).to(x.dtype).flatten(3)  # B × n × m × hw
        memories = memories.mT.flatten(1, 2)  # B × n·hw × m
        position = self.memory_encoder.position_encoding(past.memories[0][:1]).flatten(2).mT  # 1 × hw × m
        ages = torch.cat([self.maskmem_tpos_enc[row] for row in past.rows])  # n × 1 × m
        positions = (position + ages).flatten(0, 1)[None]  # 1 × n·hw × m
        pointers = past.history.pointers  # split in tokens of the memory's width, with zero position
        pointers = pointers.unflatten(-1, (-1, self.config.memory_width)).flatten(1, 2)
        with self.autocast():
            attended = self.memory_attention(
                features.recalling,
                torch.cat([memories, pointers], dim=1),
                torch.cat([positions, torch.zeros_like(pointers[:1])], dim=1),
                pointers.shape[1],
            )
        return attended.float().transpose(1, 2).reshape_as(x)

    def prompt(self, prior: Tensor | None, sparse_prompt: Tensor) -> tuple[Tensor, Tensor]:
        """Return the sparse tokens (B × 3 × c) and the dense prompt (B × c × h × w) of a frame (5.3).

        Args:
            prior: B × 1 × g × g probabilities, or None for SAM 2's "no mask".
            sparse_prompt: B × 1 × c.
        """
        encoder, batch = self.sam_prompt_encoder, len(sparse_prompt)
        # What SAM 2's prompt encoder returns for one point that is none, and its padding.
        points = encoder.not_a_point_embed.weight.expand(batch, 2, -1)
        if prior is None:
            size = encoder.image_embedding_size
            dense = encoder.no_mask_embed.weight[..., None, None].expand(batch, -1, *size)
        else:
            size = encoder.mask_input_size
            dense = encoder.mask_downscaling(
                F.interpolate(prior, size, mode="bilinear", align_corners=False, antialias=True)
            )
        return torch.cat([points, sparse_prompt], dim=1), dense

    def step(
        self,
        features: ImageFeatures,
        prior: Tensor | None,
        sparse_prompt: Tensor,
        keys: GlobalKeys | None,
        bank: MemoryBank | None,
    ) -> FrameOutput:
        """Segment the next frame and remember it in `bank`; every field of the output has B in front.

        Args:
            features, keys: see `segment`.
            prior, sparse_prompt: see `prompt`.
            bank: the clips' past, changed in place; None: no history, every frame is a first frame.
        """
        prompts = self.prompt(prior, sparse_prompt)
        output, memory = self.segment(features, *prompts, keys, None if bank is None else bank.past())
        if bank is not None:
            bank.add(memory, output.object_pointer)
        return output

    def segment(
        self,
        features: ImageFeatures,
        sparse: Tensor,
        dense: Tensor,
        keys: GlobalKeys | None,
        past: Past | None,
    ) -> tuple[FrameOutput, Tensor]:
        """Segment a frame of each of B clips, given all that it depends on.

        Args:
            features: B frames, one of each clip.
            sparse, dense: the frames' prompts, as `prompt` makes them.
            keys: the clips' global context, or None without it.
            past: the clips' past, or None on a first frame.

        Returns:
            The output, every field with B in front, and the memory of the frame, B × m × h × w.
        """
        conditioned = self.recall(features, past)
        decoded = self.sam_mask_decoder.decode(
            conditioned,
            (features.level0, features.level1),
            self._dense_position(
                self.sam_prompt_encoder.get_dense_pe,
                self.sam_prompt_encoder.pe_layer.positional_encoding_gaussian_matrix,
            ),
            sparse,
            dense,
            keys,
            None if past is None else past.history,
        )
        present = decoded.object_score_logit > 0  # B × 1
        batch, best = torch.arange(len(decoded.iou), device=decoded.iou.device), decoded.iou.argmax(dim=1)
        logits = torch.where(present[..., None], decoded.masks[batch, best], NO_OBJECT_LOGIT)
        pointer = torch.where(present, self.obj_ptr_proj(decoded.tokens[batch, best]), self.no_obj_ptr)
        output = FrameOutput(
            logits, pointer, decoded.object_score_logit.squeeze(1), decoded.iou, conditioned, decoded.masks
        )
        return output, self.memorise(features, logits)

    def memorise(self, features: ImageFeatures, logits: Tensor) -> Tensor:
        """Return the memory features (B × m × h × w) of frames and their mask logits (B × h' × w') (5.9)."""
        size = (self.config.image_size, self.config.image_size)
        mask = F.interpolate(logits[:, None], size, mode="bilinear", align_corners=False).sigmoid() * 20 - 10
        return self.memory_encoder(features.level2, mask, skip_mask_sigmoid=True)["vision_features"]


def _in_one(first: nn.Conv2d, second: nn.Conv2d, x: Tensor) -> Tensor:
    """Return `second(first(x))` for two 1 × 1 convolutions, as the one that they amount to."""
    weight = second.weight.flatten(1) @ first.weight.flatten(1)
    bias = F.linear(cast(Tensor, first.bias), second.weight.flatten(1), second.bias)
    return F.conv2d(x, weight[..., None, None], bias)
