"""The loop of all training here: a task's steps from the last state to the end, on however many processes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import torch

from mpgsam2.inference.segmenter import Segmenter
from mpgsam2.interruption import Interrupted, Interruption
from mpgsam2.training.log import Log
from mpgsam2.training.optimisation import Optimisation
from mpgsam2.training.states import States
from mpgsam2.training.trainer import Trainee, Trainer

if TYPE_CHECKING:
    from accelerate import Accelerator

CHECKPOINT = "checkpoint"
"""The folder in a run's own that `load_model` reads."""

_EXIT_CODE = 128  # and a signal's number


class Task(Protocol):
    """What is trained, and on what.

    Attributes:
        name: beside the bar.
        model: the network with its words, as it is saved.
        trainee: holds the network; its forward pass is the objective.
        optimisation: how its weights change.
        steps: in all.
        log_every: steps between lines of losses.
        save_every: steps between states and checkpoints.
        score_every: steps between scores, for each of which there is a checkpoint, too.
    """

    name: str
    model: Segmenter
    optimisation: Optimisation
    steps: int
    log_every: int
    save_every: int
    score_every: int

    @property
    def trainee(self) -> Trainee:
        """See above."""

    def batches(self, first: int, process: int, processes: int) -> Iterator[Any]:
        """Return one process's batches from a step on; each can go to a device with `to`."""

    def finish(self, trainer: Trainer) -> None:
        """Change the network after the last step, before it is saved."""

    def score(self, checkpoint: Path, accelerator: Accelerator) -> dict[str, float]:
        """Score what was just saved, by name; all processes come here together."""


def train(
    task: Task,
    run: Path,
    accelerator: Accelerator,
    *,
    seconds: float | None = None,
    interruption: Interruption | None = None,
) -> None:
    """Train, or train what is left of it.

    Args:
        task: what is trained.
        run: its folder: `log.jsonl`, `tensorboard/`, `checkpoint/` for `load_model`, and `states/` to go on from.
        accelerator: of the processes that do it together.
        seconds: end after so long, whatever the steps: for a machine that is lent for a time. Rates then fall by the
            clock.
        interruption: what may stop it, after the step at work and with its state saved.

    Raises:
        Interrupted: it was stopped.
    """
    interruption = interruption or Interruption()
    trainer, states = Trainer(task.trainee, task.optimisation, accelerator), States(run / "states", accelerator)
    states.load(trainer)
    log = Log(
        run / "log.jsonl",
        accelerator,
        task.name,
        task.steps if seconds is None else None,
        trainer.steps,
        task.log_every,
    )
    batches = iter(task.batches(trainer.steps, accelerator.process_index, accelerator.num_processes))
    begun, part = time.monotonic(), trainer.steps / task.steps
    interruption.keep()
    try:
        while part < 1:
            began = time.monotonic()
            batch = next(batches).to(accelerator.device)
            waited = time.monotonic() - began
            losses = trainer.step(batch, part)
            part = trainer.steps / task.steps if seconds is None else (time.monotonic() - begun) / seconds
            signal, part = _agreed(interruption, part, accelerator)
            last = part >= 1
            log.losses(trainer.steps, losses, waited, last)
            if last:
                task.finish(trainer)
            elif signal:
                states.save(trainer)
                raise Interrupted(signal)
            score = last or trainer.steps % task.score_every == 0
            if score or trainer.steps % task.save_every == 0:
                states.save(trainer)
                trainer.write_checkpoint(task.model, run / CHECKPOINT)
            if score:
                log.scores(trainer.steps, task.score(run / CHECKPOINT, accelerator))
    finally:
        log.close()
    interruption.release()


def _agreed(interruption: Interruption, part: float, accelerator: Accelerator) -> tuple[int, float]:
    """Return the signal that asks to stop, 0 for none, and the part that is over, for all processes alike."""
    signal = 0
    try:
        interruption.release()
    except Interrupted as stop:
        signal = stop.exit_code - _EXIT_CODE
    interruption.keep()
    if accelerator.num_processes == 1:
        return signal, part
    mine = torch.tensor([signal, part], dtype=torch.float32, device=accelerator.device)
    signal, part = accelerator.reduce(mine, "max").tolist()
    return int(signal), part
