"""Every block of the README can be pasted as it stands, after `make demo`, where the repository is."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from mpgsam2 import cli

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
PYTHON = [text for language, text in BLOCKS if language == "python"]
LINES = [line for language, text in BLOCKS if language == "sh" for line in text.splitlines() if line]


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the repository's examples, where what is written does no harm."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_python_runs_as_it_stands(place: Path) -> None:
    names: dict[str, object] = {}
    blocks = [text for text in PYTHON if "Client(" not in text and "large-" not in text]  # those ask a page, and a hub
    assert len(blocks) >= 2
    for text in blocks:
        exec(compile(text, "README.md", "exec"), names)
    assert (place / "results" / "run.json").is_file()


def test_the_client_runs_as_it_stands(url: str) -> None:
    (text,) = [text for text in PYTHON if "Client(" in text]
    names: dict[str, object] = {}
    exec(compile(text.replace("http://127.0.0.1:7860", url), "README.md", "exec"), names)
    assert len(names["record"]["queries"]) == 4
    assert all("J" in query["mean"] for query in names["record"]["queries"][:2])


def test_what_needs_a_hub_is_python_at_least() -> None:
    for text in PYTHON:
        compile(text, "README.md", "exec")


def test_commands_run_as_they_stand(capsys: pytest.CaptureFixture[str]) -> None:
    commands = [shlex.split(line, comments=True) for line in LINES]
    ours = [words[3:] for words in commands if words[:3] == ["python", "-m", "mpgsam2"]]
    others = [words for words in commands if words[:3] != ["python", "-m", "mpgsam2"]]
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert [".", ".venv/bin/activate"] in others
    assert {words[1] for words in others if words[0] == "make"} <= set(targets)
    assert {words[0] for words in others} <= {"make", ".", "hf"}
    assert len(ours) >= 6
    for words in ours:
        if words[0] == "segment":
            assert cli.main(words) == 0, capsys.readouterr().err
        else:  # hours, data sets or a GPU; but there are such commands and such options
            _, rest = cli._parser().parse_known_args(words)
            assert words[0] == "train-nano" or rest == []
