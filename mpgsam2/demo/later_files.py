"""The files of a result that the player does not show: written when they are asked for, from what the run has kept."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import closing
from dataclasses import dataclass
from threading import Event

from mpgsam2.demo.frames import choose_frames
from mpgsam2.demo.layers import KeptAnswers
from mpgsam2.demo.run import Finished, unknown_words
from mpgsam2.demo.settings import choose_model
from mpgsam2.demo.shown_result import ShownResult
from mpgsam2.errors import InputError
from mpgsam2.export import bundle, read_record
from mpgsam2.export.files import BUNDLE
from mpgsam2.export.pipeline import write_extras
from mpgsam2.inference.segmenter import Segmenter


@dataclass(frozen=True)
class Writing:
    """Files are being written."""

    done: int  # frames
    frames: int


def complete(models: Mapping[str, Segmenter], shown: ShownResult, stop: Event) -> Generator[Writing | Finished]:
    """Write the files that the run of a result has left for later, and all of them in a zip; no model runs.

    Args:
        models: by name.
        shown: the result.
        stop: once it is set, the files are given up.

    Yields:
        `Writing` per frame, and the run's end, now with its zip.

    Raises:
        InputError: the result or its clip is not there any more, the files cannot be written, or `stop` was set.
    """
    kept, folder, settings = KeptAnswers(shown.folder), shown.folder, shown.again(shown.settings)
    model = choose_model(models, settings.model, settings.dtype)
    queries, record = settings.queries(model), read_record(folder)
    if not (folder / BUNDLE).is_file():
        clip, _ = choose_frames(shown.clip, settings.selection(), stop)
        answers = kept(model, clip, queries, settings.threshold)
        with closing(write_extras(clip, answers, folder, queries=queries, look=settings.look)) as steps:
            for done in steps:
                yield Writing(done, clip.frame_count)
                if stop.is_set():
                    raise InputError("Stopped: the files were not written to the end.")
        bundle(folder)
    warning = unknown_words(model, queries)
    yield Finished(record["frames"], record["asked"], "", warning, record, folder, folder / BUNDLE)
