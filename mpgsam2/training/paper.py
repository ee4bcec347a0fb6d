"""A recipe of the paper on a data set, as the loop takes it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from mpgsam2.inference.segmenter import Segmenter
from mpgsam2.training.clip_batches import ClipBatch, Clips, collate, keys, steps_per_epoch
from mpgsam2.training.held_out import Scored
from mpgsam2.training.loading import load_by_key
from mpgsam2.training.objective import PaperTrainee
from mpgsam2.training.recipes import Recipe
from mpgsam2.training.sources import Source
from mpgsam2.training.trainer import Trainer
from mpgsam2.training.validation import validate

if TYPE_CHECKING:
    from accelerate import Accelerator

_MAX_PLAIN_PARAMETERS = 20_000_000  # above these, gradient checkpointing saves memory


class PaperTask:
    """A recipe, with the network that it begins with.

    Args:
        name: of the recipe.
        recipe: what is done.
        model: the network with its words; its window becomes the recipe's.
        source: of the examples.
        scored: makes the clips that are scored at the end of each epoch.
        processes: how many train together.
        workers: processes that read clips, for each of these.
        steps: in place of the recipe's epochs.
        save_every: steps between states and checkpoints.
    """

    log_every = 10

    def __init__(
        self,
        name: str,
        recipe: Recipe,
        model: Segmenter,
        source: Source,
        scored: Scored,
        processes: int,
        workers: int,
        steps: int | None = None,
        save_every: int = 1000,
    ) -> None:
        if not recipe.keeps_window:
            model = model.configured(window=recipe.window, interleaved=False)
        per_epoch = steps_per_epoch(len(source), recipe.batch, processes)
        self.name, self.steps = name, recipe.epochs * per_epoch if steps is None else steps
        self.save_every, self.score_every = save_every, per_epoch
        self.optimisation = recipe.optimisation
        self.model, network = model, model.network
        large = sum(parameter.numel() for parameter in network.parameters()) > _MAX_PLAIN_PARAMETERS
        self.trainee = PaperTrainee(network, recipe.losses, checkpointing=large)
        self._recipe, self._source, self._scored, self._workers = recipe, source, scored, workers

    def batches(self, first: int, process: int, processes: int) -> Iterator[ClipBatch]:
        """See `Task.batches`."""
        clips = Clips(self._source, self.model.config, self.model.tokenizer, self._recipe.draws_absent)
        chosen = keys(len(self._source), self._recipe.batch, first, process, processes)
        return load_by_key(clips, chosen, collate, self._workers)

    def finish(self, trainer: Trainer) -> None:
        """See `Task.finish`: nothing is left to do."""

    def score(self, checkpoint: Path, accelerator: Accelerator) -> dict[str, float]:
        """See `Task.score`."""
        return validate(checkpoint, self._scored(), accelerator)
