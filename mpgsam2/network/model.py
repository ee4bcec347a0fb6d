"""MPG-SAM 2: from frames and a sentence to masks (paper, figure 2)."""

from __future__ import annotations

import copy
import math
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from itertools import chain, islice
from os import PathLike
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mpgsam2.errors import InputError
from mpgsam2.inference.capacity import frames_that_fit
from mpgsam2.inference.query import LETTERS, Query
from mpgsam2.inference.results import FrameResult
from mpgsam2.network.beit3 import BEiT3, EncoderOutput
from mpgsam2.network.config import ModelConfig, config_from_state_dict
from mpgsam2.network.device import Download, images_at_once, resized, upload
from mpgsam2.network.images import normalise, of_one_size
from mpgsam2.network.initialisation import SkipInitialisation
from mpgsam2.network.prior import ClipContext, PriorLayers, interleave
from mpgsam2.network.state_dict import load_strict, strip_prefixes
from mpgsam2.network.threads import ONE_THREAD_PARAMETERS, on_one_thread, one_thread
from mpgsam2.network.tracker import FrameOutput, Tracker
from mpgsam2.network.walk import Walk

if TYPE_CHECKING:
    from typing import Self  # Python 3.11

PARTS = frozenset({"prior", "global_context", "history"})
"""What `without` can switch off."""

_MOST_INTERLEAVED = 16  # clips to which the frames of a longer one are dealt out
_ENCODER_BATCH, _ENCODER_BATCH_ON_GPU = 8, 32  # frames that go through BEiT-3 at once


class MPGSAM2(PriorLayers):
    """The network. `checkpoint.load_model` gives it its words: `tokenizer`, `window` and `name`.

    Attributes:
        config: every size.
        tokenizer: sentence → ids; None when the network was built from tensors alone.
        window: longest clip in frames whose frames are encoded together; None: as long as memory allows.
        interleaved: what becomes of longer clips. False: they are cut in windows of that length, each its own clip.
            True: their frames are dealt out in turn to as many clips as it takes, so that each spans the whole time;
            the tracker walks through all of them without a break.
        name: what records call the checkpoint.
        fingerprint: of the weights, once `checkpoint.fingerprint` was asked for it.
        dtype: in which the image encoder and the memory attention compute, torch.float32 or, faster where the processor
            or the GPU has it, torch.bfloat16; the weights and all else stay in float32, see `Tracker.autocast`.
        compiled: whether a part of it was compiled, which then is of that dtype for good.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)
        self.config = config
        self.mm_extractor = nn.ModuleDict({"beit3": BEiT3(config.encoder)})
        self.visual_model = Tracker(config.tracker)
        self.tokenizer = None
        self.window: int | None = None
        self.interleaved = False
        self.name = "unnamed"
        self.compiled = False
        self.fingerprint: str | None = None

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
            net = cls(config or config_from_state_dict(state_dict))
        load_strict(net, state_dict, assign=assign)
        return net.eval()

    @property
    def dtype(self) -> torch.dtype:
        """See the class."""
        return self.visual_model.compute_dtype

    @dtype.setter
    def dtype(self, dtype: torch.dtype) -> None:
        self.visual_model.compute_dtype = dtype

    @property
    def device(self) -> torch.device:
        """Where the parameters are."""
        return self.mask_product.weight.device

    def in_dtype(self, dtype: torch.dtype) -> MPGSAM2:
        """The same network, its weights shared, with matrix products of another `dtype`; this one stays as it is.

        Raises:
            InputError: a part of the network was compiled for the dtype that it has.
        """
        if dtype == self.dtype:
            return self
        if self.compiled:
            own = str(self.dtype).removeprefix("torch.")
            raise InputError(f"The model {self.name} is compiled for {own} here: choose that, or auto.")
        other = copy.copy(self)
        other._modules = {**self._modules, "visual_model": copy.copy(self.visual_model)}  # where the dtype stands
        other.dtype = dtype
        return other

    @property
    def span(self) -> int | None:
        """Longest part of a clip in frames that is encoded and tracked without a break; None: as memory allows."""
        if self.window is None or not self.interleaved:
            return self.window
        return self.window * _MOST_INTERLEAVED

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
        with one_thread() if self._small else nullcontext():
            (context,) = self._encode(frames, [input_ids])
        return context

    def _encode(self, frames: Iterable[np.ndarray], sentences: Iterable[Tensor | list[int]]) -> list[ClipContext]:
        """As `encode_clip`, for several sentences, which share the embedding of the frames."""
        beit3 = self.mm_extractor["beit3"]
        small = resized(frames, self.config.encoder.image_size, self.device)
        encoded = [(torch.as_tensor(ids, device=self.device), []) for ids in sentences]
        at_once, count = _ENCODER_BATCH_ON_GPU if self.device.type == "cuda" else _ENCODER_BATCH, 0
        while images := list(islice(small, at_once)):
            vision = beit3.vision_embed(normalise(upload(images, self.device)))
            for ids, tokens in encoded:
                tokens.append(beit3.fuse(vision, ids.expand(len(images), -1)))
            count += len(images)
        if not count:
            raise InputError("The clip has no frames.")
        contexts = []
        for _, tokens in encoded:
            whole = EncoderOutput(*map(torch.cat, zip(*tokens, strict=True)))
            tokens.clear()
            contexts.append(self._generate_context(whole, count))
        return contexts

    def _generate_context(self, encoded: EncoderOutput, frames: int) -> ClipContext:
        clips = math.ceil(frames / self.window) if self.interleaved and self.window else 1
        dealt = [range(first, frames, clips) for first in range(clips)]
        parts = [EncoderOutput(*(x[part.start :: clips] for x in encoded)) for part in dealt]
        contexts = [self.generate_prior(part, len(of))[1].unbatched() for part, of in zip(parts, dealt, strict=True)]
        return interleave(contexts)

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
        outputs = self._track(frames, [context], [frozenset(without)])
        for (output,) in on_one_thread(outputs) if self._small else outputs:
            yield output

    def _track(
        self, frames: Iterable[np.ndarray], contexts: Sequence[ClipContext], without: Sequence[frozenset[str]]
    ) -> Iterator[list[FrameOutput]]:
        """As `track`, for several contexts of one clip, each with its own parts switched off.

        The features of a frame's image are computed once, and contexts with the same parts go as one batch.
        """
        tracker = self.visual_model
        walks = []
        for parts in dict.fromkeys(without):
            numbers = [i for i, others in enumerate(without) if others == parts]
            walks.append((numbers, Walk(tracker, [contexts[i] for i in numbers], parts)))
        large = resized(islice(frames, len(contexts[0].prior)), self.config.tracker.image_size, self.device)
        at_once, t = images_at_once(self.config.tracker, self.device), 0
        while images := list(islice(large, at_once)):
            features = tracker.image_features(normalise(upload(images, self.device)))
            for number in range(len(images)):
                outputs = {}
                for numbers, walk in walks:
                    outputs.update(zip(numbers, walk.step(t, features.frame(number)), strict=True))
                yield [outputs[i] for i in range(len(contexts))]
                t += 1

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
            InputError: the sentence or the frames cannot be used, or no word of the sentence is known; raised at the
                call, before any model work.
        """
        results = self.segment_several(frames, [Query(expression, frozenset(without))])
        self.tokenizer.check_known(expression)
        return (result for (result,) in results)

    def segment_several(
        self, frames: Iterable[np.ndarray], queries: Sequence[Query], *, threshold: float = 0.5
    ) -> Generator[tuple[FrameResult, ...]]:
        """Segment what each of several queries names, frame by frame.

        The masks are those of one run per query; what does not depend on the query is computed once.

        Args:
            frames: see `segment`.
            queries: one to four.
            threshold: the least probability of a pixel in a mask, between 0 and 1.

        Yields:
            Per frame one result for each query, in the queries' order.

        Raises:
            InputError: a query, the threshold or the frames cannot be used; raised at the call, before any model work.
        """
        sentences = self.encode_queries(queries)
        check_threshold(threshold)
        if isinstance(frames, (str, bytes, PathLike)):
            raise InputError(
                "The frames are given as the name of a file: open it with mpgsam2.video.open_clip and give the clip."
            )
        if not isinstance(frames, Iterable):
            raise InputError(f"The frames are one {type(frames).__name__}: give a clip, a list or any other iterable.")
        if iter(frames) is frames:
            frames = list(frames)
        results = self._segment(frames, queries, sentences, threshold)
        return on_one_thread(results) if self._small else results

    @property
    def _small(self) -> bool:
        """Whether a second thread would save no time."""
        return sum(parameter.numel() for parameter in self.parameters()) < ONE_THREAD_PARAMETERS

    def encode_queries(self, queries: Sequence[Query]) -> dict[str, list[int]]:
        """The token ids of every sentence, by the sentence.

        Raises:
            InputError: a sentence or a part to switch off cannot be used, or there is no query or too many.
        """
        if isinstance(queries, str) or not all(isinstance(query, Query) for query in queries):
            raise InputError('The sentences are no queries: give them as [mpgsam2.Query("the red circle"), …].')
        if not 1 <= len(queries) <= len(LETTERS):
            raise InputError(f"There are {len(queries)} sentences: ask 1 to {len(LETTERS)} of a clip at once.")
        if self.tokenizer is None:
            raise InputError("This network has no tokenizer: load it with mpgsam2.load_model.")
        for query in queries:
            check_parts(query.without)
        return {query.expression: self.tokenizer.encode(query.expression) for query in queries}

    @torch.inference_mode()
    def _segment(
        self,
        frames: Iterable[np.ndarray],
        queries: Sequence[Query],
        sentences: Mapping[str, list[int]],
        threshold: float,
    ) -> Generator[tuple[FrameResult, ...]]:
        ahead, behind = of_one_size(frames), iter(frames)  # the encoder's pass runs one span ahead of the tracker's
        without = [frozenset(query.without) for query in queries]
        span = self.span or frames_that_fit(self.config, len(sentences), self.device)
        index = 0
        for first in ahead:
            rest = islice(ahead, span - 1)
            encoded = self._encode(chain([first], rest), sentences.values())
            by_sentence = dict(zip(sentences, encoded, strict=True))
            contexts = [by_sentence[query.expression] for query in queries]
            priors = zip(*(context.prior[:, 0].cpu().numpy() for context in contexts), strict=True)
            coming = deque()
            for answers in zip(priors, self._track(behind, contexts, without), strict=True):
                coming.append(
                    [
                        self._coming_result(index, first.shape[:2], prior, output, threshold)
                        for prior, output in zip(*answers, strict=True)
                    ]
                )
                index += 1
                if len(coming) > self._lag:
                    yield tuple(finish() for finish in coming.popleft())
            for last in coming:
                yield tuple(finish() for finish in last)
        if index == 0:
            raise InputError("The clip has no frames.")

    @property
    def _lag(self) -> int:
        """How many frames a GPU has been asked for when an answer is awaited, beyond the one that is."""
        return int(self.device.type == "cuda")

    def frame_result(
        self, index: int, size: tuple[int, int], prior: np.ndarray, output: FrameOutput, threshold: float = 0.5
    ) -> FrameResult:
        """Turn the tracker's output for one frame into what a user gets.

        Args:
            index: of the frame in its clip.
            size: (H, W) of the clip's frames.
            prior: g × g float32 in 0..1.
            output: as `track` yields it; its mask is enlarged to `size`, and its scores are brought to the temperatures
                of the configuration's calibration.
            threshold: see `segment_several`.
        """
        return self._coming_result(index, size, prior, output, threshold)()

    def _coming_result(
        self, index: int, size: tuple[int, int], prior: np.ndarray, output: FrameOutput, threshold: float
    ) -> Callable[[], FrameResult]:
        """As `frame_result`; the answer is awaited only when what is returned is called."""
        calibration = self.config.calibration
        logits = output.low_res_logits[None, None].float()
        for side in ((self.config.tracker.image_size,) * 2, size):  # in two steps, as the published code does
            logits = F.interpolate(logits, side, mode="bilinear", align_corners=False)
        object_score = output.object_score_logit.float() / calibration.object_temperature
        iou = output.iou.max().float().logit() / calibration.iou_temperature
        download = Download([logits[0, 0].sigmoid(), object_score.sigmoid(), iou.sigmoid()])

        def finish() -> FrameResult:
            probability, object_score, iou = download.tensors()
            return FrameResult(
                index=index,
                mask=probability.numpy() >= threshold,
                probability=probability.numpy(),
                prior=prior,
                object_score=float(object_score),
                iou=float(iou),
            )

        return finish


def check_parts(without: Iterable[str]) -> None:
    """Raise `InputError` if `without` names something that cannot be switched off."""
    if unknown := set(without) - PARTS:
        raise InputError(
            f"Cannot switch off {', '.join(map(repr, sorted(unknown)))}: choose from {', '.join(sorted(PARTS))}."
        )


def check_threshold(threshold: float) -> None:
    """Raise `InputError` if a mask cannot be cut at that probability."""
    if not 0 < threshold < 1:
        raise InputError(f"The threshold is {threshold}: choose a probability between 0 and 1.")
