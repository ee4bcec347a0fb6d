"""A stage of nano's training, as the loop takes it."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

import safetensors.torch
from torch import Tensor

from mpgsam2.checkpoint import load_model
from mpgsam2.checkpoint.tokenizer import WordTokenizer
from mpgsam2.errors import InputError
from mpgsam2.nano.synthetic import SyntheticClip, render_clip
from mpgsam2.nano.training.data import Batch, ClipStream
from mpgsam2.nano.training.growth import grown
from mpgsam2.nano.training.progress import progress
from mpgsam2.nano.training.recipe import STAGES, Stage
from mpgsam2.nano.training.refit import refit
from mpgsam2.nano.training.trainee import NanoTrainee, attend_alike, in_words, new_network
from mpgsam2.training.loading import loader
from mpgsam2.training.optimisation import Optimisation
from mpgsam2.training.trainer import Trainer

if TYPE_CHECKING:
    from accelerate import Accelerator

_TRAINED_FILE = "trainee.safetensors"  # in the folder of a stage that is done: averaged weights, and auxiliary heads


class StageTask:
    """A stage, with the network that it begins with.

    Args:
        name: of the stage; its folder in the run's has that name.
        stage: what is trained, on what.
        run: folder of all stages.
        workers: processes that make clips.
        clips: on which every checkpoint is scored for the log.
        start: a nano checkpoint folder to begin at, in place of the earlier stages; its training-only heads are new.
        save_every: steps between checkpoints.

    Raises:
        InputError: an earlier stage that this one starts from has not been trained in `run`.
    """

    log_every = 50

    def __init__(
        self,
        name: str,
        stage: Stage,
        run: Path,
        workers: int,
        clips: Sequence[SyntheticClip] = (),
        start: Path | None = None,
        save_every: int = 250,
    ) -> None:
        self.name, self.steps, self.save_every, self.score_every = name, stage.steps, save_every, save_every
        self.optimisation = Optimisation(
            rate=stage.rate,
            weight_decay=0.01,
            clip_norm=1.0,
            betas=(0.9, 0.98),
            frozen=stage.frozen,
            warm_up=100,
            plateau=0.75,
            ema_decay=0.998,
        )
        self._stage, self._folder, self._workers, self._clips = stage, run / name, workers, clips
        network = new_network()
        self.model, self.trainee = in_words(network), NanoTrainee(network, stage)
        if start:
            network.load_state_dict(grown(load_model(start), self.model))
        else:
            for earlier in stage.starts_from:
                self.trainee.load_state_dict(_trained_by(earlier, run), strict=False)
        if stage.alike:
            attend_alike(network)
        self._before = copy.deepcopy(network).eval() if stage.refit else None

    def batches(self, first: int, process: int, processes: int) -> Iterator[Batch]:
        """See `Task.batches`."""
        stream = ClipStream(self._stage, self.model.config, cast(WordTokenizer, self.model.tokenizer), first, process)
        return iter(loader(stream, self._workers, batch_size=None))

    def finish(self, trainer: Trainer) -> None:
        """Finish as `Task.finish` says: the tracker is told what it was told, and later stages find the weights."""
        average = trainer.average
        assert average is not None  # every stage of nano keeps one
        if self._before:
            seeds = range(self._stage.seed - self._stage.refit, self._stage.seed)
            clips = (render_clip(seed, self._stage.easy) for seed in seeds)
            before = self._before.to(trainer.accelerator.device)
            refit(in_words(average), in_words(before), clips)
        if trainer.accelerator.is_main_process:
            weights = {f"net.{name}": x for name, x in average.state_dict().items()}
            weights |= {f"helpers.{name}": x for name, x in self.trainee.helpers.state_dict().items()}
            safetensors.torch.save_file(weights, self._folder / _TRAINED_FILE)

    def score(self, checkpoint: Path, accelerator: Accelerator) -> dict[str, float]:
        """See `Task.score`."""
        if not self._clips or not accelerator.is_main_process:
            return {}
        return progress(load_model(checkpoint, accelerator.device), self._stage.trains, self._clips)


def _trained_by(stage: str, run: Path) -> dict[str, Tensor]:
    """Return the weights of a trainee that a stage trained, averaged, and no others.

    A prior that was fitted to a tracker is of no use without it, so the two are handed on together.
    """
    file = run / stage / _TRAINED_FILE
    if not file.exists():
        raise InputError(f"Stage {stage} has not been trained in this run: train it first, or all stages in order.")
    trained = STAGES[stage]
    weights = safetensors.torch.load_file(file)
    if trained.trains in ("prior", "tracker") and not trained.refit:  # SAM 2's branch, or all but that
        tracked = trained.trains == "tracker"
        weights = {name: x for name, x in weights.items() if name.startswith("net.visual_model.") == tracked}
    return weights
