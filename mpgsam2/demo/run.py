"""One run, from a clip's path and the settings to files that can be shown; knows nothing of the page."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from typing import Any

from mpgsam2.demo.frames import choose_frames
from mpgsam2.demo.gpu import FrameLoop
from mpgsam2.demo.insight import INSIGHT, insight_json
from mpgsam2.demo.layers import KeptAnswers, LayersWriter
from mpgsam2.demo.settings import Settings, choose_model
from mpgsam2.demo.throughput import CROWDED_SECONDS, Throughput
from mpgsam2.errors import InputError, Stopped
from mpgsam2.export import bundle, read_record
from mpgsam2.export.files import write_whole
from mpgsam2.export.pipeline import Progress, warn_unknown, write_results
from mpgsam2.inference.query import Query
from mpgsam2.inference.segmenter import Segmenter
from mpgsam2.network.insight import Sight
from mpgsam2.video import Clip, hold
from mpgsam2.video.ground_truth import GroundTruth


@dataclass(frozen=True)
class Started:
    """The clip and the sentences are sound and the network reads them."""

    frames: int  # that are used
    notice: str  # which frames these are, and why
    warning: str | None  # about words that the model does not know


@dataclass(frozen=True)
class Finished:
    """A run's end; without a frame done there is nothing but the notice."""

    done: int  # frames
    frames: int
    notice: str
    warning: str | None
    record: dict[str, Any] | None = None  # as `export` writes it to run.json
    folder: Path | None = None  # of the files that `export` names
    bundle: Path | None = None  # all of them in a zip, unless some are left for later
    hurried: bool = False  # whether it ended early because others wait


Step = Started | Progress | Finished


def fitting(models: Mapping[str, Segmenter], frame_loop: FrameLoop, settings: Settings) -> Callable[[Clip], int]:
    """Return a function that tells how many of a clip's frames one run can do with these settings.

    Raises:
        InputError: there is no such model here.
    """
    model = choose_model(models, settings.model, settings.dtype)
    try:
        queries = settings.queries(model)
    except InputError:  # not written yet, or not to the end
        queries = [Query("")]
    return lambda clip: frame_loop.most_frames(model, clip, queries)


def run(
    models: Mapping[str, Segmenter],
    frame_loop: FrameLoop,
    path: str | None,
    settings: Settings,
    folder: Path,
    stop: Event,
    pace: Throughput | None = None,
    *,
    explained: bool = False,
    extras: bool = True,
) -> Generator[Step]:
    """Ask what the settings say of a clip.

    Args:
        models: by name; they run only in `frame_loop`.
        frame_loop: see `gpu.frame_loop`.
        path: of the clip.
        settings: what is asked.
        folder: for the files, the run's own.
        stop: once it is set, the run ends after the frame at work and keeps what is done.
        pace: how much it may take while others wait; None if it may take all.
        explained: whether what the network looks at is written, too.
        extras: whether all files are written, or only what the player shows; `later_files.complete` writes the others.

    Yields:
        `Started`, a `Progress` per frame, `Finished`.

    Raises:
        InputError: the clip or the settings cannot be used.
    """
    model = choose_model(models, settings.model, settings.dtype)
    queries = settings.queries(model)
    try:
        clip, notice = choose_frames(path, settings.selection(), stop, fitting(models, frame_loop, settings))
    except Stopped:
        yield Finished(0, 0, "", None)
        return
    if pace:
        clip, remark = pace.shortened(model.name, clip, len(queries))
        notice = f"{notice} {remark}".strip()
    clip = hold(clip)
    warning = unknown_words(model, queries)
    seen: list[Sight] | None = [] if explained else None
    with ExitStack() as open_files:
        truth = None
        if settings.ground_truth:
            masks = GroundTruth.open(
                settings.ground_truth, clip, object=settings.object, expression=settings.scored or None, stop=stop
            )
            truth = open_files.enter_context(masks)
        yield Started(clip.frame_count, notice, warning)
        done, hurried, began = 0, False, time.monotonic()
        if not stop.is_set():
            results = frame_loop(model, clip, queries, settings.threshold, seen)
            frames = write_results(
                clip,
                results,
                folder,
                model=model,
                queries=queries,
                look=settings.look,
                truth=truth,
                threshold=settings.threshold,
                extras=extras,
            )
            layers = open_files.enter_context(LayersWriter(folder, clip, len(queries), settings.threshold))
            for progress in open_files.enter_context(closing(frames)):
                done = progress.index + 1
                yield progress
                layers.add(progress.frame, progress.results)
                late = time.monotonic() - began > CROWDED_SECONDS and done < progress.total
                hurried = late and pace is not None and pace.crowded()
                if stop.is_set() or hurried:
                    break
    if pace and done:
        pace.learn(model.name, clip, done, len(queries), time.monotonic() - began)
    if done and seen:
        write_whole(folder / INSIGHT, insight_json(seen, model, queries))
    if done and isinstance(frame_loop, KeptAnswers):
        frame_loop.copy_insight(folder)
    end = Finished(done, clip.frame_count, notice, warning, hurried=hurried)
    if done:
        record = read_record(folder)
        notice = f"{notice} {record['cut'] or ''}".strip()
        end = replace(end, notice=notice, record=record, folder=folder, bundle=bundle(folder) if extras else None)
    yield end


def unknown_words(model: Segmenter, queries: Sequence[Query]) -> str | None:
    """Return which words of the sentences the model does not know, in words; None if it knows them all."""
    warnings = [warn_unknown(model, query.expression) for query in queries]
    return " ".join(dict.fromkeys(filter(None, warnings))) or None
