"""MPG-SAM 2: from frames and a sentence to masks (paper, figure 2)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mpgsam2.config import ModelConfig, config_from_state_dict
from mpgsam2.errors import InputError
from mpgsam2.network.beit3 import BEiT3
from mpgsam2.network.images import normalise, resize
from mpgsam2.network.initialisation import SkipInitialisation
from mpgsam2.network.prior import ClipContext, PriorLayers
from mpgsam2.network.state_dict import load_strict, strip_prefixes
from mpgsam2.network.tracker import FrameOutput, MemoryBank, Tracker
from mpgsam2.results import FrameResult

PARTS = frozenset({"prior", "global_context", "history"})
"""What `without` can switch off."""

_ENCODER_BATCH = 8  # frames that go through BEiT-3 at once


class MPGSAM2(PriorLayers):
    """The network. `checkpoint.load_model` gives it its words: `tokenizer`, `window` and `name`.

    Attributes:
        config: every size.
        tokenizer: sentence → ids; None when the network was built from tensors alone.
        window: longest clip in frames that is encoded at once; longer ones are cut in windows of that length, each its
            own clip. None: the whole clip at once.
        name: what records call the checkpoint.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)
        self.config = config
        self.mm_extractor = nn.ModuleDict({"beit3": BEiT3(config.encoder)})
        self.visual_model = Tracker(config.tracker)
        self.tokenizer = None
        self.window: int | None = None
        self.name = "unnamed"

    @classmethod
    def from_state_dict(cls, state_dict: Mapping[str, Tensor], config: ModelConfig | None = None) -> MPGSAM2:
        """Build the network that a checkpoint's tensors fit, and load them.

        Args:
            state_dict: tensors under the published names; training prefixes are stripped.
            config: its sizes; read off the tensors' shapes when not given.

        Raises:
            InputError: tensors are missing, unexpected or wrongly shaped; the sentence names them.
        """
        state_dict = strip_prefixes(state_dict)
        with SkipInitialisation():
            net = cls(config or config_from_state_dict(state_dict))
        load_strict(net, state_dict)
        return net.eval()

    @property
    def device(self) -> torch.device:
        """Where the parameters are."""
        return self.mask_product.weight.device

    @torch.inference_mode()
    def encode_clip(
        self, frames: Iterable[np.ndarray], input_ids: Tensor | list[int], *, without: frozenset[str] = frozenset()
    ) -> ClipContext:
        """Read the clip and the sentence together: the left half of the network.

        Args:
            frames: T frames, H × W × 3 uint8 RGB each, read once; kept at the encoder's small size only.
            input_ids: L ids with `<s>` and `</s>`.
            without: parts to switch off; none of them acts here, `track` heeds them.

        Returns:
            The clip's context: see `ClipContext` for shapes.

        Raises:
            InputError: there is no frame.
        """
        check_parts(without)
        ids = torch.as_tensor(input_ids, device=self.device)
        small = [resize(frame, self.config.encoder.image_size) for frame in frames]
        if not small:
            raise InputError("The clip has no frames.")
        encoded = [
            self.mm_extractor["beit3"](
                normalise(torch.stack(small[start : start + _ENCODER_BATCH]).to(self.device)),
                ids.expand(len(small[start : start + _ENCODER_BATCH]), -1),
            )
            for start in range(0, len(small), _ENCODER_BATCH)
        ]
        encoded = type(encoded[0])(*(torch.cat(tokens) for tokens in zip(*encoded, strict=True)))
        return self.generate_prior(encoded, len(small))[1].unbatched()

    @torch.inference_mode()
    def track(
        self, frames: Iterable[np.ndarray], context: ClipContext, *, without: frozenset[str] = frozenset()
    ) -> Iterator[FrameOutput]:
        """Walk the clip in order: the right half of the network.

        Args:
            frames: the T frames that `context` was made of, read once and one at a time.
            context: what `encode_clip` returned.
            without: any of `PARTS`. "prior": no dense prompt; "global_context": no fusion with the global context;
                "history": every frame is treated as a first frame.

        Yields:
            One output per frame.

        Raises:
            InputError: `without` holds something else.
        """
        check_parts(without)
        tracker = self.visual_model
        context = context.batched()
        count = context.prior.shape[1]
        keys = None if "global_context" in without else tracker.sam_mask_decoder.project_context(context)
        bank = None if "history" in without else MemoryBank(self.config.tracker, count)
        for t, frame in enumerate(islice(frames, count)):
            image = resize(frame, self.config.tracker.image_size)[None].to(self.device)
            output = tracker.step(
                tracker.image_features(normalise(image)),
                None if "prior" in without else context.prior[:, t],
                context.sparse_prompts[:, t],
                None if keys is None else keys.frame(t),
                bank,
            )
            yield output.unbatched()

    def segment(
        self, frames: Iterable[np.ndarray], expression: str, *, without: frozenset[str] = frozenset()
    ) -> Iterator[FrameResult]:
        """Segment what a sentence names, frame by frame.

        Args:
            frames: H × W × 3 uint8 RGB frames. What can be iterated again (a list, a `video.Clip`) is read twice and
                never held; an iterator is held in memory, since the whole clip is read before the first mask.
            expression: the sentence.
            without: see `track`.

        Yields:
            One result per frame.

        Raises:
            InputError: the sentence or the frames cannot be used; raised at the call, before any model work.
        """
        check_parts(without)
        if self.tokenizer is None:
            raise InputError("This network has no tokenizer: load it with mpgsam2.load_model.")
        ids = self.tokenizer.encode(expression)
        if iter(frames) is frames:
            frames = list(frames)
        return self._segment(frames, ids, without)

    @torch.inference_mode()
    def _segment(self, frames: Iterable[np.ndarray], ids: list[int], without: frozenset[str]) -> Iterator[FrameResult]:
        ahead, behind = iter(frames), iter(frames)  # the encoder's pass runs one window ahead of the tracker's
        index = 0
        for first in ahead:
            rest = islice(ahead, None if self.window is None else self.window - 1)
            context = self.encode_clip(chain([first], rest), ids)
            priors = context.prior[:, 0].cpu().numpy()
            for prior, output in zip(priors, self.track(behind, context, without=without), strict=True):
                yield self.frame_result(index, first.shape[:2], prior, output)
                index += 1
        if index == 0:
            raise InputError("The clip has no frames.")

    def frame_result(self, index: int, size: tuple[int, int], prior: np.ndarray, output: FrameOutput) -> FrameResult:
        """Turn the tracker's output for one frame into what a user gets.

        Args:
            index: of the frame in its clip.
            size: (H, W) of the clip's frames.
            prior: g × g float32 in 0..1.
            output: as `track` yields it; its mask is enlarged to `size` and cut at a probability of one half, and its
                scores are brought to the temperatures of the configuration's calibration.
        """
        calibration = self.config.calibration
        logits = output.low_res_logits[None, None].float()
        for side in ((self.config.tracker.image_size,) * 2, size):  # in two steps, as the published code does
            logits = F.interpolate(logits, side, mode="bilinear", align_corners=False)
        probability = logits[0, 0].sigmoid().cpu().numpy()
        return FrameResult(
            index=index,
            mask=probability >= 0.5,
            probability=probability,
            prior=prior,
            object_score=float((output.object_score_logit / calibration.object_temperature).sigmoid()),
            iou=float((output.iou.max().logit() / calibration.iou_temperature).sigmoid()),
        )


def check_parts(without: Iterable[str]) -> None:
    """Raise `InputError` if `without` names something that cannot be switched off."""
    if unknown := set(without) - PARTS:
        raise InputError(
            f"Cannot switch off {', '.join(map(repr, sorted(unknown)))}: choose from {', '.join(sorted(PARTS))}."
        )
