"""States of a training run, from which it goes on as if it had not been stopped."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from mpgsam2.training.trainer import Trainer

if TYPE_CHECKING:
    from accelerate import Accelerator

_STATE = re.compile(r"state-(\d+)")


class States:
    """The newest state in a folder; an older one is deleted when a newer one is whole.

    Args:
        folder: made if it is not there.
        accelerator: of the processes that come here together.
    """

    def __init__(self, folder: Path, accelerator: Accelerator) -> None:
        self._folder, self._accelerator = folder, accelerator

    def load(self, trainer: Trainer) -> None:
        """Bring a trainer to the newest state, if there is one: weights, optimiser, random numbers, steps."""
        if states := self._states():
            self._accelerator.load_state(str(states[-1]))

    def save(self, trainer: Trainer) -> None:
        """Write a trainer's state, whole or not at all."""
        older = self._states()
        state = self._folder / f"state-{trainer.steps}"
        if state in older:
            return
        unfinished = state.with_name(f"{state.name}.part")
        if self._accelerator.is_main_process:
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir(parents=True)
        self._accelerator.wait_for_everyone()
        self._accelerator.save_state(str(unfinished))
        self._accelerator.wait_for_everyone()
        if self._accelerator.is_main_process:
            unfinished.rename(state)
            for folder in older:
                shutil.rmtree(folder)
        self._accelerator.wait_for_everyone()

    def _states(self) -> list[Path]:
        """Return whole states, by their steps."""
        found = {int(match[1]): path for path in self._folder.glob("*") if (match := _STATE.fullmatch(path.name))}
        return [found[steps] for steps in sorted(found)]
