"""J and F of a checkpoint on clips that are not trained on, shared out among the processes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from mpgsam2.checkpoint import load_model
from mpgsam2.datasets.batches import batches
from mpgsam2.datasets.evaluate import cut
from mpgsam2.datasets.frame_scores import frame_scores
from mpgsam2.inference.query import LETTERS, Query
from mpgsam2.inference.segmenter import Segmenter
from mpgsam2.training.sources import ScoredClip

if TYPE_CHECKING:
    from accelerate import Accelerator


def validate(checkpoint: Path, clips: Iterable[ScoredClip], accelerator: Accelerator) -> dict[str, float]:
    """Return scores in percent: the mean over a sentence's frames, then over all sentences.

    Args:
        checkpoint: for `load_model`.
        clips: the same in all processes, each of which takes every n-th.
        accelerator: of the processes.

    Returns:
        "J", "F" and "J&F" in all processes; nothing if there is no clip.
    """
    model = load_model(checkpoint, accelerator.device)
    sums = torch.zeros(3, dtype=torch.float64)  # of J, of F, and how many sentences
    for number, clip in enumerate(clips):
        if number % accelerator.num_processes == accelerator.process_index:
            sums += _score(model, clip)
    J, F, count = accelerator.reduce(sums.float().to(accelerator.device), "sum").tolist()
    return {"J": 100 * J / count, "F": 100 * F / count, "J&F": 50 * (J + F) / count} if count else {}


def _score(model: Segmenter, clip: ScoredClip) -> torch.Tensor:
    sums = torch.zeros(3, dtype=torch.float64)
    model = cut(model, clip.window)
    for asked in batches(range(len(clip.texts)), len(LETTERS)):
        results = model.segment_several(clip.frames, [Query(clip.texts[i]) for i in asked])
        truths = zip(*(clip.truths[i] for i in asked), strict=True)
        frames = [
            [frame_scores(result.mask, truth) for result, truth in zip(*frame, strict=True)]
            for frame in zip(results, truths, strict=True)
            if frame[1][0] is not None
        ]
        means = torch.tensor(frames, dtype=torch.float64).mean(dim=0)  # sentences × 2
        sums += torch.cat([means.sum(dim=0), torch.tensor([len(means)])])
    return sums
