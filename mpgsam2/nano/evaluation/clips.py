"""Which clips are scored: seeds are all there is to the data sets.

    below 2**40                        training
    2**40 + 0 … 2**40 + 299            validation, the published figures; more follow up to 2**40 + 2**20 - 1
    2**40 + 2**20 and upwards          calibration
    2**41 and upwards                  the page's examples

Validation and calibration clips are of the full world, each with a sentence that names nothing in it, save the few in
which the world finds none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import overload

from mpgsam2.errors import InputError
from mpgsam2.nano.synthetic import (
    FULL,
    HELD_OUT,
    THINGS,
    THINGS_HELD_OUT,
    Expression,
    SyntheticClip,
    World,
    render_clip,
)

EVALUATION_SEED_OFFSET = 2**40
"""Training must keep below."""

CALIBRATION_SEED_OFFSET = EVALUATION_SEED_OFFSET + 2**20

VALIDATION_CLIPS = 300
"""How many clips the published figures are of."""

FAMILIES: dict[str, World] = {
    "seen": FULL,
    "held-out": HELD_OUT,
    "things": THINGS,
    "things-held-out": THINGS_HELD_OUT,
}
"""Validation clips of shapes and of everyday things: like those of training, and as training never shows them."""

THING_CLIPS = 400
"""How many clips the published figures about everyday things are of, `THING_FRAMES` in turn."""

THING_FRAMES = (16, 32, 48)


@dataclass(frozen=True)
class SeededClips(Sequence[SyntheticClip]):
    """The clips of consecutive seeds, each rendered when it is asked for and not kept.

    lengths: in frames, of the clips in turn, counted from the seed 0.
    """

    world: World
    lengths: tuple[int, ...]
    first: int
    clip_count: int

    def __len__(self) -> int:
        return self.clip_count

    @overload
    def __getitem__(self, index: int) -> SyntheticClip: ...
    @overload
    def __getitem__(self, index: slice) -> list[SyntheticClip]: ...
    def __getitem__(self, index: int | slice) -> SyntheticClip | list[SyntheticClip]:
        seeds = range(self.first, self.first + self.clip_count)[index]
        return [self._clip(seed) for seed in seeds] if isinstance(seeds, range) else self._clip(seeds)

    def _clip(self, seed: int) -> SyntheticClip:
        length = self.lengths[(seed - EVALUATION_SEED_OFFSET) % len(self.lengths)]
        return render_clip(seed, replace(self.world, frames=length))


def validation_clips(
    count: int = VALIDATION_CLIPS, *, family: str = "seen", seed: int = 0, frames: int | None = None
) -> SeededClips:
    """Return the clips to score on; the defaults are the published set.

    Args:
        count: number of clips.
        family: one of `FAMILIES`.
        seed: of the first clip, from 0; the next ones follow it.
        frames: of each clip; by default 16, and of everyday things 16, 32 and 48 in turn.

    Raises:
        InputError: a number is out of its range.
    """
    if seed < 0 or count < 1 or (frames is not None and frames < 1):
        raise InputError("An evaluation needs a seed from 0, and at least one clip of at least one frame.")
    if seed + count > CALIBRATION_SEED_OFFSET - EVALUATION_SEED_OFFSET:
        raise InputError("An evaluation's seeds end at 1048575: those beyond are for calibration.")
    usual = THING_FRAMES if FAMILIES[family].drawn else (16,)
    lengths = usual if frames is None else (frames,)
    return SeededClips(replace(FAMILIES[family], absent=1.0), lengths, EVALUATION_SEED_OFFSET + seed, count)


def calibration_clips(count: int, frames: int = 16, family: str = "seen") -> SeededClips:
    """Return the clips for `calibration.calibrate`, none of them a validation clip."""
    return SeededClips(replace(FAMILIES[family], absent=1.0), (frames,), CALIBRATION_SEED_OFFSET, count)


def sentences(clip: SyntheticClip, naming: int = 1) -> list[Expression]:
    """Return what a clip is asked: the first of its sentences that name something, at most `naming`, and all others.

    The first sentence has its kind by the world's weights.
    """
    named = [expression for expression in clip.expressions if expression.target is not None]
    return named[:naming] + [expression for expression in clip.expressions if expression.target is None]
