"""A decoder that crashes, hangs or eats memory costs its visitor one sentence, and nobody else anything."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path

import numpy as np
import psutil
import pytest

from mpgsam2.demo import clips
from mpgsam2.demo.clips import LookedOver
from mpgsam2.demo.frames import choose_frames
from mpgsam2.errors import InputError, Stopped
from mpgsam2.video import Limits, Selection, VideoWriter, add_sound, guard, open_clip
from mpgsam2.video.guard import look_over

LIMITS = Limits()
HARM = {
    "aborts": ("os.abort()", "broke down over it"),
    "crashes": ("ctypes.string_at(0)", "broke down over it"),
    "leaves": ("os._exit(0)", "broke down over it"),
    "sleeps": ("time.sleep(1000)", "does not come to an end with it"),
    "allocates": ("bytearray(1 << 40)", "needs too much memory for it"),
}


@pytest.fixture(scope="module")
def clip_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clips") / "five.mp4"
    with VideoWriter(path, 64, 48, Fraction(10)) as writer:
        for index in range(5):
            writer.write(np.full((48, 64, 3), 50 * index, np.uint8))
    return path


def stand_in(monkeypatch: pytest.MonkeyPatch, harm: str, suffix: str = ".mp4") -> None:
    """Has clips whose names end so looked at by a decoder that does harm instead."""
    program = (
        "import ctypes, os, time; from mpgsam2.video import worker; real = worker.open_clip\n"
        f"def fake(path, *rest, **named):\n    if path.endswith({suffix!r}): {harm}\n"
        "    return real(path, *rest, **named)\n"
        "worker.open_clip = fake; worker.main()"
    )
    monkeypatch.setattr(guard, "_COMMAND", [sys.executable, "-c", program])


def children() -> set[int]:
    return {child.pid for child in psutil.Process().children(recursive=True)}


def test_a_look_over_finds_what_open_clip_finds(clip_path: Path) -> None:
    assert look_over(clip_path, LIMITS) == open_clip(clip_path)
    for wrong, limits, told in (
        ("", LIMITS, "No clip was given"),
        ("nowhere.mp4", LIMITS, "no clip “nowhere.mp4”"),
        (__file__, LIMITS, "not a video"),
        (clip_path, Limits(frames=4), "at most 4 frames"),
    ):
        with pytest.raises(InputError, match=told):
            look_over(wrong, limits)


@pytest.mark.parametrize("harm", HARM)
def test_harm_is_told_in_a_sentence(monkeypatch: pytest.MonkeyPatch, clip_path: Path, harm: str) -> None:
    code, told = HARM[harm]
    before = children()
    stand_in(monkeypatch, code)
    monkeypatch.setattr(guard, "MAX_SILENT_SECONDS", 3.0 if harm == "sleeps" else 60.0)
    with pytest.raises(InputError, match=rf"“five\.mp4” cannot be used, because the decoder {told}: convert it"):
        look_over(clip_path, LIMITS)
    assert children() == before


def test_others_looks_go_on_beside_one_that_hangs(
    monkeypatch: pytest.MonkeyPatch, clip_path: Path, tmp_path: Path
) -> None:
    hangs = tmp_path / "hangs.mkv"
    shutil.copy(clip_path, hangs)
    stand_in(monkeypatch, "time.sleep(1000)", ".mkv")
    stop = threading.Event()
    with ThreadPoolExecutor() as pool:
        stuck = pool.submit(look_over, hangs, LIMITS, stop)
        assert look_over(clip_path, LIMITS).frame_count == 5
        assert not stuck.done()
        stop.set()
        with pytest.raises(Stopped):
            stuck.result()


def test_a_look_is_given_up_soon_and_leaves_no_process(monkeypatch: pytest.MonkeyPatch, clip_path: Path) -> None:
    before = children()
    stand_in(monkeypatch, "time.sleep(1000)")
    stop = threading.Event()
    threading.Timer(0.3, stop.set).start()
    with pytest.raises(Stopped):
        choose_frames(str(clip_path), Selection(), stop)
    assert children() == before


def test_a_process_ends_by_itself_when_nobody_waits_for_it_any_more() -> None:
    program = "import time; from mpgsam2.video import worker; worker._limit(1 << 40, 0.3); time.sleep(1000)"
    root = Path(__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", program], cwd=root, timeout=300, check=False)
    assert done.returncode < 0


def test_the_process_needs_neither_network_nor_page() -> None:
    program = (
        "import sys; from mpgsam2.video import worker;"
        "print([name for name in ('torch', 'gradio', 'transformers', 'sam2') if name in sys.modules])"
    )
    root = Path(__file__).parents[1]
    told = subprocess.run([sys.executable, "-c", program], cwd=root, stdout=subprocess.PIPE, text=True, check=True)
    assert told.stdout.strip() == "[]"


def test_sound_that_breaks_its_decoder_is_unreadable(
    monkeypatch: pytest.MonkeyPatch, clip_path: Path, tmp_path: Path
) -> None:
    video, sounding = tmp_path / "a.mp4", tmp_path / "b.mp4"
    shutil.copy(clip_path, video)
    clip = open_clip(clip_path)
    object.__setattr__(clip, "stretches", guard.Stretch(0, 1, 0))
    program = "import os; os.abort()"
    monkeypatch.setattr(guard, "_COMMAND", [sys.executable, "-c", program])
    assert add_sound(video, clip, 0, 1) == "unreadable"
    assert video.read_bytes() == clip_path.read_bytes() and not sounding.exists()
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


# --------------------------------------------------------------------------------------------------- once an upload


def test_an_upload_is_looked_over_once(monkeypatch: pytest.MonkeyPatch, clip_path: Path, tmp_path: Path) -> None:
    looks = []

    def counted(path: str, *rest: object) -> object:
        looks.append(path)
        time.sleep(0.2)
        return open_clip(path, *rest[:1])

    monkeypatch.setattr(clips, "look_over", counted)
    looked, path = LookedOver(), tmp_path / "a.mp4"
    shutil.copy(clip_path, path)
    with ThreadPoolExecutor() as pool:
        found = [*pool.map(lambda _: looked.clip(str(path), LIMITS), range(4))]
    assert len(looks) == 1 and all(clip is found[0] for clip in found)
    assert looked.clip(path, LIMITS) is found[0]
    path.write_bytes(b"no video")
    for _ in range(2):
        with pytest.raises(InputError, match="not a video"):
            looked.clip(path, LIMITS)
    assert len(looks) == 2
    os.remove(path)
    with pytest.raises(InputError, match="no clip"):
        looked.clip(path, LIMITS)
    assert looked.clip(str(clip_path), LIMITS).frame_count == 5
    with pytest.raises(InputError, match="at most 4"):
        looked.clip(str(clip_path), Limits(frames=4))


def test_one_who_waits_for_another_s_look_can_stop(monkeypatch: pytest.MonkeyPatch, clip_path: Path) -> None:
    begun, end, stop = threading.Event(), threading.Event(), threading.Event()

    def slow(path: str, *rest: object) -> object:
        begun.set()
        end.wait()
        return open_clip(path)

    monkeypatch.setattr(clips, "look_over", slow)
    looked = LookedOver()
    with ThreadPoolExecutor() as pool:
        first = pool.submit(looked.clip, clip_path, LIMITS)
        begun.wait()
        second = pool.submit(looked.clip, clip_path, LIMITS, stop)
        stop.set()
        with pytest.raises(Stopped):
            second.result()
        end.set()
        assert first.result().frame_count == 5
