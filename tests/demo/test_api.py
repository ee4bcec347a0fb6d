"""The page's endpoint for programs, as its own client calls it."""

from __future__ import annotations

import gc
import json
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import pytest
from browser import TIMEOUT
from gradio.utils import get_upload_folder
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from strange_uploads import strange_clips, strange_truths
from stranger import fd, stranger, until
from visitor import EXAMPLE, FPS, FRAMES, files

from mpgsam2.demo import frames
from mpgsam2.demo.errors import FAULT
from mpgsam2.settings import SETTINGS
from mpgsam2.video import guard, open_clip

SENTENCE = "the red circle"


@pytest.fixture(scope="module")
def client(url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    client = Client(url, verbose=False, download_files=tmp_path_factory.mktemp("downloads"))
    yield client
    client.close()


def ask(client: Client, clip: Path | None, expression: str = SENTENCE, **settings: object) -> tuple:
    """The last answer of `/segment`."""
    clip = clip and handle_file(clip)
    job = client.submit(clip=clip, expression=expression, api_name="/segment", **settings)
    return job.result(timeout=TIMEOUT / 1000)


def test_only_segment_is_public_and_says_what_it_takes(client: Client) -> None:
    endpoints = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    assert list(endpoints) == ["/segment"]
    parameters = endpoints["/segment"]["parameters"]
    assert [p["parameter_name"] for p in parameters] == ["clip", "expression", *list(SETTINGS)[1:]]
    assert [p["parameter_name"] for p in parameters if not p["parameter_has_default"]] == ["clip", "expression"]
    usual = [setting.default or None for setting in SETTINGS.values()]
    assert [p["parameter_default"] or None for p in parameters[3:]] == usual[2:]  # the usual model is the page's


def test_files_and_record_come_back(client: Client, clips: Path) -> None:
    job = client.submit(clip=handle_file(clips / "short.mp4"), expression=SENTENCE, api_name="/segment")
    prior, masks, overlay, bundle, record = job.result(timeout=TIMEOUT / 1000)
    assert (record["done"], record["frames"], record["warning"]) == (FRAMES, FRAMES, None)
    for file in (prior, masks, overlay):
        clip = open_clip(file["video"] if isinstance(file, dict) else file)
        assert (clip.frame_count, clip.fps) == (FRAMES, FPS)
    with ZipFile(bundle) as archive:
        kept = json.loads(archive.read("run.json"))
    assert record["queries"] == kept["queries"] and record["text"] == kept["queries"][0]["summary"]
    done = [steps[-1]["done"] for steps in job.outputs()]
    assert done == sorted(done) and (done[0], done[-1]) == (0, FRAMES) and len(done) >= 3  # told now and then
    assert tempfile.gettempdir() not in json.dumps(record)


def test_settings_are_heeded(client: Client, clips: Path) -> None:
    *_, bundle, record = ask(
        client,
        clips / "short.mp4",
        f"{SENTENCE}\nthe star",
        first=3,
        last=9,
        every=2,
        longest_side=96,
        threshold=0.3,
        opacity=0.7,
        pattern=True,
        without=["history"],
        ground_truth=handle_file(clips / "short.masks.zip"),
    )
    assert [(q["letter"], q["expression"], q["without"]) for q in record["queries"]] == [
        ("A", SENTENCE, []),
        ("B", SENTENCE, ["history"]),
        ("C", "the star", []),
        ("D", "the star", ["history"]),
    ]
    assert (record["frames"], record["width"], record["fps"]) == (4, 96, "6")
    assert [entry["source_index"] for entry in record["queries"][0]["frames"]] == [2, 4, 6, 8]
    assert set(record["queries"][0]["mean"]) == {"J", "F", "J&F"}
    assert record["settings"] | {"threshold": 0.3, "opacity": 0.7, "pattern": True} == record["settings"]
    with ZipFile(bundle) as archive:
        assert {"masks/D/00003.png", "prior-D.mp4", "cutout-A.webm"} < set(archive.namelist())


def test_bad_input_is_answered_with_one_sentence(client: Client, clips: Path, tmp_path: Path) -> None:
    short = clips / "short.mp4"
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(short.read_bytes()[:3000])
    playlist = tmp_path / "list.mp4"
    playlist.write_text(f"#EXTM3U\n#EXTINF:1,\nfile://{short}\n")
    escaping = tmp_path / "escaping.zip"
    with ZipFile(escaping, "w") as archive:
        archive.writestr("../00000.png", b"")
    cases = [
        (None, {}, "No clip was given"),
        (clips / "text.mp4", {}, "not a video that can be read here"),
        (cut, {}, "cut.mp4"),
        (playlist, {}, "not a video that can be read here"),
        (short, {"expression": " "}, "empty: write which object to segment"),
        (short, {"expression": "red " * 60}, "too long"),
        (short, {"expression": "a\nb\nc\nd\ne"}, "At most 4 sentences"),
        (short, {"first": 0}, "counted from 1"),
        (short, {"first": 99}, "12"),
        (short, {"threshold": 0.0}, "less than minimum"),
        (short, {"model": "large-mevis"}, None),
        (short, {"ground_truth": handle_file(clips / "text.mp4")}, None),
        (short, {"ground_truth": handle_file(escaping)}, "escaping.zip"),
    ]
    for clip, settings, told in cases:
        with pytest.raises((AppError, ValueError)) as error:
            ask(client, clip, **({"expression": SENTENCE} | settings))
        text = str(error.value)
        assert told is None or told in text, (settings, text)
        assert "Traceback" not in text and str(get_upload_folder()) not in text, text


@pytest.mark.parametrize(
    ("limits", "told"),
    [
        ({"bytes": 1000}, "too large"),
        ({"frames": 5}, "too long: at most 5 frames"),
        ({"seconds": 0.5}, "too long: 1 s"),
        ({"pixels": 1000}, "The picture of “short.mp4” is too large: 200 × 160"),
    ],
)
def test_clips_beyond_a_limit_are_refused(
    client: Client, clips: Path, monkeypatch: pytest.MonkeyPatch, limits: dict[str, float], told: str
) -> None:
    monkeypatch.setattr(frames, "LIMITS", frames.Limits(**limits))
    with pytest.raises(AppError, match=told):
        ask(client, clips / "short.mp4")


def test_a_decoder_that_breaks_costs_its_visitor_a_sentence_and_others_nothing(
    client: Client, clips: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    breaks = tmp_path / "breaks.mp4"
    breaks.write_bytes((clips / "short.mp4").read_bytes() + b"\0\0\0\x08free")
    with monkeypatch.context() as patched:
        patched.setattr(guard, "_COMMAND", [sys.executable, "-c", "import os; os.abort()"])
        with pytest.raises(AppError, match=r"“breaks\.mp4” cannot be used, because the decoder broke down over it"):
            ask(client, breaks)
    *_, record = ask(client, clips / "short.mp4", last=1)
    assert record["frames"] == 1


def test_strange_uploads_are_refused_in_one_sentence(client: Client, clips: Path, tmp_path: Path) -> None:
    """Every tenth of two hundred; `tests/test_strangers.py` reads them all."""
    (tmp_path / "clips").mkdir()
    (tmp_path / "truths").mkdir()
    cases = [{"clip": path} for path in strange_clips(tmp_path / "clips")[::10]]
    cases += [
        {"clip": clips / "short.mp4", "ground_truth": handle_file(path)}
        for path in strange_truths(tmp_path / "truths")[::5]
    ]
    refused = 0
    for case in cases:
        try:
            ask(client, last=1, **case)
        except AppError as error:  # some of the damage does no harm
            refused += 1
            text = str(error)
            assert "Traceback" not in text and FAULT not in text and str(get_upload_folder()) not in text, (case, text)
    assert refused > len(cases) / 2


def test_a_text_of_any_kind_is_only_a_text(client: Client, clips: Path) -> None:
    for text in ("<img src=x onerror=alert(1)>", "'; DROP TABLE clips; --", "../../etc/passwd", "{{7*7}}", EXAMPLE):
        *_, record = ask(client, clips / "short.mp4", f"star {text}", last=2)
        (query,) = record["queries"]
        assert query["expression"] == f"star {text}"
        assert query["verdict"]["certainty"] is None and "%" not in record["text"]
    for text in ("Hund", "'; DROP TABLE clips; --", "../../etc/passwd"):
        with pytest.raises(AppError, match="I do not know"):
            ask(client, clips / "short.mp4", text)
    with pytest.raises(AppError, match="too long"):
        ask(client, clips / "short.mp4", "😀" * 10_000)


def test_fifty_runs_leave_nothing(url: str, tiny: Path) -> None:
    """Files and memory end where they began."""

    def megabytes() -> float:
        gc.collect()
        return int(re.search(r"VmRSS:\s+(\d+)", Path("/proc/self/status").read_text())[1]) / 1e3

    before = files()
    with stranger(url) as visitor:
        for number in range(55):
            if number == 5:
                memory = megabytes()
            if number % 5 == 0:
                clip = visitor.upload(tiny)
            answered, output = visitor.ask(fd(clip))
            assert answered, output
        assert megabytes() - memory < 50
    until(lambda: files() <= before, "files stay")
