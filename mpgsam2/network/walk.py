"""The tracker's way through one clip, for sentences that go as one batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor

from mpgsam2.network.cuda_graph import Graphed
from mpgsam2.network.parts import Part
from mpgsam2.network.prior import ClipContext, stack
from mpgsam2.network.tracker import FrameOutput, ImageFeatures, MemoryBank, Tracker

_PROMPTS_PER_BATCH = 8  # frames' prompts do not depend on each other
_MIN_FRAMES_TO_RECORD = 16  # that are left, for a CUDA graph to save more time than its recording takes


class Walk:
    """One clip from its first frame to its last.

    Args:
        tracker: that takes the steps.
        contexts: of the clip, one for each sentence.
        without: the parts that are switched off, the same for all of them.
    """

    def __init__(self, tracker: Tracker, contexts: Sequence[ClipContext], without: frozenset[Part]) -> None:
        self.context, words = stack(contexts)
        self.frame_count = self.context.prior.shape[1]
        self.has_prior = Part.PRIOR not in without
        self.keys, self.bank = None, None
        if Part.GLOBAL_CONTEXT not in without:
            self.keys = tracker.sam_mask_decoder.project_context(self.context, words)
        if Part.HISTORY not in without:
            self.bank = MemoryBank(tracker.config, self.frame_count)
        self._prompt = tracker.prompt
        self._segment: Callable[..., tuple[FrameOutput, Tensor]] = tracker.segment

    @property
    def on_gpu(self) -> bool:
        """Whether the clip's context is on one."""
        return self.context.prior.is_cuda

    def step(self, t: int, features: ImageFeatures) -> list[FrameOutput]:
        """Segment frame t, the next one, for each sentence; the features are those of its image."""
        if t % _PROMPTS_PER_BATCH == 0:
            self._prompts = self._make_prompts(t)
        frame = (
            features.expand(len(self.context.prior)),
            *(prompts[:, t % _PROMPTS_PER_BATCH] for prompts in self._prompts),
            None if self.keys is None else self.keys.frame(t),
            None if self.bank is None else self.bank.past(),
        )
        if self._alike_from_now_on(t):
            self._segment = Graphed(self._segment, *frame)
        output, memory = self._segment(*frame)
        if self.bank is not None:
            self.bank.add(memory, output.object_pointer)
        return output.split()

    def _make_prompts(self, t: int) -> list[Tensor]:
        """Return the sparse tokens (B × n × 3 × c) and dense prompts (B × n × c × h × w) of frames t … t + n - 1."""
        prior, sentence = (
            field[:, t : t + _PROMPTS_PER_BATCH].flatten(0, 1)
            for field in (self.context.prior, self.context.sparse_prompts)
        )
        prompts = self._prompt(prior if self.has_prior else None, sentence)
        return [x.unflatten(0, (len(self.context.prior), -1)) for x in prompts]

    def _alike_from_now_on(self, t: int) -> bool:
        """Return whether a GPU is at work, all coming steps have this one's shapes, and there are enough of them."""
        if isinstance(self._segment, Graphed) or not self.on_gpu:
            return False
        return self.frame_count - t >= _MIN_FRAMES_TO_RECORD and (self.bank is None or self.bank.full)
