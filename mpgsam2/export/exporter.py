"""Writes the results of one run, frame by frame."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mpgsam2.export.colours import settle_colours
from mpgsam2.export.drawing import Look
from mpgsam2.export.drawn import DrawnFrame
from mpgsam2.export.extras import Extras
from mpgsam2.export.files import RECORD, write_whole
from mpgsam2.export.lock import held
from mpgsam2.export.ownership import check_free, letters_of, remove_results, results_in
from mpgsam2.export.panes import PaneVideos
from mpgsam2.export.query_record import QueryRecord
from mpgsam2.export.record import command, cut_sentence, run_record
from mpgsam2.export.scores import difference
from mpgsam2.inference.query import LETTERS, Query
from mpgsam2.inference.understanding import doubt
from mpgsam2.inference.verdict import Verdict
from mpgsam2.stages import DRAWING, WRITING, stage
from mpgsam2.video import Clip, SelectedClip, Selection, Sound, add_sound, select

if TYPE_CHECKING:
    from mpgsam2.inference.results import FrameResult
    from mpgsam2.inference.segmenter import Segmenter
    from mpgsam2.video.ground_truth import GroundTruth


class Exporter:
    """Writes one run's results into a folder, frame by frame; nothing of the size of the clip is held.

    A context manager; leaving the block, by its end or by an exception, finishes the files with the frames so far:

        queries = [Query("the red circle")]
        with Exporter(folder, clip, queries=queries, model=model) as exporter:
            for frame, results in zip(clip, model.segment_several(clip, queries)):
                exporter.add(frame, results)

    Args:
        folder: made if need be, and held for this run alone. Results of an earlier run in it are replaced once the
            first frame is there.
        clip: the clip of the run, or what `video.select` took of it.
        queries: 1 to 4, as the run asks them.
        model: for its name, its fingerprint and how it is asked; it is not run.
        look: of the overlay; None for the usual one. Colours that it leaves open are settled at the first frame.
        threshold: the probability from which on a pixel is the mask's, for the record.
        truth: the ground truth that masks are scored against, if there is one.
        extras: whether all files are written; else `Extras` can write those that are left out later.
        versions: versions beside those of Python and of the packages of `record.RECORDED_MODULES`.

    Raises:
        InputError: another run holds the folder, or something lies there that is no earlier run's and in the way.
        OSError: the folder cannot be written to.
    """

    @stage(WRITING)
    def __init__(
        self,
        folder: str | PathLike[str],
        clip: Clip,
        *,
        queries: Sequence[Query],
        model: Segmenter,
        look: Look | None = None,
        threshold: float = 0.5,
        truth: GroundTruth | None = None,
        extras: bool = True,
        versions: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = Path(folder)
        self.look = look or Look()
        self._part = clip if isinstance(clip, SelectedClip) else select(clip, Selection())
        self._truth = truth
        self._done = 0
        self._inference = model.inference
        self._spans: list[range] = []  # of frames that were read together
        self._sound: Sound | None = None
        self._differences: list[dict[str, int | float]] = []
        self._run = run_record(self._part, queries, model, self.look, threshold, truth, versions or {})
        dtype = self._run["settings"]["dtype"]
        self._command = partial(command, self._part, queries, model.name, threshold, truth, dtype)
        self._writers: ExitStack | None = None  # before the first frame
        self._asked_queries, self._extras = queries, extras
        letters = LETTERS[: len(queries)]
        doubts = [doubt(model.tokenizer, query.expression) for query in queries]
        self._queries = [
            QueryRecord(query, letter, self._part.frame_count, self._inference.calibration, unsure)
            for query, letter, unsure in zip(queries, letters, doubts, strict=True)
        ]
        self._colour()
        with ExitStack() as hold:
            self.folder.mkdir(parents=True, exist_ok=True)
            hold.enter_context(held(self.folder))
            check_free(self.folder, len(queries), self._part.frame_count)
            self._hold = hold.pop_all()

    def _colour(self) -> None:
        """Have every query drawn in its colour of the look."""
        for index, query in enumerate(self._queries):
            query.colour = self.look.colour(index)

    def _begin(self) -> ExitStack:
        """Replace an earlier run's results; run.json first, so that what a killed run leaves is known as its own."""
        remove_results(self.folder)
        self._write_record()
        with ExitStack() as writers:
            letters = letters_of(len(self._asked_queries))
            self._files: list[PaneVideos | Extras] = [
                writers.enter_context(PaneVideos(self.folder, self._part, letters))
            ]
            if self._extras:
                extras = Extras(self.folder, self._part, self._asked_queries, self.look)
                self._files.append(writers.enter_context(extras))
            begun = writers.pop_all()
        return begun

    @stage(DRAWING)
    def add(self, frame: np.ndarray, results: Sequence[FrameResult]) -> DrawnFrame:
        """Write the results of the next frame.

        Args:
            frame: (H, W, 3) uint8 RGB, of the clip's size.
            results: per query its result, mask and probability (H, W) of the same size.

        Returns:
            The frame with its pictures.
        """
        if self._writers is None:
            self.look = settle_colours(self.look, frame, [result.mask for result in results])
            self._colour()
            self._writers = self._begin()
        if results[0].span and results[0].span not in self._spans[-1:]:
            self._spans.append(results[0].span)
        drawn = DrawnFrame(frame, self._part.numbers[self._done], tuple(results), self.look)
        for files in self._files:
            files.add(drawn)
        for query, result in zip(self._queries, results, strict=True):
            query.add(drawn.source_index, result, self._truth)
        if len(results) > 1:
            self._differences.append(difference(*drawn.masks[:2]))
        self._done += 1
        return drawn

    @property
    def verdicts(self) -> tuple[Verdict | None, ...]:
        """Per query the conclusion from the frames so far; None before the first."""
        return tuple(query.verdict for query in self._queries)

    @property
    def record(self) -> dict[str, Any]:
        """What `run.json` holds, or would if the run ended here; `sound` is known only at its end."""
        record = {
            "complete": self._done == self._part.frame_count,
            "frames": self._done,
            "asked": self._part.frame_count,
            "sound": self._sound,
            **self._run,
            "spans": [[span.start, span.stop - 1] for span in self._spans],
            "cut": None,
            "command": self._command(self._done or None),
            "queries": [query.record for query in self._queries],
        }
        if self._spans:
            span, given = len(self._spans[0]), self._inference.window is not None and self._inference.span is None
            record["settings"] = {**record["settings"], "span": span}
            if span < self._part.frame_count:
                record["cut"] = cut_sentence(self._inference, span)
                record["command"] = self._command(self._done or None, None if given else span)
        if len(self._queries) > 1:
            record["difference"] = {"queries": list(LETTERS[:2]), "frames": self._differences}
        return record

    @stage(WRITING)
    def close(self) -> None:
        """Finish the files; run.json, the last, says in `complete` whether the whole clip is there.

        Without a frame an earlier run's results stay as they are.

        Raises:
            OSError: they cannot be written to the end, as on a full disk.
        """
        with self._hold:
            if self._writers is None and results_in(self.folder):
                return
            writers = self._writers or self._begin()
            for files in self._files:  # so that all of them end at the same time
                files.no_more()
            writers.close()
            self._finish()

    def _finish(self) -> None:
        if self._done:
            part = self._part
            end = (*part.times, part.duration)[self._done]
            self._sound = add_sound(
                self.folder / "overlay.mp4", part.source, part.source.times[part.numbers.start], end
            )
        self._write_record()

    def _write_record(self) -> None:
        # An expression may hold half of a surrogate pair, which UTF-8 cannot say but JSON can.
        record = json.dumps(self.record, ensure_ascii=False, indent=1).encode(errors="backslashreplace")
        write_whole(self.folder / RECORD, record)

    def __enter__(self) -> Exporter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
