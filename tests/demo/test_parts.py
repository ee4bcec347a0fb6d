"""The parts of the page that need no browser."""

from __future__ import annotations

import pickle
import tempfile
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from threading import Event

import gradio as gr
import numpy as np
import pytest
import torch
from gradio.utils import get_upload_folder

from mpgsam2 import MPGSAM2, InputError, Query, Selection
from mpgsam2.checkpoint import fingerprint
from mpgsam2.demo import frames
from mpgsam2.demo.errors import FAULT, told_to_visitor
from mpgsam2.demo.examples import FOLDER, load_examples
from mpgsam2.demo.gpu import Lending, frame_loop
from mpgsam2.demo.run import Finished, Started, run
from mpgsam2.demo.sessions import Sessions
from mpgsam2.demo.settings import Settings, chosen
from mpgsam2.demo.status import summary
from mpgsam2.export import read_record
from mpgsam2.pipeline import Progress
from mpgsam2.video import VideoWriter, open_clip

SENTENCE = "the red circle"


@pytest.fixture
def models(model: MPGSAM2) -> dict[str, MPGSAM2]:
    return {model.name: model}


def test_a_run_that_is_closed_or_stopped_writes_only_to_its_folder(
    models: dict[str, MPGSAM2], clip_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
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


def test_stop_ends_the_model_within_two_frames(models: dict[str, MPGSAM2], clip_file: Path, tmp_path: Path) -> None:
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


def test_sentences_become_queries(model: MPGSAM2) -> None:
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
    for wrong in ({"first": 0}, {"every": 0}, {"first": None}, {"last": 2.5}):
        with pytest.raises(InputError):
            Settings(**wrong).selection()


def test_only_the_models_that_run_can_be_chosen(models: dict[str, MPGSAM2], model: MPGSAM2) -> None:
    assert chosen(models, "") is chosen(models, "nano") is model
    with pytest.raises(InputError, match="no model “large-mevis” here: choose from nano"):
        chosen(models, "large-mevis")
    assert chosen(models, "nano", "float32") is model
    narrow = chosen(models, "nano", "bfloat16")
    assert (narrow.dtype, model.dtype, narrow.name) == (torch.bfloat16, torch.float32, "nano")
    assert fingerprint(narrow) == fingerprint(model)
    assert all(ours is theirs for ours, theirs in zip(narrow.parameters(), model.parameters(), strict=True))
    with pytest.raises(InputError, match="no dtype 'int8' here: choose auto, bfloat16 or float32"):
        chosen(models, "nano", "int8")


def test_what_is_compiled_stays_in_its_dtype(model: MPGSAM2, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model, "compiled", True)
    assert chosen({"nano": model}, "", "float32") is model
    with pytest.raises(InputError, match="nano is compiled for float32 here: choose that, or auto"):
        chosen({"nano": model}, "", "bfloat16")


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


def test_files_of_a_session_go_with_it() -> None:
    sessions = Sessions()
    uploads = Path(tempfile.mkdtemp(dir=get_upload_folder())) if Path(get_upload_folder()).exists() else None
    uploads = uploads or Path(get_upload_folder()) / "an upload"
    uploads.mkdir(parents=True, exist_ok=True)
    clip = uploads / "clip.mp4"
    clip.write_bytes(b"clip")
    folders = []
    for session in (*["one"] * 4, "two"):
        with sessions.folder(session) as folder:
            folders.append(folder)
    *folders, other = folders
    assert [folder.exists() for folder in folders] == [False, True, True, True], "the last three are kept"
    for session in ("one", "two"):
        sessions.keep(session, str(clip))
    sessions.keep("one", __file__)
    sessions.keep("one", None)

    def end(session: str) -> None:
        sessions.ended(gr.Request(session_hash=session))

    with sessions.folder("one") as working:
        end("one")
        assert working.exists(), "the run still writes to it"
    assert not working.exists()
    assert not any(folder.exists() for folder in folders)
    assert other.exists() and clip.exists(), "another visitor has brought the same clip"
    end("two")
    end("two")
    assert not other.exists() and not uploads.exists() and Path(__file__).exists()


def test_the_pages_own_examples_have_results_of_the_shipped_nano(model: MPGSAM2) -> None:
    examples = load_examples(FOLDER, fingerprint(model))
    assert len(examples) >= 6
    for example in examples:
        (query,) = read_record(example.result)["queries"]
        assert query["expression"] == example.expression
        assert query["mean"]["J&F"] > 0.9
    assert all(example.result is None for example in load_examples(FOLDER, "another model"))


def test_everything_that_crosses_to_the_gpu_worker_is_pickled_small(
    models: dict[str, MPGSAM2], model: MPGSAM2, clip_file: Path
) -> None:
    clip, query, threshold = pickle.loads(pickle.dumps((open_clip(clip_file), Query("a circle"), 0.5)))
    ((narrow,), *_) = frame_loop(models)(model, clip, [query], threshold)
    full = next(model.segment(clip, "a circle"))
    assert len(pickle.dumps(narrow)) < 4 * clip.width * clip.height  # the mask's byte, the probability's two, the prior
    assert (narrow.mask == full.mask).all()
    assert np.abs(narrow.probability - full.probability).max() <= 2**-11


def test_faults_are_told_without_details() -> None:
    with pytest.raises(gr.Error) as told, told_to_visitor():
        raise RuntimeError("/srv/models/weights.bin is gone")
    assert told.value.message == FAULT
    with pytest.raises(gr.Error) as told, told_to_visitor():
        raise InputError("“<img src=x>.mp4” is not a video.")
    assert told.value.message == "“&lt;img src=x&gt;.mp4” is not a video."
