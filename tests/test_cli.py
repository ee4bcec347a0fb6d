"""The command line, run as its users run it, and inside this process where that shows the same."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import cv2
import pytest

import mpgsam2
from mpgsam2.cli import folder_names, main

ROOT = Path(mpgsam2.__file__).parents[1]


def test_segment_writes_results_and_says_what_was_found(
    clip_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["segment", str(clip_file), "the red dog", "--model", "nano", "--out", str(tmp_path / "results")]
    assert main([*arguments, "--without", "prior", "history"]) == 0
    written = json.loads((tmp_path / "results" / "result.json").read_text(encoding="utf-8"))
    assert written["complete"] is True
    assert written["parameters"]["without"] == ["history", "prior"]
    output = capsys.readouterr()
    told = re.escape(f"“the red dog”: {written['verdict']['sentence']}") + r" I am \d\d % sure[.,]"
    assert re.match(told, output.out)
    score = sum(frame["object_score"] for frame in written["frames"]) / 5
    assert f"\nMean object score {score:.2f}, mean predicted IoU " in output.out
    assert str(tmp_path / "results") in output.out
    assert "“dog”" in output.out
    assert "5/5" in output.err


def test_results_go_to_a_folder_named_after_the_clip(
    clip_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["segment", str(clip_file), "the red circle", "--model", "nano"]) == 0
    assert (tmp_path / "out" / "two things" / "overlay.mp4").is_file()


def test_each_of_several_expressions_gets_a_folder(clip_file: Path, tmp_path: Path) -> None:
    more = ["--expression", "the blue square", "--expression", "The red circle!"]
    assert main(["segment", str(clip_file), "the red circle", *more, "--model", "nano", "--out", str(tmp_path)]) == 0
    expressions = {
        folder.name: json.loads((folder / "result.json").read_text(encoding="utf-8"))["expression"]
        for folder in tmp_path.iterdir()
    }
    assert expressions == {
        "the-red-circle": "the red circle",
        "the-blue-square": "the blue square",
        "the-red-circle-2": "The red circle!",
    }


def test_folder_names_are_safe_short_and_unique() -> None:
    names = folder_names(["../../etc", "a/b\\c:d", "a b c d", "a-b-c-d-2", "a_b.c d", "…", "Größe", "word " * 40])
    assert names == ["etc", "a-b-c-d", "a-b-c-d-2", "a-b-c-d-2-2", "a-b-c-d-3", "expression", "größe", names[-1]]
    assert names[-1].startswith("word-word-") and len(names[-1]) <= 60


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["segment", "nowhere.mp4", "the red circle"], "no clip “nowhere.mp4”"),
        (["segment", __file__, "the red circle"], "not a video"),
        (["segment", "CLIP", " "], "empty"),
        (["segment", "CLIP", "the red circle", "--expression", ""], "empty"),
        (["segment", "CLIP", "the red circle", "--without", "memory"], "'memory'"),
        (["segment", "CLIP", "the red circle", "--out", __file__], "cannot be written"),
        (["segment", "CLIP", "the red circle", "--model", "no-such"], "no model named 'no-such'"),
        (["segment", "CLIP", "the red circle", "--device", "abacus"], "'abacus'"),
        (["evaluate", "--clips", "0"], "at least one clip"),
        (["evaluate", "--seed", "-1"], "seed from 0"),
        (["evaluate", "--expressions", "0"], "at least one expression"),
        (["evaluate", "--without", "memory"], "'memory'"),
        (["evaluate", "--out", "nowhere/scores.json"], "nowhere/scores.json"),
        (["evaluate", "--sheet", "."], "cannot be written"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(
    clip_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    command, *rest = [str(clip_file) if argument == "CLIP" else argument for argument in arguments]
    assert main([command, "--model", "nano", *rest]) == 2
    output = capsys.readouterr()
    assert message in output.err
    assert output.err.count("\n") == 1 and not output.out
    assert not list(tmp_path.iterdir())


def test_as_a_program_it_prints_nothing_but_the_sentence(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mpgsam2", "segment", str(tmp_path / "nowhere.mp4"), "the red circle"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr == "There is no clip “nowhere.mp4”: check its name and where it lies.\n"


def test_unknown_arguments_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["evaluate", "--clip", "3", "--sed", "1"])
    assert caught.value.code == 2
    assert "--sed" in capsys.readouterr().err


def test_training_gets_its_own_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["train-nano", "--help"])
    assert caught.value.code == 0
    assert "usage: python -m mpgsam2 train-nano" in capsys.readouterr().out


def test_demo_serves_the_page() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mpgsam2", "demo", "--model", "nano", "--port", str(port)]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        output = ""
        while server.poll() is None and "Running on local URL" not in output:
            output += server.stdout.readline()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/config", timeout=60) as answer:
            assert json.load(answer)["title"] == "MPG-SAM 2"
    finally:
        server.kill()
        server.communicate()


def test_evaluate_prints_a_table_and_writes_figures_sentences_and_sheet(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = ["--out", str(tmp_path / "scores.json"), "--sheet", str(tmp_path / "sheet.jpg")]
    settings = ["--seed", "5", "--clips", "2", "--frames", "2", "--expressions", "2", "--family", "held-out"]
    assert main(["evaluate", "--model", "nano", *settings, "--without", "history", *files]) == 0
    written = json.loads((tmp_path / "scores.json").read_text(encoding="utf-8"))
    assert (written["seed"], written["clips"], written["family"]) == (5, 2, "held-out")
    assert written["without"] == ["history"]
    percent = written["percent"]
    named = [sentence for sentence in written["sentences"] if sentence["target"] is not None]
    assert 2 <= percent["overall"]["sentences"] == len(named) <= 4
    assert percent["absent"]["sentences"] == len(written["sentences"]) - len(named) == 2
    assert all(len(sentence["frames"]["object_score"]) == 2 for sentence in written["sentences"])
    (row,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith("all "))
    overall = percent["overall"]
    figures = [overall[answer][figure] for answer in ("masks", "prior", "chance") for figure in ("J&F", "J", "F")]
    assert row.split() == ["all", str(len(named)), *(f"{figure:.1f}" for figure in [*figures, overall["named"]])]
    assert cv2.imread(str(tmp_path / "sheet.jpg")).shape[1] > 1000
