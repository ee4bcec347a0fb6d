"""What is measured: one setting, or every combination of several."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product

from mpgsam2.errors import InputError
from mpgsam2.inference.query import LETTERS


@dataclass(frozen=True)
class Case:
    """One setting.

    Attributes:
        model: a preset of `config.PRESETS`, or what `load_model` takes.
        frames: of the clip.
        expressions: asked in one run.
        dtype: "float32" or "bfloat16", see `MPGSAM2.dtype`.
        device: "cpu", "cuda", …
        compiled: whether the network's larger parts go through `torch.compile`.
    """

    model: str = "nano"
    frames: int = 8
    expressions: int = 1
    dtype: str = "float32"
    device: str = "cpu"
    compiled: bool = False

    def __str__(self) -> str:
        parts = [self.model, _counted(self.frames, "frame"), _counted(self.expressions, "expression")]
        return ", ".join([*parts, self.dtype, self.device, *["compiled"] * self.compiled])


def cases(
    model: str, frames: Iterable[int], expressions: Iterable[int], *, dtype: str, device: str, compiled: bool
) -> list[Case]:
    """Return every number of frames with every number of expressions.

    Raises:
        InputError: a number is below 1, or there are more expressions than a run takes.
    """
    every = [Case(model, *numbers, dtype, device, compiled) for numbers in product(frames, expressions)]
    if any(case.frames < 1 or not 1 <= case.expressions <= len(LETTERS) for case in every):
        raise InputError(f"A benchmark needs at least one frame and 1 to {len(LETTERS)} expressions.")
    return every


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"
