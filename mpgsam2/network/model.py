"""MPG-SAM 2, the network: from frames and token ids to mask logits (paper, figure 2)."""

from __future__ import annotations

import copy
import math
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, nullcontext
from itertools import chain, islice, repeat
from typing import TYPE_CHECKING, cast

import numpy as np
import torch
from torch import Tensor, nn

from mpgsam2.errors import InputError
from mpgsam2.network.ahead import ahead, nothing_ahead, two_at_once
from mpgsam2.network.beit3 import BEiT3, EncoderOutput
from mpgsam2.network.config import ModelConfig, config_from_state_dict
from mpgsam2.network.device import images_at_once, resized, upload
from mpgsam2.network.images import normalise
from mpgsam2.network.initialisation import SkipInitialisation
from mpgsam2.network.parts import Part, parts_of
from mpgsam2.network.prior import ClipContext, PriorLayers, interleave
from mpgsam2.network.state_dict import load_strict, strip_prefixes
from mpgsam2.network.threads import ONE_THREAD_PARAMETERS, on_one_thread, one_thread
from mpgsam2.network.tracker import FrameOutput, ImageFeatures, Tracker
from mpgsam2.network.walk import Walk
from mpgsam2.network.ways import is_plain
from mpgsam2.stages import ENCODING, FEATURES, stage

if TYPE_CHECKING:
    from typing_extensions import Self

_IMAGES_AHEAD = 8  # frames whose images a small network has encoded before they are tracked
_SMALL_BATCH = 4  # images that go through a small network's image encoder at once on a processor
_ENCODER_BATCH, _ENCODER_BATCH_ON_GPU = 8, 32  # frames that go through BEiT-3 at once


class MPGSAM2(PriorLayers):
    """The network. It knows tensors; `inference.Segmenter` asks it sentences.

    Attributes:
        config: every size.
        compiled: whether a part of it was compiled, which then is of its dtype for good.
    """

    def __init__(self, config: ModelConfig) -> None:
        """Build the network with weights that nothing was learned by."""
        super().__init__(config)
        self.config = config
        self.mm_extractor = nn.ModuleDict({"beit3": BEiT3(config.encoder)})
        self.visual_model = Tracker(config.tracker)
        self.compiled = False

    @classmethod
    def from_state_dict(
        cls, state_dict: Mapping[str, Tensor], config: ModelConfig | None = None, *, assign: bool = False
    ) -> Self:
        """Build the network that a checkpoint's tensors fit, and load them.

        Args:
            state_dict: tensors under the published names; training prefixes are stripped.
            config: its sizes; read off the tensors' shapes when not given.
            assign: the tensors become the network's own, without a copy where they are float32.

        Raises:
            InputError: tensors are missing, unexpected or wrongly shaped; the sentence names them.
        """
        state_dict = strip_prefixes(state_dict)
        with SkipInitialisation():
            network = cls(config or config_from_state_dict(state_dict))
        load_strict(network, state_dict, assign=assign)
        return network.eval()

    @property
    def beit3(self) -> BEiT3:
        """The encoder of frames and words."""
        return cast(BEiT3, self.mm_extractor["beit3"])

    @property
    def device(self) -> torch.device:
        """Where the parameters are."""
        return self.mask_product.weight.device

    @property
    def dtype(self) -> torch.dtype:
        """In which the image encoder and the memory attention compute.

        It is torch.float32 or, faster where the processor or the GPU has it, torch.bfloat16; the weights and all else
        stay in float32, see `Tracker.autocast`.
        """
        return self.visual_model.compute_dtype

    def in_dtype(self, dtype: torch.dtype) -> Self:
        """Return the same network, its weights shared, with matrix products of another `dtype`; this one stays as is.

        Raises:
            RuntimeError: a part of the network was compiled for the dtype that it has.
        """
        if dtype == self.dtype:
            return self
        if self.compiled:
            raise RuntimeError(f"The network is compiled for {self.dtype}.")
        other, tracker = copy.copy(self), copy.copy(self.visual_model)
        tracker.compute_dtype = dtype
        other._modules = {**self._modules, "visual_model": tracker}
        return other

    @property
    def is_small(self) -> bool:
        """Whether a second thread would save no time."""
        return sum(parameter.numel() for parameter in self.parameters()) < ONE_THREAD_PARAMETERS

    @property
    def in_threads(self) -> bool:
        """Whether the image encoder, the tracker and whoever uses the answers have a thread each.

        So it is for a small network on a processor.
        """
        return self.is_small and self.device.type == "cpu" and not (is_plain() or nothing_ahead())

    def encode_clip(
        self,
        frames: Iterable[np.ndarray],
        input_ids: Tensor | list[int],
        *,
        without: frozenset[str] = frozenset(),
        longest: int | None = None,
    ) -> ClipContext:
        """Read the clip and the sentence together: the left half of the network.

        Args:
            frames: T frames, H × W × 3 uint8 RGB each, read once; kept at the encoder's small size only.
            input_ids: L ids with `<s>` and `</s>`.
            without: parts to switch off; none of them acts here, `track` heeds them.
            longest: frames of the longest clip that is read as one. Those of a longer clip are dealt out in turn to as
                many clips as it takes, so that each spans the whole time. None: any is read as one.

        Returns:
            The clip's context: see `ClipContext` for shapes.

        Raises:
            InputError: there is no frame.
        """
        parts_of(without)
        with one_thread() if self.is_small else nullcontext():
            (context,) = self.encode(frames, [input_ids], longest=longest)
        return context

    @stage(ENCODING)
    @torch.inference_mode()
    def encode(
        self,
        frames: Iterable[np.ndarray],
        sentences: Iterable[Tensor | list[int]],
        *,
        longest: int | None = None,
    ) -> list[ClipContext]:
        """Encode as `encode_clip` does, several sentences, which share the embedding of the frames."""
        beit3 = self.beit3
        small = resized(frames, self.config.encoder.image_size, self.device)
        encoded: list[tuple[Tensor, list[EncoderOutput]]]
        encoded = [(torch.as_tensor(ids, device=self.device), []) for ids in sentences]
        at_once, frame_count = _ENCODER_BATCH_ON_GPU if self.device.type == "cuda" else _ENCODER_BATCH, 0

        def encode(images: list[Tensor]) -> list[EncoderOutput]:
            vision = beit3.vision_embed(normalise(upload(images, self.device)))
            return [beit3.fuse(vision, ids.expand(len(images), -1)) for ids, _ in encoded]

        batches = iter(lambda: list(islice(small, at_once)), [])
        for batch in two_at_once(encode, batches) if self.in_threads else map(encode, batches):
            for (_, tokens), of_sentence in zip(encoded, batch, strict=True):
                tokens.append(of_sentence)
            frame_count += len(batch[0].patches)
        if not frame_count:
            raise InputError("The clip has no frames.")
        contexts = []
        for _, tokens in encoded:
            whole = EncoderOutput(*map(torch.cat, zip(*tokens, strict=True)))
            tokens.clear()
            contexts.append(self._generate_context(whole, frame_count, longest))
        return contexts

    def _generate_context(self, encoded: EncoderOutput, frame_count: int, longest: int | None) -> ClipContext:
        clips = math.ceil(frame_count / longest) if longest else 1
        dealt = [range(first, frame_count, clips) for first in range(clips)]

        def generate(part: range) -> ClipContext:
            tokens = EncoderOutput(*(x[part.start :: clips] for x in encoded))
            return self.generate_prior(tokens, len(part))[1].unbatched()

        return interleave(list(two_at_once(generate, dealt) if self.in_threads else map(generate, dealt)))

    def track(
        self, frames: Iterable[np.ndarray], context: ClipContext, *, without: frozenset[str] = frozenset()
    ) -> Iterator[FrameOutput]:
        """Walk the clip in order: the right half of the network.

        Args:
            frames: the T frames that `context` was made of, read once and one at a time.
            context: what `encode_clip` returned.
            without: parts to switch off, any of `network.parts.Part` or their values.

        Yields:
            One output per frame.

        Raises:
            InputError: `without` holds something else; raised at the call.
        """
        outputs = self.track_several(frames, [context], [parts_of(without)])
        return (output for (output,) in (on_one_thread(outputs) if self.is_small else outputs))

    @torch.inference_mode()
    def track_several(
        self, frames: Iterable[np.ndarray], contexts: Sequence[ClipContext], without: Sequence[frozenset[Part]]
    ) -> Generator[list[FrameOutput]]:
        """Track as `track` does, several contexts of one clip, each with its own parts switched off.

        The features of a frame's image are computed once, and contexts with the same parts go as one batch.
        """
        tracker = self.visual_model
        walks = []
        for parts in dict.fromkeys(without):
            numbers = [i for i, others in enumerate(without) if others == parts]
            walks.append((numbers, Walk(tracker, [contexts[i] for i in numbers], parts)))
        seen = self._image_features(islice(frames, len(contexts[0].prior)))
        if self.in_threads:
            seen = ahead(seen, _IMAGES_AHEAD)
        with closing(seen):
            for t, features in enumerate(seen):
                outputs: dict[int, FrameOutput] = {}
                for numbers, walk in walks:
                    outputs.update(zip(numbers, walk.step(t, features), strict=True))
                yield [outputs[i] for i in range(len(contexts))]

    def _image_features(self, frames: Iterable[np.ndarray]) -> Generator[ImageFeatures]:
        """Yield what the image encoder sees in each frame; as many as is fastest go through it together."""
        large = resized(frames, self.config.tracker.image_size, self.device)
        numbers: Iterator[int] = repeat(images_at_once(self.config.tracker, self.device))
        if self.in_threads:
            numbers = chain([1], repeat(_SMALL_BATCH))  # the first one's result is waited for
        while images := list(islice(large, next(numbers))):
            batch = normalise(upload(images, self.device))
            with stage(FEATURES):
                features = self.visual_model.image_features(batch)
            yield from map(features.frame, range(len(images)))
