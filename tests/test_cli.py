"""The command line, run as its users run it, and inside this process where that shows the same."""

from __future__ import annotations

import io
import json
import os
import runpy
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from zipfile import ZipFile

import cv2
import numpy as np
import pytest

import mpgsam2
from mpgsam2.cli import _parser, main
from mpgsam2.export import read_record
from mpgsam2.export.writable import check_writable
from mpgsam2.interruption import Interrupted, Interruption
from mpgsam2.nano import synthetic
from mpgsam2.video import VideoWriter, open_clip

ROOT = Path(mpgsam2.__file__).parents[1]


@pytest.fixture
def truth(scene: synthetic.SyntheticClip, tmp_path: Path) -> Path:
    """A zip of the true masks of the scene's first thing."""
    path = tmp_path / "truth.zip"
    with ZipFile(path, "w") as archive:
        for index, mask in enumerate(scene.mask(0)):
            archive.writestr(f"{index}.png", cv2.imencode(".png", 255 * mask.astype(np.uint8))[1].tobytes())
    return path


def test_segment_writes_results_and_says_what_was_found(
    clip_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["segment", str(clip_file), "the red wombat", "--model", "nano", "--out", str(tmp_path / "results")]
    assert main([*arguments, "--without", "prior", "history"]) == 0
    written = read_record(tmp_path / "results")
    assert written["complete"] is True
    (query,) = written["queries"]
    assert query["without"] == ["history", "prior"]
    output = capsys.readouterr()
    assert output.out.startswith(f"“the red wombat” without history, prior: {query['summary']}\n")
    score = sum(frame["object_score"] for frame in query["frames"]) / 5
    assert f"\nMean object score {score:.2f}, mean predicted IoU " in output.out
    (files,) = (line for line in output.out.splitlines() if line.startswith(f"{tmp_path / 'results'}: "))
    assert set(files.split(": ")[1].split(", ")) - {"masks/"} == {
        path.name for path in (tmp_path / "results").iterdir() if path.is_file()
    }
    assert "“wombat”" in output.out
    assert "5/5" in output.err


def test_results_go_to_a_folder_named_after_the_clip(
    clip_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["segment", str(clip_file), "the red circle", "--model", "nano"]) == 0
    assert (tmp_path / "out" / "two things" / "overlay.mp4").is_file()


def test_several_expressions_are_one_run(clip_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    more = ["--expression", "the blue wombat", "--expression", "the circle"]
    assert main(["segment", str(clip_file), "the red wombat", *more, "--model", "nano", "--out", str(tmp_path)]) == 0
    queries = read_record(tmp_path)["queries"]
    assert [query["expression"] for query in queries] == ["the red wombat", "the blue wombat", "the circle"]
    output = capsys.readouterr().out
    for query in queries:
        assert f"{query['letter']} “{query['expression']}”: {query['summary']}\n" in output
    assert output.count("“wombat”") == 2
    assert output.count("mean IoU") == 1


def test_a_sentence_is_compared_with_itself_without_a_part(clip_file: Path, tmp_path: Path) -> None:
    options = ["--without", "prior", "--compare", "history", "global_context"]
    assert main(["segment", str(clip_file), "the yellow star", *options, "--out", str(tmp_path)]) == 0
    queries = read_record(tmp_path)["queries"]
    assert [query["expression"] for query in queries] == ["the yellow star"] * 2
    assert [query["without"] for query in queries] == [["prior"], ["global_context", "history", "prior"]]


def test_the_ground_truth_is_scored(
    clip_file: Path, truth: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--ground-truth", str(truth), "--out", str(tmp_path / "results")]
    assert main(["segment", str(clip_file), "the yellow star", *options]) == 0
    mean = read_record(tmp_path / "results")["queries"][0]["mean"]
    told = ", ".join(f"{name} {100 * mean[name]:.1f}" for name in ("J", "F", "J&F"))
    assert f", {told}\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    "asked", [["a star", "--compare", "prior"], ["a star", "--expression", "it's yellow", "--without", "history"]]
)
def test_the_recorded_command_repeats_the_run(
    clip_file: Path, truth: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: list[str]
) -> None:
    options = ["--first", "1", "--last", "3", "--every", "2", "--longest-side", "48", "--threshold", "0.3"]
    options += ["--ground-truth", str(truth), "--out", str(tmp_path / "first")]
    assert main(["segment", str(clip_file), *asked, *options]) == 0
    first = read_record(tmp_path / "first")
    assert first["selection"] == {"first": 1, "last": 3, "every": 2, "longest_side": 48}
    assert (first["frames"], first["width"], first["settings"]["threshold"]) == (2, 48, 0.3)

    monkeypatch.chdir(tmp_path)
    Path(clip_file.name).symlink_to(clip_file)
    python, *command = shlex.split(first["command"])
    assert (python, command[:2]) == ("python", ["-m", "mpgsam2"])
    assert main([*command[2:], "--out", "second"]) == 0
    assert read_record(Path("second")) == first


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["segment", "nowhere.mp4", "the red circle"], "no clip “nowhere.mp4”"),
        (["segment", __file__, "the red circle"], "not a video"),
        (["segment", "CLIP", " "], "empty"),
        (["segment", "CLIP", "the red circle", "--expression", ""], "empty"),
        (["segment", "CLIP", "the red circle", "--without", "memory"], "'memory'"),
        (["segment", "CLIP", "a circle", *["--expression", "a star"] * 4], "5 sentences: ask 1 to 4"),
        (["segment", "CLIP", "the red circle", "--compare", "memory"], "'memory'"),
        (["segment", "CLIP", "a circle", "--compare", "prior", "--expression", "a star"], "compared with itself"),
        (["segment", "CLIP", "the red circle", "--first", "5"], "no frame 5"),
        (["segment", "CLIP", "the red circle", "--every", "0"], "step of 0"),
        (["segment", "CLIP", "the red circle", "--longest-side", "3"], "too small"),
        (["segment", "CLIP", "the red circle", "--threshold", "50"], "between 0 and 1"),
        (["segment", "CLIP", "the red circle", "--ground-truth", "no.zip"], "“no.zip”"),
        (["segment", "CLIP", "the red circle", "--out", __file__], "cannot be written"),
        (["segment", "CLIP", "the red circle", "--model", "no-such"], "no model named 'no-such'"),
        (["segment", "CLIP", "the red circle", "--device", "abacus"], "'abacus'"),
        (["evaluate", "--clips", "0"], "at least one clip"),
        (["evaluate", "--seed", "-1"], "seed from 0"),
        (["evaluate", "--expressions", "0"], "at least one expression"),
        (["evaluate", "--without", "memory"], "'memory'"),
        (["evaluate", "--out", "nowhere/scores.json"], "nowhere/scores.json"),
        (["evaluate", "--sheet", "."], "cannot be written"),
        (["evaluate", "--out", __file__], "is there already"),
        (["evaluate", "--sheet", str(ROOT / "assets/nano/failures.jpg")], "is there already"),
        (["evaluate", "--out", str(ROOT / "assets/nano/config.json")], "is there already"),
        (["segment", "CLIP", "Hund"], "I do not know the word “hund”"),
        (["segment", "CLIP", "the red circle", "--object", "1"], "give --ground-truth"),
        (["demo", "--port", "70000"], "Port 70000 cannot be used"),
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


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_training_replaces_no_other_checkpoint(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "published").mkdir()
    (tmp_path / "published" / name).write_text("mine")
    assert main(["train-nano", "--out", "published"]) == 2
    assert (
        capsys.readouterr().err
        == f"“published” holds “{name}”, which is no nano checkpoint's: choose another folder.\n"
    )
    assert not (tmp_path / "runs").exists()


def test_a_port_that_is_taken_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert main(["demo", "--port", str(port)]) == 2
    assert (
        capsys.readouterr().err
        == f"Port {port} is taken by another program: choose another one, or leave out --port.\n"
    )


def test_a_signal_ends_a_run_between_two_frames(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "long.mp4", 64, 48, Fraction(12)) as writer:
        for index in range(400):
            writer.write(np.full((48, 64, 3), index % 200, np.uint8))
    command = [sys.executable, "-m", "mpgsam2", "segment", "long.mp4", "the red circle", "--out", "results"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True)
    while run.poll() is None and not (tmp_path / "results" / "masks" / "00001.png").exists():
        time.sleep(0.01)
    run.send_signal(signal.SIGTERM)
    assert run.communicate()[1].endswith("Stopped.\n")
    assert run.returncode == 143
    record = read_record(tmp_path / "results")
    done = record["frames"]
    assert record["complete"] is False and 2 <= done < 400
    assert not [path.name for path in (tmp_path / "results").rglob(".*")]
    assert len(list((tmp_path / "results" / "masks").iterdir())) == done
    assert open_clip(tmp_path / "results" / "overlay.mp4").frame_count == done


def test_signals_are_heeded_at_once_where_nothing_is_written() -> None:
    def answers() -> Iterator[int]:
        for index in range(3):
            if index == signalled:
                os.kill(os.getpid(), signal.SIGTERM)
                raise AssertionError("not reached")
            yield index

    interruption, signalled, before = Interruption(), 1, signal.getsignal(signal.SIGTERM)
    with pytest.raises(Interrupted) as caught, interruption.heeded():
        assert list(interruption.between(answers()))
    assert caught.value.exit_code == 143
    written, interruption, signalled = [], Interruption(), None
    with pytest.raises(Interrupted), interruption.heeded():
        for index in interruption.between(answers()):
            os.kill(os.getpid(), signal.SIGTERM)
            written.append(index)
    assert written == [0], "the frame at work is finished, and no other begun"
    with pytest.raises(Interrupted), interruption.heeded():
        os.kill(os.getpid(), signal.SIGTERM)  # a second one, while files are finished
    assert signal.getsignal(signal.SIGTERM) == before


def test_ctrl_c_while_the_program_is_still_imported_is_one_word(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Importing(ModuleType):
        def __getattr__(self, name: str) -> None:
            raise KeyboardInterrupt

    monkeypatch.setitem(sys.modules, "mpgsam2.cli", Importing("mpgsam2.cli"))
    with pytest.raises(SystemExit) as end:
        runpy.run_module("mpgsam2", run_name="__main__")
    assert (end.value.code, capsys.readouterr().err) == (130, "Stopped.\n")


def test_an_ascii_terminal_gets_plain_letters(clip_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = io.TextIOWrapper(io.BytesIO(), "ascii")
    monkeypatch.setattr(sys, "stdout", terminal)
    assert main(["segment", str(clip_file), "the red circle ünd", "--out", str(tmp_path / "r")]) == 0
    terminal.flush()
    text = terminal.buffer.getvalue().decode("ascii")
    assert text.startswith('"the red circle \\xfcnd": I do not know the word "\\xfcnd": ')


def test_as_a_program_it_prints_nothing_but_the_sentence(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mpgsam2", "segment", str(tmp_path / "nowhere.mp4"), "the red circle"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr == "There is no clip “nowhere.mp4”: check its name and where it lies.\n"


@pytest.mark.parametrize("command", ["", "segment", "evaluate", "score", "convert", "train", "demo", "benchmark"])
def test_help_answers_before_anything_heavy_is_imported(command: str) -> None:
    script = """
import sys
from mpgsam2.cli import main
try:
    main(sys.argv[1:])
finally:
    print([name for name in ("cv2", "torch", "scipy", "av", "PIL", "gradio") if name in sys.modules], file=sys.stderr)
"""
    arguments = [*command.split(), "--help"]
    run = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True)
    assert "usage: " in run.stdout and run.stderr == "[]\n"


def test_a_clip_is_cut_where_the_command_says(
    clip_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["segment", str(clip_file), "the red circle", "--span", "3", "--out", str(tmp_path)]) == 0
    assert "The clip was cut after every 3 frames, as asked: its parts know nothing of each other." in (
        capsys.readouterr().out
    )
    record = read_record(tmp_path)
    assert record["spans"] == [[0, 2], [3, 4]] and "--span 3" in record["command"]
    assert main(["segment", str(clip_file), "the red circle", "--span", "0"]) == 2
    assert capsys.readouterr().err == "The span is 0: it must be a number of frames, 1 or more.\n"


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
    check_writable(tmp_path / "scores.json", tmp_path / "sheet.jpg")  # they may be written again


def test_benchmarks_are_scored_in_float32_and_else_the_device_decides() -> None:
    parse = _parser().parse_args
    assert parse(["evaluate"]).dtype == "float32"
    assert parse(["segment", "clip.mp4", "the red circle"]).dtype == parse(["demo"]).dtype == "auto"
    assert parse(["evaluate", "--dtype", "bfloat16"]).dtype == "bfloat16"
