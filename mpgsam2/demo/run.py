"""One run, from a clip's path and a sentence to files that can be shown; knows nothing of the page."""

from __future__ import annotations

import tempfile
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from zipfile import ZIP_DEFLATED, ZipFile

from mpgsam2.demo.gpu import FrameLoop
from mpgsam2.network.model import MPGSAM2
from mpgsam2.pipeline import Progress, check_request, warn_unknown, write_results
from mpgsam2.verdict import Verdict
from mpgsam2.video import Limits, open_clip

LIMITS = Limits(frames=900, bytes=200_000_000)
"""The largest clip that a visitor may bring."""


@dataclass(frozen=True)
class Started:
    """The clip and the sentence are sound and the network reads them."""

    frames: int
    warning: str | None  # about words that the model does not know


@dataclass(frozen=True)
class Finished:
    """The files of a run, which live until the generator goes on. Without a frame there are none, and no verdict."""

    done: int  # frames
    frames: int
    verdict: Verdict | None  # on the frames done
    warning: str | None
    prior: Path | None
    masks: Path | None
    overlay: Path | None
    bundle: Path | None  # zip of masks/*.png and result.json


def run(
    model: MPGSAM2, frame_loop: FrameLoop, path: str | None, expression: str, stop: Event
) -> Generator[Started | Progress | Finished]:
    """Segment what a sentence names in a clip.

    Everything is written to a folder of this run's own, which is gone when the generator ends or is closed: whoever
    wants a file copies it before reading on.

    Args:
        model: for its tokenizer and its name; it runs only in `frame_loop`.
        frame_loop: see `gpu.frame_loop`.
        path: of the clip.
        expression: the sentence.
        stop: once it is set, the run ends after the frame at work and keeps what is done.

    Yields:
        `Started`, a `Progress` per frame, `Finished`.

    Raises:
        InputError: the clip or the sentence cannot be used.
    """
    check_request(model, expression)
    clip = open_clip(path, LIMITS)
    warning = warn_unknown(model, expression)
    yield Started(clip.frame_count, warning)
    done, verdict = 0, None
    with tempfile.TemporaryDirectory(prefix="mpgsam2-") as name:
        folder = Path(name)
        if not stop.is_set():
            results = frame_loop(clip, expression)
            with closing(write_results(clip, results, folder, model=model, expression=expression)) as frames:
                for progress in frames:
                    done, verdict = progress.index + 1, progress.verdict
                    yield progress
                    if stop.is_set():
                        break
        files = (
            (folder / "prior.mp4", folder / "masks.mp4", folder / "overlay.mp4", _bundle(folder))
            if done
            else [None] * 4
        )
        yield Finished(done, clip.frame_count, verdict, warning, *files)


def _bundle(folder: Path) -> Path:
    """The zip of a run's masks and record."""
    path = folder / "masks.zip"
    with ZipFile(path, "w", ZIP_DEFLATED) as bundle:
        for file in [folder / "result.json", *sorted((folder / "masks").iterdir())]:
            bundle.write(file, file.relative_to(folder))
    return path
