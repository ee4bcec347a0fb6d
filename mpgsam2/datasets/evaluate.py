"""A model's masks of a data set by its protocol: written video by video, to go on from where a run was stopped."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mpgsam2.datasets.data_set import DataSet
from mpgsam2.datasets.processes import Processes
from mpgsam2.datasets.protocols import PROTOCOLS
from mpgsam2.datasets.results import Key
from mpgsam2.datasets.results_folder import ResultsFolder
from mpgsam2.inference.segmenter import Segmenter
from mpgsam2.network.parts import parts_of


class Evaluation:
    """The masks of a data set that this process has to write; iterating writes them and tells each.

    An earlier run's finished videos are left out. The others are shared by the processes by their length.

    Sentences are asked in lower case, as the index has them; MeViS is cut in windows of 24 frames, and of the other
    benchmarks whole clips are encoded, whatever the checkpoint's own window. The iteration ends when all processes are
    done.

    Args:
        model: with its tokenizer.
        data_set: all of its frames must be there, and no sentence may be empty.
        folder: for the masks, see `results_folder`.
        processes: as many as share the work.
        without: parts of the network to switch off, see `MPGSAM2.track`.

    Raises:
        InputError: a frame is missing, a sentence is empty, there is no such part, or the folder cannot be used; in
            the iteration, a frame or sentence cannot be read.
    """

    def __init__(
        self,
        model: Segmenter,
        data_set: DataSet,
        folder: Path,
        processes: Processes,
        without: frozenset[str] = frozenset(),
    ) -> None:
        parts_of(without)
        data_set.check()
        self._model, self._data_set, self._without = model, data_set, without
        self._processes = processes
        self._protocol = PROTOCOLS[data_set.NAME]
        record = _record(model, data_set, without)
        if not processes.is_first:
            processes.wait()  # until the first has made the folder
        self._folder = ResultsFolder(folder, record)
        if processes.is_first:
            processes.wait()
        left = [v for v in data_set.videos if not self._folder.is_finished(v.name, self._protocol.keys(v))]
        processes.wait()  # lest one has finished a video before another has made this list
        self._videos = processes.share(left, lambda video: len(video.frames) * len(video.sentences))

    def __len__(self) -> int:
        return sum(1 for video in self._videos for _ in self._protocol.keys(video))

    def __iter__(self) -> Iterator[Key]:
        for video in self._videos:
            model = cut(self._model, self._data_set.window(video))
            masks = self._protocol.answer(model, self._data_set, video, self._without)
            yield from self._folder.write(video.name, masks)
        self._processes.wait()


def cut(model: Segmenter, frames: int | None) -> Segmenter:
    """Return a model that cuts clips in windows of so many frames; None: as it always does."""
    return model if frames is None else model.configured(window=frames, interleaved=False)


def _record(model: Segmenter, data_set: DataSet, without: frozenset[str]) -> dict[str, Any]:
    return {
        "dataset": data_set.NAME,
        "split": data_set.split,
        "index": hashlib.sha256(repr(data_set.videos).encode()).hexdigest(),
        "model": model.name,
        "weights": model.fingerprint,
        "dtype": str(model.dtype).removeprefix("torch."),
        "without": sorted(without),
    }
