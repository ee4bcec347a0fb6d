"""What a run may replace in the folder of its results: an earlier run's results, and nothing else."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import mpgsam2
from mpgsam2.errors import InputError
from mpgsam2.export import Exporter, bundle, check_folder, read_record, results_in
from mpgsam2.inference.query import Query
from mpgsam2.inference.results import FrameResult
from mpgsam2.video import Clip, open_clip

FRAMES = 3
ONE, TWO = [Query("a star")], [Query("a star"), Query("a circle")]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    folder = tmp_path_factory.mktemp("frames")
    for index in range(FRAMES):
        cv2.imwrite(str(folder / f"{index}.png"), np.full((16, 24, 3), 50 * index, np.uint8))
    return open_clip(folder, folder_fps=Fraction(12))


@pytest.fixture
def export(clip: Clip, model: mpgsam2.Segmenter) -> Callable[..., None]:
    """Writes a run of made-up results, perhaps only its first frames."""

    def export(folder: Path, queries: list[Query] = ONE, count: int = FRAMES) -> None:
        with Exporter(folder, clip, queries=queries, model=model) as exporter:
            for index, frame in zip(range(count), clip, strict=False):
                mask = np.zeros(frame.shape[:2], bool)
                result = FrameResult(index, mask, mask.astype(np.float32), np.zeros((4, 4), np.float32), 0.5, 0.5)
                exporter.add(frame, [result] * len(queries))

    return export


def contents(folder: Path) -> dict[str, bytes | str]:
    """Everything that lies in a folder: files by their contents, links by where they lead."""
    return {
        path.relative_to(folder).as_posix(): os.readlink(path) if path.is_symlink() else path.read_bytes()
        for path in folder.rglob("*")
        if path.is_symlink() or path.is_file()
    }


def refused(folder: Path, clip: Clip, export: Callable[..., None], queries: list[Query] = ONE) -> str:
    """The sentence with which a folder is refused before a run and by the exporter; nothing in it changes."""
    before = contents(folder)
    sentences = []
    for attempt in (lambda: check_folder(folder, clip, len(queries)), lambda: export(folder, queries)):
        with pytest.raises(InputError) as caught:
            attempt()
        sentences.append(str(caught.value))
    assert contents(folder) == before
    assert len(set(sentences)) == 1 and str(folder.parent) not in sentences[0]
    return sentences[0]


@pytest.mark.parametrize(
    "name",
    ["overlay.mp4", "masks/00000.png", "run.json", "strip.png", "cutout.webm", ".overlay.mp4.part", "masks.json"],
)
def test_a_users_own_file_in_the_way_is_never_replaced(
    tmp_path: Path, clip: Clip, export: Callable[..., None], name: str
) -> None:
    (tmp_path / "masks").mkdir()
    (tmp_path / name).write_text("mine")
    assert f"“{name}”" in refused(tmp_path, clip, export)


def test_what_is_not_in_the_way_stays(tmp_path: Path, export: Callable[..., None]) -> None:
    mine = {
        "results.zip": b"mine",
        "notes.txt": b"mine",
        "masks/00003.png": b"mine",  # the run has three frames
        "masks/A/00000.png": b"mine",  # and one query
        "masks/car_00000.png": b"mine",
        "prior-A.mp4": b"mine",
    }
    (tmp_path / "masks" / "A").mkdir(parents=True)
    for name, content in mine.items():
        (tmp_path / name).write_bytes(content)
    for count in (FRAMES, 1, 2):
        export(tmp_path, count=count)
        assert contents(tmp_path).items() >= mine.items()
        assert read_record(tmp_path)["frames"] == count
        assert not set(mine) & {path.relative_to(tmp_path).as_posix() for path in results_in(tmp_path)}
    with pytest.raises(InputError, match=r"results\.zip"):
        bundle(tmp_path)


def test_an_earlier_run_s_results_are_replaced_and_its_bundle_goes(tmp_path: Path, export: Callable[..., None]) -> None:
    export(tmp_path, TWO)
    bundle(tmp_path)
    export(tmp_path, count=2)
    names = {"overlay.mp4", "side-by-side.mp4", "strip.png", "strip.pdf", "masks.json", "run.json"}
    names |= {"prior.mp4", "masks.mp4", "cutout.webm", "masks/00000.png", "masks/00001.png"}
    assert set(contents(tmp_path)) == names
    assert not (tmp_path / "masks" / "A").exists()


def test_files_added_to_an_earlier_run_are_the_users(tmp_path: Path, clip: Clip, export: Callable[..., None]) -> None:
    export(tmp_path, count=1)
    (tmp_path / "masks" / "00001.png").write_text("mine")
    assert "“masks/00001.png”" in refused(tmp_path, clip, export)
    export(tmp_path, TWO)  # whose masks lie elsewhere
    assert (tmp_path / "masks" / "00001.png").read_text() == "mine"


RECORDS: list[Any] = [
    [],
    {},
    {"overlay": "overlay.mp4"},
    {"complete": True, "frames": 3, "queries": [{}]},
    "ours, with no query",
    "ours, with five queries",
]


@pytest.mark.parametrize("record", [*RECORDS, "{not json", "[" * 100_000])
def test_a_run_json_of_others_shows_nothing(
    tmp_path: Path, clip: Clip, export: Callable[..., None], record: Any
) -> None:
    export(tmp_path)
    text = record if isinstance(record, str) else json.dumps(record)
    if text.startswith("ours"):
        text = json.dumps({**read_record(tmp_path), "queries": [{}] * (5 if "five" in text else 0)})
    (tmp_path / "run.json").write_text(text)
    refused(tmp_path, clip, export)
    assert results_in(tmp_path) == []


def test_a_record_reaches_nothing_outside_of_its_folder(tmp_path: Path, export: Callable[..., None]) -> None:
    (tmp_path / "precious.mp4").write_text("mine")
    folder = tmp_path / "out"
    export(folder)
    record = read_record(folder)
    record |= {"frames": 10**12, "files": ["../precious.mp4"], "clip": {"name": "../precious.mp4"}}
    record["queries"][0] |= {"letter": "../precious", "expression": "../precious.mp4"}
    (folder / "run.json").write_text(json.dumps(record))
    export(folder)
    assert (tmp_path / "precious.mp4").read_text() == "mine"
    assert read_record(folder)["frames"] == FRAMES


@pytest.mark.parametrize("name", ["overlay.mp4", "run.json", "masks/00000.png", ".overlay.mp4.part"])
def test_a_link_is_not_followed(tmp_path: Path, clip: Clip, export: Callable[..., None], name: str) -> None:
    (tmp_path / "precious").write_text("mine")
    folder = tmp_path / "out"
    export(folder)
    (folder / name).unlink(missing_ok=True)
    (folder / name).symlink_to(tmp_path / "precious")
    refused(folder, clip, export)
    assert (tmp_path / "precious").read_text() == "mine"


def test_a_linked_folder_of_masks_is_the_users(tmp_path: Path, clip: Clip, export: Callable[..., None]) -> None:
    folder, mine = tmp_path / "out", tmp_path / "mine"
    export(folder)
    (folder / "masks").rename(mine)
    (folder / "masks").symlink_to(mine)
    assert "“masks”" in refused(folder, clip, export)
    assert len(list(mine.iterdir())) == FRAMES


def test_a_folder_reached_by_a_link_is_a_folder(tmp_path: Path, export: Callable[..., None]) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to("there")
    export(tmp_path / "link")
    export(tmp_path / "link", count=1)
    assert read_record(tmp_path / "there")["frames"] == 1


def test_a_link_that_leads_nowhere_is_told(tmp_path: Path, clip: Clip) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "gone")
    for folder in (tmp_path / "link", tmp_path / "link" / "below"):
        with pytest.raises(InputError, match="a link there leads nowhere"):
            check_folder(folder, clip, 1)


# ------------------------------------------------------------------------------------------------------- two at once


def test_a_folder_takes_one_run_at_a_time(
    tmp_path: Path, clip: Clip, model: mpgsam2.Segmenter, export: Callable[..., None]
) -> None:
    with Exporter(tmp_path, clip, queries=ONE, model=model):
        for attempt in (lambda: export(tmp_path), lambda: check_folder(tmp_path, clip, 1)):
            with pytest.raises(InputError, match="Another run is writing into"):
                attempt()
    export(tmp_path)
    assert ".mpgsam2.lock" not in contents(tmp_path)


def test_another_process_holds_the_folder_as_long_as_it_lives(
    tmp_path: Path, clip: Clip, export: Callable[..., None]
) -> None:
    hold = "import fcntl, sys; f = open(sys.argv[1], 'w'); fcntl.flock(f, fcntl.LOCK_EX); print(flush=True); input()"
    arguments = [sys.executable, "-c", hold, tmp_path / ".mpgsam2.lock"]
    other = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    other.stdout.readline()
    with pytest.raises(InputError, match="Another run is writing into"):
        check_folder(tmp_path, clip, 1)
    other.kill()
    other.communicate()
    assert (tmp_path / ".mpgsam2.lock").exists()  # but nobody holds it
    export(tmp_path)
    assert read_record(tmp_path)["complete"]


def test_a_forked_process_does_not_go_on_holding_the_folder(
    tmp_path: Path, clip: Clip, model: mpgsam2.Segmenter, export: Callable[..., None]
) -> None:
    exporter = Exporter(tmp_path, clip, queries=ONE, model=model)
    copy = os.dup(exporter_lock(tmp_path))  # as a fork has it
    exporter.close()
    export(tmp_path)
    os.close(copy)


def exporter_lock(folder: Path) -> int:
    """The descriptor of this process's lock on a folder."""
    inode = (folder / ".mpgsam2.lock").stat().st_ino
    return next(int(fd) for fd in os.listdir("/proc/self/fd") if same(int(fd), inode))


def same(descriptor: int, inode: int) -> bool:
    try:
        return os.fstat(descriptor).st_ino == inode and fcntl.fcntl(descriptor, fcntl.F_GETFD) >= 0
    except OSError:  # the listing's own
        return False


# ------------------------------------------------------------------------------------------------------ stopped early


def test_results_stay_until_the_next_run_has_a_frame(
    tmp_path: Path, clip: Clip, model: mpgsam2.Segmenter, export: Callable[..., None]
) -> None:
    export(tmp_path, TWO)
    before = contents(tmp_path)
    export(tmp_path, count=0)
    assert contents(tmp_path) == before
    with pytest.raises(RuntimeError), Exporter(tmp_path, clip, queries=ONE, model=model):
        raise RuntimeError
    assert contents(tmp_path) == before
    export(tmp_path, count=1)
    assert (read_record(tmp_path)["frames"], read_record(tmp_path)["complete"]) == (1, False)
    assert "masks/A/00000.png" not in contents(tmp_path)


def test_what_a_killed_run_leaves_is_replaced(
    tmp_path: Path, clip: Clip, model: mpgsam2.Segmenter, export: Callable[..., None]
) -> None:
    exporter = Exporter(tmp_path, clip, queries=TWO, model=model)
    mask = np.zeros((16, 24), bool)
    for index, frame in zip(range(2), clip, strict=False):
        result = FrameResult(index, mask, mask.astype(np.float32), np.zeros((4, 4), np.float32), 0.5, 0.5)
        exporter.add(frame, [result] * 2)
    left = contents(tmp_path)
    assert {"masks/B/00001.png", ".masks.json.part", "run.json"} < set(left)
    left |= dict.fromkeys((".overlay.mp4.part", ".overlay.mp4.sound.part", "masks/A/.00002.png.part"), b"half")
    exporter.close()
    for name in contents(tmp_path).keys() - left.keys():
        (tmp_path / name).unlink()
    for name, content in left.items():
        (tmp_path / name).write_bytes(content)
    export(tmp_path)
    assert not [name for name in contents(tmp_path) if name.startswith(".") or "/B/" in name]
