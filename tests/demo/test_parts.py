"""The parts of the page that need no browser."""

from __future__ import annotations

import os
import pickle
import secrets
import tempfile
import time
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from typing import Any

import gradio as gr
import numpy as np
import pytest
import torch

from mpgsam2 import InputError, Query, Segmenter, Selection
from mpgsam2.demo import frames, launch_options
from mpgsam2.demo.errors import FAULT, errors_for_visitors
from mpgsam2.demo.example_handlers import _restored
from mpgsam2.demo.examples import FOLDER, load_examples, own_files, own_places
from mpgsam2.demo.gpu import Lending, frame_loop
from mpgsam2.demo.home import home
from mpgsam2.demo.request_filter import allowed
from mpgsam2.demo.run import Finished, Started, run
from mpgsam2.demo.run_queue import MOST_WAITING, PER_SESSION, RunQueue
from mpgsam2.demo.sessions import Sessions
from mpgsam2.demo.settings import Settings, choose_model
from mpgsam2.demo.status import summary
from mpgsam2.demo.throughput import Throughput
from mpgsam2.export import read_record
from mpgsam2.export.pipeline import Progress
from mpgsam2.video import VideoWriter, open_clip, select

SENTENCE = "the red circle"


@pytest.fixture
def models(model: Segmenter) -> dict[str, Segmenter]:
    return {model.name: model}


def test_a_run_that_is_closed_or_stopped_writes_only_to_its_folder(
    models: dict[str, Segmenter], clip_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    asked = Settings(SENTENCE)
    closed = run(models, frame_loop(models), str(clip_file), asked, tmp_path / "one", Event())
    assert any(isinstance(step, Progress) for step in closed)
    closed.close()

    stop = Event()
    stop.set()
    started, end = run(models, frame_loop(models), str(clip_file), asked, tmp_path / "two", stop)
    assert isinstance(started, Started) and isinstance(end, Finished)
    assert (end.done, end.frames, end.record, end.bundle) == (0, 5, None, None)
    assert summary(end) == "Stopped before the first frame."
    assert list((tmp_path / "temporary").iterdir()) == []
    assert not (tmp_path / "two").exists()


def test_stop_ends_the_model_within_two_frames(models: dict[str, Segmenter], clip_file: Path, tmp_path: Path) -> None:
    """Stopped after the second frame, the model's own loop has made at most two more and is closed."""
    made, closed = [], []

    class Counted(Lending):
        def __call__(self, *arguments: object) -> object:
            try:
                for results in super().__call__(*arguments):
                    made.append(results[0].index)
                    yield results
            finally:
                closed.append(True)

    stop = Event()
    for step in run(models, Counted(models), str(clip_file), Settings(SENTENCE), tmp_path, stop):
        if isinstance(step, Progress) and step.index == 1:
            stop.set()
    assert isinstance(step, Finished) and step.done == 2
    assert len(made) <= 4 and closed == [True]
    assert step.record["complete"] is False and step.bundle.is_file()


def test_sentences_become_queries(model: Segmenter) -> None:
    two = Settings(" the red circle \n\n the star\n")
    assert two.queries(model) == [Query("the red circle"), Query("the star")]
    history = frozenset({"history"})
    both = Settings(SENTENCE, without=["history"])
    assert both.queries(model) == [Query(SENTENCE), Query(SENTENCE, history)]
    assert replace(both, compare=False).queries(model) == [Query(SENTENCE, history)]
    with pytest.raises(InputError, match="At most 4 sentences can be asked at once; here are 5"):
        Settings("a\nb\nc\nd\ne").queries(model)
    with pytest.raises(InputError, match="At most 2 sentences can be asked at once when each is compared"):
        Settings("a\nb\nc", without=["prior"]).queries(model)
    for wrong, told in (({"sentences": " "}, "empty"), ({"threshold": 0.0}, "threshold"), ({"without": ["x"]}, "x")):
        with pytest.raises(InputError, match=told):
            replace(Settings(SENTENCE), **wrong).queries(model)


def test_frames_are_counted_from_one() -> None:
    assert Settings(first=3, last=9, every=2, longest_side=64).selection() == Selection(2, 8, 2, 64)
    assert Settings(last=0).selection() == Settings().selection() == Selection()
    told = "The first frame must be 1 or more: frames are counted from 1."
    step = "The step must be 1 or more: 1 takes every frame, 2 every second one."
    wrongs: list[tuple[dict[str, Any], str]] = [({"first": value}, told) for value in (0, -3, None)]
    wrongs += [({"every": value}, step) for value in (0, -1, None)] + [({"last": 2.5}, "whole number")]
    for wrong, sentence in wrongs:
        with pytest.raises(InputError, match=sentence):
            Settings(**wrong).selection()


def test_only_the_models_that_run_can_be_chosen(models: dict[str, Segmenter], model: Segmenter) -> None:
    assert choose_model(models, "") is choose_model(models, "nano") is model
    with pytest.raises(InputError, match="no model “large-mevis” here: choose from nano"):
        choose_model(models, "large-mevis")
    assert choose_model(models, "nano", "float32") is model
    narrow = choose_model(models, "nano", "bfloat16")
    assert (narrow.dtype, model.dtype, narrow.name) == (torch.bfloat16, torch.float32, "nano")
    assert narrow.fingerprint == model.fingerprint
    assert all(
        ours is theirs for ours, theirs in zip(narrow.network.parameters(), model.network.parameters(), strict=True)
    )
    with pytest.raises(InputError, match="no dtype 'int8' here: choose auto, bfloat16 or float32"):
        choose_model(models, "nano", "int8")


def test_what_is_compiled_stays_in_its_dtype(model: Segmenter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model.network, "compiled", True)
    assert choose_model({"nano": model}, "", "float32") is model
    with pytest.raises(InputError, match="nano is compiled for float32 here: choose that, or auto"):
        choose_model({"nano": model}, "", "bfloat16")


def test_nothing_is_cut_silently(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "clip.mp4"
    with VideoWriter(path, 64, 48, Fraction(10)) as writer:
        for _ in range(30):
            writer.write(np.zeros((48, 64, 3), np.uint8))
    clip, told = frames.choose_frames(str(path), Selection())
    assert (clip.frame_count, told) == (30, "30 frames of 64 × 48, 3.0 s at 10 frames/s. All frames are used.")
    clip, told = frames.choose_frames(str(path), Selection(4, 20, 3, 32))
    assert clip.frame_count == len(list(clip)) == 6
    assert told.endswith(" 6 are used: 5 to 20, every 3rd, as chosen, scaled to 32 × 24.")
    assert frames.choose_frames(str(path), Selection(6, 6))[1].endswith(" 1 is used: 7, as chosen.")
    monkeypatch.setattr(frames, "LONGEST_SIDE", 40)
    clip, told = frames.choose_frames(str(path), Selection(longest_side=48))
    assert (clip.width, clip.height) == (40, 30)
    assert told.endswith(" All frames are used, scaled to 40 × 30, because one run takes at most 40 px.")
    monkeypatch.setattr(frames, "LONGEST_SIDE", 64)
    monkeypatch.setattr(frames, "MOST_FRAMES", 12)
    clip, told = frames.choose_frames(str(path), Selection(1, None, 2))
    assert clip.frame_count == 12
    assert told.endswith(" 12 are used: 2 to 24, every 2nd, because one run takes at most 12.")
    clip, told = frames.choose_frames(str(path), Selection(1, None, 2), fitting=lambda clip: 5)
    assert clip.frame_count == len(list(clip)) == 5
    assert told.endswith(" 5 are used: 2 to 10, every 2nd, because no more fit into the 120 s for which a GPU is lent.")
    assert frames.choose_frames(str(path), Selection(1, 6), fitting=lambda clip: clip.frame_count)[1].endswith(
        "as chosen."
    )


def upload(name: str = "clip.mp4") -> Path:
    """A file as an upload lies there."""
    folder = home() / secrets.token_hex(32)
    folder.mkdir()
    (folder / name).write_bytes(b"clip")
    return folder / name


def end(sessions: Sessions, session: str) -> None:
    sessions.ended(gr.Request(session_hash=session))


def test_files_of_a_session_go_with_it() -> None:
    sessions, clip = Sessions(), upload()
    folders = []
    for session in (*["one"] * 4, "two"):
        with sessions.run(session) as folder:
            (folder / "overlay.mp4").write_bytes(b"video")
            folders.append(folder)
    *folders, other = folders
    assert [folder.exists() for folder in folders] == [False, True, True, True], "the last three are kept"
    with sessions.run("one") as failed:
        pass
    assert not failed.exists() and folders[1].exists(), "a run that made nothing pushes nobody's results out"
    for session in ("one", "two"):
        assert sessions.file(session, str(clip)) == clip
    assert sessions.file("one", None) is None

    with sessions.run("one", clip) as working:
        end(sessions, "one")
        assert working.exists(), "the run still writes to it"
    assert not working.exists()
    assert not any(folder.exists() for folder in folders)
    assert other.exists() and clip.exists(), "another visitor has brought the same clip"
    with sessions.run("three", clip):
        end(sessions, "two")
        assert clip.exists(), "a run still reads it"
    assert not other.exists() and not clip.parent.exists()


def test_only_what_a_visitor_uploaded_becomes_the_visitors(tmp_path: Path) -> None:
    ours, clip = tmp_path / "example.mp4", upload()
    ours.write_bytes(b"example")
    sessions = Sessions(frozenset([ours]))
    (clip.parent / "folder").mkdir()
    (clip.parent / "link").symlink_to(__file__)
    os.mkfifo(clip.parent / "pipe")
    with sessions.run("other") as folder:
        (folder / "overlay.mp4").write_bytes(b"video")
        strange = [folder / "overlay.mp4", folder, home(), home().parent, clip.parent, home() / "nothing.mp4", __file__]
        strange += [
            clip.parent / name for name in ("folder", "link", "pipe", "nothing.mp4", "\ud800", "x" * 5000, "\0")
        ]
        strange += [clip.parent / ".." / folder.name / "overlay.mp4", "clip.mp4", "/", ".", "~", home() / ".lock"]
        for path in strange:
            with pytest.raises(InputError, match="is not here, or not here any more"):
                sessions.file("one", str(path))
        assert sessions.file("one", str(ours)) == ours
        end(sessions, "one")
        assert clip.exists() and ours.exists() and (folder / "overlay.mp4").exists()


def test_a_folder_that_holds_more_than_the_upload_stays() -> None:
    sessions, clip = Sessions(), upload()
    (clip.parent / "another.txt").write_text("not ours")
    sessions.file("one", str(clip))
    end(sessions, "one")
    assert not clip.exists() and (clip.parent / "another.txt").exists()
    (clip.parent / "another.txt").unlink()
    clip.parent.rmdir()


def test_what_is_forgotten_goes_after_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    sessions, clips = Sessions(), [upload() for _ in range(4)]
    unused, forgotten, needed, fresh = clips
    sessions.file("one", str(forgotten))
    with sessions.run("two", needed):
        for clip in clips[:3]:
            os.utime(clip.parent, (0, 0))
        now = time.monotonic()
        later = SimpleNamespace(monotonic=lambda: now + 3700, time=time.time)
        monkeypatch.setattr("mpgsam2.demo.sessions.time", later)  # there alone: servers of other tests have timers
        sessions.sweep()
        assert [clip.exists() for clip in clips] == [False, False, True, True]
    assert not needed.exists() and not unused.parent.exists()
    fresh.unlink()
    fresh.parent.rmdir()


def test_the_line_is_fair() -> None:
    line = RunQueue()
    working, *greedy = (line.join("greedy") for _ in range(PER_SESSION))
    assert line.begin(working) and not line.begin(greedy[0])
    with pytest.raises(InputError, match="3 runs here already"):
        line.join("greedy")
    others = [line.join(f"visitor {number}") for number in range(MOST_WAITING - len(greedy))]
    with pytest.raises(InputError, match="Too many visitors"):
        line.join("late")
    assert line.seconds(others[0]) is None, "nothing to go by"
    working.left = 30.0
    assert [line.before(ticket) for ticket in others] == list(range(1, 1 + len(others)))
    assert line.seconds(others[0]) == 30.0 and line.crowded
    order, waiting = [], [*greedy, *others]
    line.leave(working)
    line.leave(waiting.pop())  # who waits may leave too
    while waiting:
        (turn,) = [ticket for ticket in waiting if line.begin(ticket)]
        assert line.busy and line.before(turn) == 1
        order.append(turn.session)
        waiting.remove(turn)
        line.leave(turn)
    assert order == [*(ticket.session for ticket in others[:-1]), "greedy", "greedy"]
    assert not line.crowded and not line.busy


def test_a_run_is_shortened_while_others_wait(
    models: dict[str, Segmenter], clip_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd = [False]
    pace = Throughput(lambda: crowd[0])
    clip = select(open_clip(clip_file), Selection(every=2))
    pace.learn("nano", clip, frames=1, sentences=1, seconds=50.0)
    assert (pace.frames("nano", clip, 1), pace.frames("nano", clip, 2), pace.frames("nano", clip, 4)) == (2, 1, 1)
    assert pace.shortened("nano", clip, 1) == (clip, "")
    crowd[0] = True
    shorter, told = pace.shortened("nano", clip, 1)
    assert list(shorter.numbers) == [0, 2]
    assert told == (
        "Others are waiting: only the first 2 are used of these, up to frame 3, what two minutes allow here."
    )
    started, *_, end = run(
        models, frame_loop(models), str(clip_file), Settings(SENTENCE), tmp_path / "a", Event(), pace
    )
    assert (started.frames, end.done) == (2, 2) and started.notice.endswith("what two minutes allow here.")

    monkeypatch.setattr("mpgsam2.demo.run.CROWDED_SECONDS", 0.0)  # others come while it goes on
    fast = Throughput(lambda: True)
    *_, end = run(models, frame_loop(models), str(clip_file), Settings(SENTENCE), tmp_path / "b", Event(), fast)
    assert end.done == 1 and summary(end).startswith("Stopped after 1 of 5 frames, because others wait. ")


def test_a_link_restores_what_can_be(models: dict[str, Segmenter]) -> None:
    usual = {"first": "3", "threshold": "0.25", "model": "nano", "without": "prior x", "pattern": "true"}
    assert _restored(usual | {"colours": "2 7"}, list(models)) == {
        "first": 3, "threshold": 0.25, "model": "nano", "without": ["prior"], "pattern": True, "colours": [2, 7]
    }  # fmt: skip
    strange = {"first": "18446744073709551616", "every": "9" * 400, "last": "1e3", "longest_side": "-1e308"}
    strange |= {"threshold": "nan", "opacity": "inf", "model": "other", "colours": "0 8"}
    assert _restored(strange, list(models)) == {}
    assert _restored({"first": "0", "every": "-1"}, list(models)) == {}


def test_the_pages_own_examples_have_results_of_the_shipped_nano(model: Segmenter) -> None:
    examples = load_examples(FOLDER, model.fingerprint)
    assert len(examples) >= 6
    for example in examples:
        (query,) = read_record(example.result)["queries"]
        assert query["expression"] == example.expression
        assert query["mean"]["J&F"] > 0.85
    assert all(example.result is None for example in load_examples(FOLDER, "another model"))


def test_few_paths_hold_all_files_of_the_examples_and_nothing_else() -> None:
    """Gradio goes through them some twenty times before it shows a result."""
    own, places = own_files(FOLDER), own_places(FOLDER)
    listed = {file for place in places for file in (place.rglob("*") if place.is_dir() else [place]) if file.is_file()}
    assert listed == own
    assert len(places) == 1 + len({file for file in own if file.parent == FOLDER.resolve()})


def test_everything_that_crosses_to_the_gpu_worker_is_pickled_small(
    models: dict[str, Segmenter], model: Segmenter, clip_file: Path
) -> None:
    clip, query, threshold = pickle.loads(pickle.dumps((open_clip(clip_file), Query("a circle"), 0.5)))
    ((narrow,), *_) = frame_loop(models)(model, clip, [query], threshold)
    full = next(model.segment(clip, "a circle"))
    assert len(pickle.dumps(narrow)) < 4 * clip.width * clip.height  # the mask's byte, the probability's two, the prior
    assert (narrow.mask == full.mask).all()
    assert np.abs(narrow.probability - full.probability).max() <= 2**-11


def test_faults_are_told_without_details() -> None:
    with pytest.raises(gr.Error) as told, errors_for_visitors():
        raise RuntimeError("/srv/models/weights.bin is gone")
    assert told.value.message == FAULT
    with pytest.raises(gr.Error) as told, errors_for_visitors():
        raise InputError("“<img src=x>.mp4” is not a video.")
    assert told.value.message == "“&lt;img src=x&gt;.mp4” is not a video."


def test_the_page_is_an_mcp_server_only_where_that_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    for value, wanted in ((None, False), ("", False), ("0", False), ("1", True)):
        if value is None:
            monkeypatch.delenv("MPGSAM2_MCP", raising=False)
        else:
            monkeypatch.setenv("MPGSAM2_MCP", value)
        assert launch_options()["mcp_server"] is wanted
        assert allowed("POST", "/gradio_api/mcp/") is wanted
