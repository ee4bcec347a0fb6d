"""Batches of clips from data sets: the same step has the same clips, however many processes share them."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import Dataset

from mpgsam2.checkpoint.tokenizer import Tokenizer
from mpgsam2.errors import InputError
from mpgsam2.network.beit3 import UNKNOWN
from mpgsam2.network.config import ModelConfig
from mpgsam2.network.images import resize
from mpgsam2.training.augmentation import Distortion, flip
from mpgsam2.training.sources import Example, Source

_MAX_DRAWS = 100  # clips that are drawn until one shows its object


@dataclass
class ClipBatch:
    """B clips of T frames with a sentence each; S and E are the sides of the two branches' images."""

    small: Tensor  # B × T × 3 × E × E uint8
    large: Tensor  # B × T × 3 × S × S uint8
    input_ids: Tensor  # B × L int64, filled up with <unk>
    words: Tensor  # B × L bool, False where a sentence is filled up
    masks: Tensor  # B × T × S × S bool
    counts: Tensor  # B × T × S × S bool, where the truth is known

    def to(self, device: torch.device) -> ClipBatch:
        """Return the same on a device."""
        return ClipBatch(*(getattr(self, field.name).to(device, non_blocking=True) for field in fields(self)))

    def pin_memory(self) -> ClipBatch:
        """Return the same in memory from which a GPU fetches by itself."""
        return ClipBatch(*(getattr(self, field.name).pin_memory() for field in fields(self)))


@dataclass(frozen=True)
class Key:
    """An example of a source, and what its random choices depend on."""

    index: int
    seed: str


class Clips(Dataset):
    """Examples as the network takes them, by `Key`.

    The copy for BEiT-3 is not distorted, as in the published program; but it is flipped where the one for SAM 2 is.

    Args:
        source: of the examples.
        config: the network's.
        tokenizer: the network's.
        draws_absent: take clips that never show their object, too; otherwise others are drawn in their place.
    """

    def __init__(self, source: Source, config: ModelConfig, tokenizer: Tokenizer, draws_absent: bool = False) -> None:
        self._source, self._config, self._tokenizer = source, config, tokenizer
        self._draws_absent = draws_absent

    def __getitem__(self, key: Key) -> dict[str, Tensor]:
        rng = random.Random(key.seed)
        example = self._source.draw(key.index, rng) if self._draws_absent else self._visible(key.index, rng)
        if rng.random() < 0.5:
            example = flip(example)
        distort = Distortion.draw(rng)
        encoder, side = self._config.encoder, self._config.tracker.image_size
        known = [np.ones_like(mask) if counts is None else counts for mask, counts in example.truths]
        return {
            "small": torch.stack([resize(frame, encoder.image_size) for frame in example.frames]),
            "large": torch.stack([resize(distort(frame), side) for frame in example.frames]),
            "input_ids": torch.tensor(self._tokenizer.encode(example.text)),
            "masks": torch.stack([_resize_mask(truth.mask, side) for truth in example.truths]),
            "counts": torch.stack([_resize_mask(mask, side) for mask in known]),
        }

    def _visible(self, index: int, rng: random.Random) -> Example:
        """Return the example, or another one if its object is in none of the frames."""
        for _ in range(_MAX_DRAWS):
            example = self._source.draw(index, rng)
            if any(truth.mask.any() for truth in example.truths):
                return example
            index = rng.randrange(len(self._source))
        raise InputError(f"Of {_MAX_DRAWS} clips none shows what its sentence names: check the masks of the data set.")


def collate(examples: Sequence[dict[str, Tensor]]) -> ClipBatch:
    """Return examples as a batch."""
    alike = ("small", "large", "masks", "counts")
    ids = [example["input_ids"] for example in examples]
    words = [torch.ones_like(row, dtype=torch.bool) for row in ids]
    return ClipBatch(
        **{name: torch.stack([example[name] for example in examples]) for name in alike},
        input_ids=pad_sequence(ids, batch_first=True, padding_value=UNKNOWN),
        words=pad_sequence(words, batch_first=True),
    )


def keys(count: int, batch: int, first: int, process: int, processes: int) -> Iterator[list[Key]]:
    """Yield what one process takes in each step from a step on, without end; an epoch's order is its own.

    Args:
        count: examples of the source.
        batch: examples a step and process.
        first: the step.
        process, processes: its number, and how many share a step.
    """
    per_step = batch * processes
    per_epoch = steps_per_epoch(count, batch, processes)
    epoch, order = -1, []
    for step in itertools.count(first):
        if step // per_epoch != epoch:
            epoch = step // per_epoch
            order = list(range(count))
            random.Random(epoch).shuffle(order)
        begin = step % per_epoch * per_step + process * batch
        yield [Key(order[place % count], f"{epoch} {place}") for place in range(begin, begin + batch)]


def steps_per_epoch(count: int, batch: int, processes: int) -> int:
    """Return how many steps see every example once; the last one begins the order anew where it is not filled."""
    return -(-count // (batch * processes))


def _resize_mask(mask: np.ndarray, side: int) -> Tensor:
    values = np.ascontiguousarray(mask, np.uint8)
    return torch.from_numpy(cv2.resize(values, (side, side), interpolation=cv2.INTER_NEAREST_EXACT)).bool()
