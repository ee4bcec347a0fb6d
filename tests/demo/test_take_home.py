"""Files that are written when they are asked for."""

from __future__ import annotations

from pathlib import Path
from threading import Event
from zipfile import ZipFile

import cv2
import numpy as np
import pytest

from mpgsam2 import InputError, Segmenter
from mpgsam2.demo.gpu import frame_loop
from mpgsam2.demo.home import home
from mpgsam2.demo.later_files import Writing, complete
from mpgsam2.demo.layers import ANSWERS, CLIP, LEVELS
from mpgsam2.demo.run import Finished, run
from mpgsam2.demo.sessions import Sessions
from mpgsam2.demo.settings import Settings
from mpgsam2.demo.shown_result import ShownResult
from mpgsam2.export import read_record, results_in
from mpgsam2.export.pipeline import Progress
from mpgsam2.video import open_clip

SHOWN = {"overlay.mp4", "prior.mp4", "masks.mp4", "run.json"}
KEPT = {CLIP, LEVELS, ANSWERS}


def made(
    model: Segmenter, clip: Path, folder: Path, asked: Settings, frames: int | None = None, **options: bool
) -> ShownResult:
    """What a run leaves, perhaps one that is stopped after so many frames."""
    stop, models = Event(), {model.name: model}
    for step in run(models, frame_loop(models), str(clip), asked, folder, stop, **options):
        if isinstance(step, Progress) and step.index + 1 == frames:
            stop.set()
    return ShownResult(str(clip), asked, folder)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.mark.parametrize("frames", [None, 3])
def test_the_files_are_those_that_the_run_would_have_written(
    model: Segmenter, clip_file: Path, tmp_path: Path, frames: int | None
) -> None:
    asked = Settings("the red circle\nthe star", opacity=0.3)
    at_once = made(model, clip_file, tmp_path / "at once", asked, frames)
    later = made(model, clip_file, tmp_path / "later", asked, frames, extras=False)
    of_each = {f"{name}-{letter}{end}" for name, end in (("prior", ".mp4"), ("masks", ".mp4")) for letter in "AB"}
    levels = {"levels-A.bin", "levels-B.bin"}
    assert names(later.folder) == {"overlay.mp4", "run.json", CLIP, ANSWERS} | of_each | levels
    before = {path.name: path.read_bytes() for path in later.folder.iterdir()}

    *steps, end = complete({model.name: model}, later, Event())
    done = frames or open_clip(clip_file).frame_count
    assert steps == [Writing(count + 1, done) for count in range(done)]
    assert isinstance(end, Finished) and (end.done, end.frames) == (done, open_clip(clip_file).frame_count)
    assert {name: (later.folder / name).read_bytes() for name in before} == before
    written, expected = (sorted(p.relative_to(s.folder) for p in results_in(s.folder)) for s in (later, at_once))
    assert written == expected
    with ZipFile(end.bundle) as archive:
        assert sorted(archive.namelist()) == sorted(map(str, expected))
    for name in ("masks.json", *(str(path) for path in expected if path.suffix == ".png" and "masks" in path.parts)):
        assert (later.folder / name).read_bytes() == (at_once.folder / name).read_bytes(), name
    for name in ("cutout-B.webm", "side-by-side.mp4"):
        one, other = (list(open_clip(shown.folder / name)) for shown in (later, at_once))
        assert np.abs(np.int16(one) - other).mean() < 1, name  # probabilities are kept in hundredths
    strips = [cv2.imread(str(shown.folder / "strip.png")) for shown in (later, at_once)]
    np.testing.assert_array_equal(*strips)

    assert [type(step) for step in complete({model.name: model}, later, Event())] == [Finished]  # they are there


def test_files_that_are_stopped_leave_the_result_as_it_was(model: Segmenter, clip_file: Path, tmp_path: Path) -> None:
    shown = made(model, clip_file, tmp_path, Settings("the red circle"), extras=False)
    assert names(tmp_path) == SHOWN | KEPT
    stop = Event()
    steps = complete({model.name: model}, shown, stop)
    assert isinstance(next(steps), Writing)
    stop.set()
    with pytest.raises(InputError, match="Stopped"):
        next(steps)
    assert {path for path in names(tmp_path) if path != "masks"} == SHOWN | KEPT
    assert read_record(tmp_path)["complete"]
    *_, end = complete({model.name: model}, shown, Event())  # and can be asked for again
    assert end.bundle.is_file()
    (tmp_path / ANSWERS).unlink()
    with pytest.raises(InputError, match="not here any more"):
        next(complete({model.name: model}, shown, Event()))


def test_a_result_stays_while_files_are_added_to_it_and_goes_with_its_session() -> None:
    sessions = Sessions()
    with sessions.run("one") as folder:
        (folder / "file").touch()
    with pytest.raises(InputError, match="not here any more"), sessions.again("another", folder):
        pass
    with sessions.again("one", folder):
        for _ in range(4):  # more runs than are kept
            with sessions.run("one") as other:
                (other / "file").touch()
        with sessions.again("one", folder):
            pass
        assert (folder / "file").exists(), "files are still written"
    assert not folder.exists()
    with pytest.raises(InputError, match="not here any more"), sessions.again("one", folder):
        pass
    assert other.parent == home() and other.exists()
