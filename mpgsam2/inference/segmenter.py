"""A network that is asked sentences: from frames and what somebody wrote to masks, frame by frame."""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from os import PathLike
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from mpgsam2.errors import InputError
from mpgsam2.inference.capacity import frames_that_fit
from mpgsam2.inference.config import InferenceConfig
from mpgsam2.inference.query import LETTERS, Query
from mpgsam2.inference.results import FrameResult
from mpgsam2.inference.tokenizer import Tokenizer
from mpgsam2.network.ahead import ahead
from mpgsam2.network.config import ModelConfig
from mpgsam2.network.device import Download
from mpgsam2.network.fingerprint import fingerprint
from mpgsam2.network.images import of_one_size
from mpgsam2.network.model import MPGSAM2
from mpgsam2.network.parts import parts_of
from mpgsam2.network.prior import ClipContext
from mpgsam2.network.threads import on_one_thread
from mpgsam2.network.tracker import FrameOutput
from mpgsam2.stages import TRACKING, in_stage

if TYPE_CHECKING:
    from typing_extensions import Self

T = TypeVar("T")

_RESULTS_AHEAD = 2  # that a small network has before they are wanted


@dataclass(frozen=True)
class Answer:
    """What the network says of a frame to one query, as tensors where the network is; `Segmenter.result` reads it."""

    index: int
    span: range  # frames that were encoded and tracked together, this one among them
    size: tuple[int, int]  # (H, W) of the clip's frames
    prior: np.ndarray  # g × g float32 in 0..1
    output: FrameOutput


class Segmenter:
    """A network and what a checkpoint brings besides weights; `checkpoint.load_model` makes it.

    How it is asked does not change: `configured` gives another one that shares its weights.

    Attributes:
        network: the tensors' part of it.
        tokenizer: sentence → ids.
        name: what records call the checkpoint.
        inference: how the network is asked: window, span, calibration, dtype.
    """

    def __init__(
        self,
        network: MPGSAM2,
        tokenizer: Tokenizer,
        name: str = "unnamed",
        inference: InferenceConfig = InferenceConfig(),  # noqa: B008
    ) -> None:
        """Put them together.

        Raises:
            InputError: the vocabulary has more tokens than the network, or the network is compiled for another dtype.
        """
        rows = network.config.encoder.vocabulary_size
        if tokenizer.vocabulary_size > rows:
            raise InputError(
                f"The vocabulary has {tokenizer.vocabulary_size} tokens and the network knows {rows}: "
                "they are not of the same checkpoint."
            )
        self.tokenizer, self.name, self.inference = tokenizer, name, inference
        self._encoded: dict[str, list[int]] = {}  # the sentences that were asked last, which a run checks and then asks
        self.network = self._in_dtype(network)

    def configured(self, **changes: Any) -> Self:
        """Return the same network, its weights shared, asked in another way.

        Args:
            changes: fields of `InferenceConfig`, such as `span=48` or `dtype=torch.bfloat16`.

        Raises:
            InputError: a value is none that it can have, or the network is compiled for another dtype.
        """
        inference = replace(self.inference, **changes)
        if inference == self.inference:
            return self
        other = copy.copy(self)
        other.inference = inference
        other.network = other._in_dtype(self.network)
        return other

    def to(self, device: str | torch.device) -> Self:
        """Move the network's weights to another device."""
        self.network.to(device)
        return self

    @property
    def config(self) -> ModelConfig:
        """The network's sizes."""
        return self.network.config

    @property
    def device(self) -> torch.device:
        """Where the network's parameters are."""
        return self.network.device

    @property
    def dtype(self) -> torch.dtype:
        """See `MPGSAM2.dtype`."""
        return self.network.dtype

    @property
    def window(self) -> int | None:
        """See `InferenceConfig`."""
        return self.inference.window

    @property
    def interleaved(self) -> bool:
        """See `InferenceConfig`."""
        return self.inference.interleaved

    @property
    def fingerprint(self) -> str:
        """Hex SHA-256 of the weights, see `network.fingerprint`."""
        return fingerprint(self.network)

    def state_dict(self) -> dict[str, Tensor]:
        """Return the network's weights, under the published names."""
        return self.network.state_dict()

    def longest_span(self, sentences: int = 1) -> int:
        """Return the longest span of a clip in frames that is encoded and tracked without a break.

        The settings say it, or else how much memory is free now, half of which it may take.

        Args:
            sentences: asked at once.
        """
        return self.inference.longest_span or frames_that_fit(self.config, sentences, self.device)

    def encode_clip(
        self, frames: Iterable[np.ndarray], input_ids: Tensor | list[int], *, without: frozenset[str] = frozenset()
    ) -> ClipContext:
        """Encode as `MPGSAM2.encode_clip` does, the frames dealt out to several clips where windows are interleaved."""
        return self.network.encode_clip(frames, input_ids, without=without, longest=self._dealt)

    def track(
        self, frames: Iterable[np.ndarray], context: ClipContext, *, without: frozenset[str] = frozenset()
    ) -> Iterator[FrameOutput]:
        """See `MPGSAM2.track`."""
        return self.network.track(frames, context, without=without)

    def segment(
        self,
        frames: Iterable[np.ndarray],
        expression: str,
        *,
        without: frozenset[str] = frozenset(),
        prior: np.ndarray | None = None,
    ) -> Iterator[FrameResult]:
        """Segment what a sentence names, frame by frame.

        Args:
            frames: H × W × 3 uint8 RGB frames. What can be iterated again (a list, a `video.Clip`) is read twice and
                never held; an iterator is held in memory, since the whole clip is read before the first mask.
            expression: the sentence.
            without: see `MPGSAM2.track`.
            prior: see `answers`.

        Yields:
            One result per frame.

        Raises:
            InputError: the sentence or the frames cannot be used, or no word of the sentence is known; raised at the
                call, before any model work.
        """
        results = self.segment_several(frames, [Query(expression, frozenset(without))], prior=prior)
        self.tokenizer.check_known(expression)
        return (result for (result,) in results)

    def segment_several(
        self,
        frames: Iterable[np.ndarray],
        queries: Sequence[Query],
        *,
        threshold: float = 0.5,
        prior: np.ndarray | None = None,
    ) -> Generator[tuple[FrameResult, ...]]:
        """Segment what each of several queries names, frame by frame.

        The masks are those of one run per query; what does not depend on the query is computed once.

        Args:
            frames: see `segment`.
            queries: one to four.
            threshold: the least probability of a pixel in a mask, between 0 and 1.
            prior: see `answers`.

        Yields:
            Per frame one result for each query, in the queries' order.

        Raises:
            InputError: a query, the threshold or the frames cannot be used; raised at the call, before any model work.
        """
        check_threshold(threshold)
        answers = self._answers(*self._checked(frames, queries), prior)
        return self._on_its_threads(in_stage(TRACKING, self._results(answers, threshold)))

    def answers(
        self, frames: Iterable[np.ndarray], queries: Sequence[Query], *, prior: np.ndarray | None = None
    ) -> Generator[list[Answer]]:
        """Answer as `segment_several` does, one level below.

        Args:
            frames, queries: see `segment_several`.
            prior: T × g × g float32 in 0..1, what the tracker is given in place of the network's own prior.

        Yields:
            Per frame one answer for each query, in the queries' order.

        Raises:
            InputError: a query or the frames cannot be used; raised at the call, before any model work.
        """
        return self._on_its_threads(self._answers(*self._checked(frames, queries), prior))

    def encode_queries(self, queries: Sequence[Query]) -> dict[str, list[int]]:
        """Return the token ids of every sentence, by the sentence.

        Raises:
            InputError: a sentence or a part to switch off cannot be used, or there is no query or too many.
        """
        if isinstance(queries, str) or not all(isinstance(query, Query) for query in queries):
            raise InputError('The sentences are no queries: give them as [mpgsam2.Query("the red circle"), …].')
        if not 1 <= len(queries) <= len(LETTERS):
            raise InputError(f"There are {len(queries)} sentences: ask 1 to {len(LETTERS)} of a clip at once.")
        for query in queries:
            parts_of(query.without)
        encoded: dict[str, list[int]] = {}
        for expression in (query.expression for query in queries):
            known = isinstance(expression, str) and (encoded.get(expression) or self._encoded.get(expression))
            ids = known or self.tokenizer.encode(expression)  # which refuses what is no text
            encoded[expression] = ids
        self._encoded = encoded
        return encoded

    def result(self, answer: Answer, threshold: float = 0.5) -> FrameResult:
        """Turn what the network says of a frame into what a user gets.

        Args:
            answer: as `answers` yields it; its mask is enlarged to the frames' size, and its scores are brought to the
                temperatures of the calibration.
            threshold: see `segment_several`.
        """
        return self._coming_result(answer, threshold)()

    def _in_dtype(self, network: MPGSAM2) -> MPGSAM2:
        if network.compiled and network.dtype != self.inference.dtype:
            own = str(network.dtype).removeprefix("torch.")
            raise InputError(f"The model {self.name} is compiled for {own} here: choose that, or auto.")
        return network.in_dtype(self.inference.dtype)

    @property
    def _dealt(self) -> int | None:
        """Frames of each of the clips to which those of a longer one are dealt out; None: they are not."""
        return self.inference.window if self.inference.interleaved else None

    def _on_its_threads(self, items: Generator[T]) -> Generator[T]:
        """Return the same items; a small network's are computed with one thread of torch's, if need be in their own."""
        if self.network.in_threads:
            return ahead(items, _RESULTS_AHEAD)
        return on_one_thread(items) if self.network.is_small else items

    def _checked(
        self, frames: Iterable[np.ndarray], queries: Sequence[Query]
    ) -> tuple[Iterable[np.ndarray], Sequence[Query], dict[str, list[int]]]:
        """Return frames that can be read twice, the queries, and their sentences' ids; raises as `answers` does."""
        sentences = self.encode_queries(queries)
        if isinstance(frames, (str, bytes, PathLike)):
            raise InputError(
                "The frames are given as the name of a file: open it with mpgsam2.video.open_clip and give the clip."
            )
        if not isinstance(frames, Iterable):
            raise InputError(f"The frames are one {type(frames).__name__}: give a clip, a list or any other iterable.")
        if iter(frames) is frames:
            frames = list(frames)
        return frames, queries, sentences

    @torch.inference_mode()
    def _answers(
        self,
        frames: Iterable[np.ndarray],
        queries: Sequence[Query],
        sentences: Mapping[str, list[int]],
        prior: np.ndarray | None,
    ) -> Generator[list[Answer]]:
        # The encoder's pass runs one span ahead of the tracker's.
        first_pass, behind = of_one_size(frames), iter(frames)
        without = [parts_of(query.without) for query in queries]
        longest = self.longest_span(len(sentences))  # of them all, whatever becomes of the memory
        span = range(0)
        for first in first_pass:
            rest = islice(first_pass, longest - 1)
            encoded = self.network.encode(chain([first], rest), sentences.values(), longest=self._dealt)
            by_sentence = dict(zip(sentences, encoded, strict=True))
            contexts = [by_sentence[query.expression] for query in queries]
            span = range(span.stop, span.stop + len(contexts[0].prior))
            if prior is not None:
                given = torch.from_numpy(prior[span.start : span.stop, None]).to(self.device)
                contexts = [context._replace(prior=given) for context in contexts]
            priors = zip(*(context.prior[:, 0].cpu().numpy() for context in contexts), strict=True)
            steps = zip(span, priors, self.network.track_several(behind, contexts, without), strict=True)
            for index, told, outputs in steps:
                yield [Answer(index, span, first.shape[:2], *pair) for pair in zip(told, outputs, strict=True)]
        if not span:
            raise InputError("The clip has no frames.")

    @torch.inference_mode()
    def _results(self, answers: Generator[list[Answer]], threshold: float) -> Generator[tuple[FrameResult, ...]]:
        coming: deque[list[Callable[[], FrameResult]]] = deque()
        for frame in answers:
            coming.append([self._coming_result(answer, threshold) for answer in frame])
            if len(coming) > self._lag:
                yield tuple(finish() for finish in coming.popleft())
        for last in coming:
            yield tuple(finish() for finish in last)

    @property
    def _lag(self) -> int:
        """How many frames a GPU has been asked for when an answer is awaited, beyond the one that is."""
        return int(self.device.type == "cuda")

    def _coming_result(self, answer: Answer, threshold: float) -> Callable[[], FrameResult]:
        """Return what `result` does; the answer is awaited only when what is returned is called."""
        output, calibration = answer.output, self.inference.calibration
        logits = output.low_res_logits[None, None].float()
        for side in ((self.config.tracker.image_size,) * 2, answer.size):  # in two steps, as the published code does
            logits = F.interpolate(logits, side, mode="bilinear", align_corners=False)
        object_logit = output.object_score_logit.float() / calibration.object_temperature
        iou_logit = output.iou.max().float().logit() / calibration.iou_temperature
        download = Download([logits[0, 0].sigmoid(), object_logit.sigmoid(), iou_logit.sigmoid()])

        def finish() -> FrameResult:
            probability, object_score, iou = download.tensors()
            return FrameResult(
                index=answer.index,
                mask=probability.numpy() >= threshold,
                probability=probability.numpy(),
                prior=answer.prior,
                object_score=float(object_score),
                iou=float(iou),
                span=answer.span,
            )

        return finish


def check_threshold(threshold: float) -> None:
    """Raise `InputError` if a mask cannot be cut at that probability."""
    if not 0 < threshold < 1:
        raise InputError(f"The threshold is {threshold}: choose a probability between 0 and 1.")
