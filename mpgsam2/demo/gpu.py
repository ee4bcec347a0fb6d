"""The model's pass over a clip: the only part of a run that holds a GPU."""

from __future__ import annotations

import math
import os
import re
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

import gradio as gr
import numpy as np
import psutil
import spaces
import torch
from spaces.config import Config
from spaces.zero.config import get_config

from mpgsam2.demo.errors import errors_for_visitors
from mpgsam2.demo.estimate import LENT_SECONDS, Estimate, Work
from mpgsam2.demo.handover import Made, hand_over, take
from mpgsam2.demo.home import home
from mpgsam2.inference.query import Query
from mpgsam2.inference.results import FrameResult
from mpgsam2.inference.segmenter import Segmenter
from mpgsam2.network.insight import Sight, watch
from mpgsam2.video import Clip

_SERVER_PID = os.getpid()  # of the process that serves the page; a worker of ZeroGPU has another
_workers_runs = 0  # that this process made, if it is a worker


class FrameLoop(Protocol):
    """What a run needs of a model's pass over a clip; `Lending` has it.

    Attributes:
        limited: whether a run must be done in the time for which a GPU is lent.
    """

    limited: bool

    def most_frames(self, model: Segmenter, clip: Clip, queries: Sequence[Query]) -> int:
        """Return how many of the clip's frames one run can do."""

    def __call__(
        self,
        model: Segmenter,
        clip: Clip,
        queries: Sequence[Query],
        threshold: float,
        seen: list[Sight] | None = None,
    ) -> Generator[tuple[FrameResult, ...]]:
        """Ask queries of a clip; per frame one result for each query."""


class Lending:
    """`Segmenter.segment_several` as ZeroGPU can run it, in a worker process that lives as long as the GPU is lent.

    The clip goes in as its path and sizes; its frames are decoded in the worker, one at a time, because an iterator
    cannot be sent there. The results come back pickled (`handover`), so probabilities are narrowed to float16: 2⁻¹¹ off
    at most, an eighth of a grey level, and half the bytes. The masks are those of the full precision. With them come
    the seconds that they took, from which the next estimate learns.

    Off ZeroGPU the pass is made where it is called, and there is no limit.
    """

    def __init__(self, models: Mapping[str, Segmenter]) -> None:
        """Take the models, by name, each on the device where it runs."""
        self._models = models
        self.limited = Config.zero_gpu
        self._estimate, self._factor = None, 1.0
        if self.limited:
            self._estimate = Estimate(models, torch.cuda.get_device_properties(0).multi_processor_count)
            self._factor = get_config()["duration_factor"]
        self._pass = spaces.GPU(duration=self._duration)(self._timed)

    def most_frames(self, model: Segmenter, clip: Clip, queries: Sequence[Query]) -> int:
        """Return how many of a clip's frames can be done before the GPU must be given back; at least 1."""
        if self._estimate is None:
            return clip.frame_count
        return self._estimate.frames_within(Work.of(model.name, model.dtype, clip, queries), LENT_SECONDS)

    def __call__(
        self,
        model: Segmenter,
        clip: Clip,
        queries: Sequence[Query],
        threshold: float,
        seen: list[Sight] | None = None,
    ) -> Generator[tuple[FrameResult, ...]]:
        """Ask queries of a clip.

        Args:
            model: one of those that run here, in the dtype that is wanted.
            clip: as `open_clip` or `select` returns it.
            queries: one to four.
            threshold: the least probability of a pixel in a mask.
            seen: to which is added what the network looks at, see `network.insight`; None not to ask.

        Yields:
            Per frame one result for each query.

        Raises:
            gr.Error: ZeroGPU lends no GPU or took it away, or the run failed in its worker; it says what to do.
        """
        work = Work.of(model.name, model.dtype, clip, queries)
        done, start, running, called = 0, None, 0.0, time.monotonic()
        try:
            with (
                self._handover() as folder,
                self._sentences_for_visitors(work),
                closing(
                    self._pass(model.name, model.dtype, clip, queries, threshold, folder, seen is not None)
                ) as answers,
            ):
                for answer, *times in answers:
                    done += 1
                    start, running = times
                    results, sights = take(answer, folder) if folder else answer
                    if seen is not None:
                        seen.extend(sights)
                    yield results
        except gr.Error:
            waited = time.monotonic() - called
            if self._estimate is not None and not done and waited >= (asked := self._estimate.seconds(work)):
                self._estimate.learn(work, None, 2 * asked)  # cut off before the first frame
            raise
        finally:
            if self._estimate is not None and done:
                self._estimate.learn(replace(work, frames=done), start, running)

    def _duration(
        self,
        model: str,
        dtype: torch.dtype,
        clip: Clip,
        queries: Sequence[Query],
        threshold: float,
        folder: Path | None,
        watched: bool = False,
    ) -> int | None:
        """Return the seconds to ask for. ZeroGPU takes them for an H200's and multiplies them by the card's factor."""
        if self._estimate is None:
            return None
        seconds = self._estimate.seconds(Work.of(model, dtype, clip, queries))
        return min(math.ceil(seconds / self._factor), math.floor(LENT_SECONDS / self._factor))

    def _timed(
        self,
        model: str,
        dtype: torch.dtype,
        clip: Clip,
        queries: Sequence[Query],
        threshold: float,
        folder: Path | None,
        watched: bool = False,
    ) -> Generator[tuple[str | Made, float | None, float]]:
        """Yield in the worker: results or their file's name, seconds until it began if it is new, and seconds since."""
        starting, begun = _seconds_of_start(), time.monotonic()
        with errors_for_visitors():  # only the text of a gr.Error comes back from the worker
            segmenter = self._models[model].configured(dtype=dtype)
            watching: AbstractContextManager[list[Sight]] = watch(segmenter.network) if watched else nullcontext([])
            with watching as seen:
                for results in segmenter.segment_several(clip, queries, threshold=threshold):
                    narrowed = [replace(each, probability=each.probability.astype(np.float16)) for each in results]
                    sights = seen[:]
                    del seen[: len(sights)]  # and not what another thread has added by now
                    answer = tuple(narrowed), sights
                    sent = hand_over(answer, folder) if folder else answer
                    yield sent, starting, time.monotonic() - begun

    @contextmanager
    def _handover(self) -> Iterator[Path | None]:
        """Make the folder through which a worker hands over what it made; None off ZeroGPU."""
        if not self.limited:
            yield None
            return
        with TemporaryDirectory(prefix="worker-", dir=home()) as folder:
            yield Path(folder)

    @contextmanager
    def _sentences_for_visitors(self, work: Work) -> Iterator[None]:
        """Say what ZeroGPU says in a sentence that tells the visitor what they can do."""
        try:
            yield
        except gr.Error as error:
            if not self.limited or not str(error.title).startswith("ZeroGPU"):
                raise
            raise gr.Error(self._sentence(error.title, str(error.message), work), print_exception=False) from None
        except OSError as error:  # of the way to the worker; what is wrong with a clip or a disk is said elsewhere
            raise RuntimeError("The worker cannot be reached.") from error

    def _sentence(self, title: str, message: str, work: Work) -> str:
        if "No GPU was available" in message:
            return "No GPU was free within a minute: try again later; visitors who are signed in wait less."
        if title == "ZeroGPU worker error":
            return (
                "The GPU was taken away before the run was done: try again, and if it happens again use fewer frames, "
                "fewer sentences or a smaller model."
            )
        if title == "ZeroGPU illegal duration":
            return "This run would hold a GPU for longer than one is lent: use fewer frames or a smaller model."
        if title == "ZeroGPU pending credits exceeded":
            return "Your other runs hold all of your GPU time: try again when they are done."
        share = re.search(r"\((\d+)s requested vs\. (-?\d+)s left\)", message)
        if share and self._estimate:
            asked, left = map(int, share.groups())
            frames = self._estimate.frames_within(work, left)
            fewer = "use fewer frames" if frames < 2 else f"use at most {frames} frames"
            wait = re.search(r"Try again in (.+?)\. ", message)
            later = f"try again in {wait[1]} (hours:minutes:seconds)" if wait else "try again later"
            return (
                f"This run asks for {asked} s of a GPU, and of your daily share {max(left, 0)} s are left: {fewer}, "
                f"sign in to Hugging Face for a larger share, or {later}."
            )
        if title == "ZeroGPU quota exceeded":
            return (
                "Your share of GPU time, or that of this Space, is used up for now: sign in to Hugging Face for a "
                "larger one, use fewer frames, or try again later."
            )
        return "No GPU could be had: reload the page, sign in to Hugging Face, or try again later."


def frame_loop(models: Mapping[str, Segmenter]) -> Lending:
    """Return the pass of those models, see `Lending`."""
    return Lending(models)


def _seconds_of_start() -> float | None:
    """Return the seconds since this process began, if it is a worker's first run; None where nothing was started."""
    global _workers_runs
    if os.getpid() == _SERVER_PID:
        return None
    _workers_runs += 1
    return time.time() - psutil.Process().create_time() if _workers_runs == 1 else None
