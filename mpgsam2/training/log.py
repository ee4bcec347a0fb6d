"""What a run of training tells while it goes on: a bar, a line of JSON now and then, and TensorBoard's curves."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from tqdm import tqdm

if TYPE_CHECKING:
    from accelerate import Accelerator


class Log:
    """The log of one run; the first process writes it, with losses that are means over all processes.

    Args:
        file: of JSON lines; what is there stays.
        accelerator: with TensorBoard as its tracker.
        name: of the run, beside the bar.
        total: steps in all; None where the clock decides.
        first: steps taken before.
        every: steps between lines of losses.
    """

    def __init__(
        self, file: Path, accelerator: Accelerator, name: str, total: int | None, first: int, every: int
    ) -> None:
        self._file, self._accelerator, self._every = file, accelerator, every
        accelerator.init_trackers("tensorboard")
        self._bar = tqdm(total=total, initial=first, desc=name, unit="step", disable=not accelerator.is_main_process)
        self._begin()

    def _begin(self) -> None:
        self._sums: dict[str, Tensor] = {}
        self._count, self._waited, self._since = 0, 0.0, time.monotonic()

    def losses(self, step: int, losses: Mapping[str, Tensor], waited: float, last: bool) -> None:
        """Note a step's losses, and tell their means where it is time.

        Args:
            step: steps taken.
            losses: scalars by name.
            waited: seconds for which the step waited for its clips.
            last: whether it is the last step of all.
        """
        for name, loss in losses.items():
            self._sums[name] = self._sums.get(name, 0.0) + loss
        self._count, self._waited = self._count + 1, self._waited + waited
        if self._bar.update():  # often enough to be looked at, so that a GPU is not waited for at every step
            self._bar.set_postfix(loss=f"{torch.stack(list(losses.values())).sum().item():.3f}")
        if step % self._every == 0 or last:
            mean = self._accelerator.reduce(torch.stack(list(self._sums.values())), "mean") / self._count
            took = time.monotonic() - self._since
            means = dict(zip(self._sums, mean.tolist(), strict=True))
            self._write({"step": step, **means, "seconds_a_step": took / self._count, "waiting": self._waited / took})
            self._accelerator.log({f"loss/{name}": value for name, value in means.items()}, step)
            self._begin()

    def scores(self, step: int, scores: Mapping[str, float]) -> None:
        """Tell scores, and begin to measure time anew."""
        if scores:
            self._write({"step": step, **scores})
            self._accelerator.log({f"score/{name}": value for name, value in scores.items()}, step)
        self._begin()

    def close(self) -> None:
        """End the bar and TensorBoard's file."""
        self._bar.close()
        for tracker in self._accelerator.trackers:
            tracker.finish()

    def _write(self, line: Mapping[str, float]) -> None:
        if self._accelerator.is_main_process:
            text = json.dumps({key: float(f"{value:.6g}") if key != "step" else value for key, value in line.items()})
            tqdm.write(text, file=sys.stdout)
            sys.stdout.flush()
            with self._file.open("a", encoding="utf-8") as log:
                log.write(text + "\n")
