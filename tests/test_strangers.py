"""What strangers send is read to its end or refused in one sentence, at once, and leaves nothing behind."""

from __future__ import annotations

import multiprocessing
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from strange_uploads import EXAMPLE, strange_clips, strange_truths

from mpgsam2.errors import InputError
from mpgsam2.video import Limits, open_clip
from mpgsam2.video.ground_truth import GroundTruth

LIMITS = Limits(frames=900, bytes=200_000_000)
PATIENCE = 100  # seconds for one upload, a hundred times what the slowest takes: only what hangs gets there
READ = "read"


def read_clip(path: Path) -> str:
    """Reads a clip to its end; returns READ, or the sentence with which it is refused."""
    try:
        clip = open_clip(path, LIMITS)
        assert sum(1 for _ in clip) == clip.frame_count > 0
        assert 0 < clip.duration < float("inf")
    except InputError as error:
        return str(error)
    return READ


def read_truth(path: Path) -> str:
    """The same of the masks of EXAMPLE, whose frames are 320 × 240."""
    try:
        with GroundTruth.open(path, open_clip(EXAMPLE), LIMITS) as truth:
            assert all(truth.mask(index).shape == (240, 320) for index in truth.frames)
    except InputError as error:
        return str(error)
    return READ


def set_temporary(folder: Path) -> None:
    """Where this process and those that it starts keep their temporary files."""
    os.environ["TMPDIR"] = str(folder)


def outcomes(paths: list[Path], read: Callable[[Path], str], temporary: Path) -> dict[str, str]:
    """What becomes of each upload, by its name, in a process that can be ended if it hangs.

    Checks that the process leaves nothing in its folder for temporary files, nor beside the uploads.
    """
    temporary.mkdir()
    told = {}
    with multiprocessing.get_context("spawn").Pool(1, set_temporary, [temporary]) as pool:
        for path in paths:
            try:
                told[path.name] = pool.apply_async(read, (path,)).get(PATIENCE)
            except multiprocessing.TimeoutError:
                pytest.fail(f"{path.name} hangs, or ends the process that reads it")
    assert list(temporary.iterdir()) == []
    assert sorted(paths[0].parent.iterdir()) == paths
    return told


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return strange_clips(tmp_path_factory.mktemp("clips"))


@pytest.fixture(scope="module")
def told_of_clips(clips: list[Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return outcomes(clips, read_clip, tmp_path_factory.mktemp("run") / "temporary")


def check_sentence(sentence: str) -> None:
    """It is one sentence, and gives nothing of the machine away."""
    assert re.fullmatch(r"[“A-Z][^\n/\\]{20,250}\w\.", sentence), sentence
    assert ". " not in sentence, sentence
    assert "Traceback" not in sentence and "Error" not in sentence, sentence


def test_strange_clips_are_read_or_refused(told_of_clips: dict[str, str]) -> None:
    assert len(told_of_clips) == 145
    for sentence in set(told_of_clips.values()) - {READ}:
        check_sentence(sentence)


def test_strange_ground_truths_are_read_or_refused(tmp_path: Path) -> None:
    uploads = tmp_path / "uploads"
    uploads.mkdir()
    told = outcomes(strange_truths(uploads), read_truth, tmp_path / "temporary")
    assert len(told) == 55
    for sentence in set(told.values()) - {READ}:
        check_sentence(sentence)


def test_what_a_clip_is_decides_not_its_name_or_what_it_states(told_of_clips: dict[str, str]) -> None:
    for name, sentence in told_of_clips.items():
        if re.search("called|no suffix|years|repeats|frames.avi", name):
            assert sentence == READ, name
        if re.search("playlist|script|session|manifest", name):
            assert re.search("is not a video|No frame of", sentence), name


def test_a_description_behind_the_first_bytes_of_a_video_is_not_even_considered(clips: list[Path]) -> None:
    path = next(path for path in clips if path.name.endswith("session in disguise.ts"))
    program = (
        "import sys, av; av.logging.set_level(av.logging.VERBOSE); av.logging.restore_default_callback();"
        "from mpgsam2.video import open_clip; open_clip(sys.argv[1])"
    )
    log = subprocess.run(
        [sys.executable, "-c", program, path],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    ).stdout
    assert "Format not on whitelist" in log
    assert "rtp" not in log
