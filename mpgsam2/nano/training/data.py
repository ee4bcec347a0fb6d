"""Batches of synthetic clips, made in worker processes."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import IterableDataset, get_worker_info

from mpgsam2.checkpoint.tokenizer import WordTokenizer
from mpgsam2.nano.synthetic import SyntheticClip, render_clip
from mpgsam2.nano.training.recipe import Stage
from mpgsam2.nano.training.targets import ATTRIBUTES, attributes, coverage, word_places
from mpgsam2.network.beit3 import UNKNOWN
from mpgsam2.network.config import ModelConfig
from mpgsam2.network.images import resize


@dataclass
class Batch:
    """C clips of T frames with P clip-sentence pairs; S and E are the sides of the two branches' images."""

    small: Tensor  # C × T × 3 × E × E uint8
    large: Tensor  # C × T × 3 × S × S uint8; S = 0 where the tracker is not trained
    pair_clip: Tensor  # P int64, the clip of every pair
    input_ids: Tensor  # P × L int64, padded with <unk>
    coverage: Tensor  # P × T × g × g float32, share of every patch that the named thing covers
    masks: Tensor  # P × T × S/2 × S/2 float32 in 0..1, the named thing; empty where the sentence names nothing
    attributes: dict[str, Tensor]  # by name, C × T × g × g int64, -1 where nothing is asked
    places: Tensor  # P × L × T × g × g float32, where every word of the sentence has its place; -1: nowhere

    def to(self, device: torch.device) -> Batch:
        """Return the same on a device."""
        return self._each(lambda x: x.to(device, non_blocking=True))

    def pin_memory(self) -> Batch:
        """Return the same in memory from which a GPU fetches by itself."""
        return self._each(Tensor.pin_memory)

    def _each(self, change: Callable[[Tensor], Tensor]) -> Batch:
        changed = {name: change(value) for name, value in vars(self).items() if isinstance(value, Tensor)}
        return Batch(**changed, attributes={name: change(value) for name, value in self.attributes.items()})


class ClipStream(IterableDataset):
    """Endless batches of one stage; worker w of n makes every n-th batch. Same seeds, same batches.

    Where several processes train together, each sees clips of its own.
    """

    def __init__(
        self, stage: Stage, config: ModelConfig, tokenizer: WordTokenizer, first_step: int, process: int = 0
    ) -> None:
        self.stage = stage
        self.config = config
        self.tokenizer = tokenizer
        self.first_step = first_step
        self.first_seed = stage.seed + process * stage.steps * stage.frames

    def __iter__(self) -> Iterator[Batch]:
        worker = get_worker_info()
        offset, stride = (worker.id, worker.num_workers) if worker else (0, 1)
        cv2.setNumThreads(1)
        for step in itertools.count(self.first_step + offset, stride):
            yield self.batch(step)

    def batch(self, step: int) -> Batch:
        """Return the batch of one step."""
        start, end = self.stage.blend
        progress = step / self.stage.steps
        hard = 1.0 if progress >= end else max(progress - start, 0) / max(end - start, 1e-9)
        hard = min(hard, 1 - self.stage.kept)
        rng = random.Random(step)
        length = rng.choice(self.stage.lengths)
        clips = []
        for i in range(self.stage.frames // length):
            seed = self.first_seed + step * self.stage.frames + i
            world = self.stage.full if random.Random(seed).random() < hard else self.stage.easy
            clips.append(render_clip(seed, replace(world, frames=length)))
        return self._assemble(clips, rng)

    def _assemble(self, clips: list[SyntheticClip], rng: random.Random) -> Batch:
        encoder, tracker = self.config.encoder, self.config.tracker
        tracked = self.stage.trains != "prior"
        mask_side = tracker.image_size // 2
        small, large, answers, pairs = [], [], [], []
        for index, clip in enumerate(clips):
            small.append(torch.stack([resize(frame, encoder.image_size) for frame in clip.frames]))
            side = tracker.image_size
            large.append(
                torch.stack([resize(frame, side) for frame in clip.frames])
                if tracked
                else torch.zeros(len(clip.frames), 3, 0, 0, dtype=torch.uint8)
            )
            labels = np.stack(
                [cv2.resize(x, (encoder.image_size,) * 2, interpolation=cv2.INTER_NEAREST) for x in clip.labels]
            )
            covered = coverage(labels, len(clip.things), encoder.grid)
            answers.append(attributes(clip, covered))
            chosen = rng.sample(clip.expressions, min(self.stage.sentences, len(clip.expressions)))
            for expression in chosen:
                answer = np.zeros_like(covered[0]) if expression.target is None else covered[expression.target]
                mask = np.zeros((len(clip.frames), 0, 0), np.float32)
                if tracked:
                    mask = clip.mask(expression.target).astype(np.float32)
                    mask = np.stack([cv2.resize(m, (mask_side,) * 2, interpolation=cv2.INTER_AREA) for m in mask])
                pairs.append((index, expression.text, answer, mask, word_places(clip, covered, expression.kind)))
        ids = [self.tokenizer.encode(text) for _, text, *_ in pairs]
        length = max(map(len, ids))
        grid = (len(clips[0].frames), encoder.grid, encoder.grid)
        nowhere = np.full(grid, -1, np.float32)
        words = [["", *text.split(), ""] for _, text, *_ in pairs]  # where <s> and </s> stand, no word does
        return Batch(
            small=torch.stack(small),
            large=torch.stack(large),
            pair_clip=torch.tensor([index for index, *_ in pairs]),
            input_ids=torch.tensor([row + [UNKNOWN] * (length - len(row)) for row in ids]),
            coverage=torch.from_numpy(np.stack([covered for _, _, covered, _, _ in pairs])),
            masks=torch.from_numpy(np.stack([mask for _, _, _, mask, _ in pairs])),
            attributes={
                name: torch.from_numpy(np.stack([answer[name] for answer in answers])).long() for name in ATTRIBUTES
            },
            places=torch.from_numpy(
                np.stack(
                    [
                        np.stack([places.get(word, nowhere) for word in row + [""] * (length - len(row))])
                        for row, (*_, places) in zip(words, pairs, strict=True)
                    ]
                )
            ),
        )
