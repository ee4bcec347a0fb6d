"""Every block of README and docs can be pasted as it stands, after `make demo`, where the repository is."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from mpgsam2 import cli

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCKS = {
    page.name: re.findall(r"^```(\w+)\n(.*?)^```$", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    for page in PAGES
}
PYTHON = {name: [text for language, text in blocks if language == "python"] for name, blocks in BLOCKS.items()}
LINES = [
    line
    for name in ("README.md", "api.md")
    for language, text in BLOCKS[name]
    if language == "sh"
    for line in text.splitlines()
    if line
]


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the repository's examples, where what is written does no harm."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_python_runs_as_it_stands(place: Path) -> None:
    for page, least in (("README.md", 1), ("api.md", 2)):
        names: dict[str, object] = {}
        blocks = [text for text in PYTHON[page] if "Client(" not in text and 'load_model("large-' not in text]
        blocks = [text for text in blocks if "push_to_hub" not in text]  # these ask a page or a hub
        assert len(blocks) >= least
        for text in blocks:
            exec(compile(text, page, "exec"), names)
    assert (place / "results" / "run.json").is_file()


def test_the_client_runs_as_it_stands(url: str) -> None:
    (text,) = [text for text in PYTHON["api.md"] if "Client(" in text]
    names: dict[str, object] = {}
    exec(compile(text.replace("http://127.0.0.1:7860", url), "api.md", "exec"), names)
    assert len(names["record"]["queries"]) == 4
    assert all("J" in query["mean"] for query in names["record"]["queries"][:2])


def test_what_needs_a_hub_is_python_at_least() -> None:
    for page, blocks in PYTHON.items():
        for text in blocks:
            compile(text, page, "exec")


def test_links_lead_to_files_that_are_there() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), (page.name, target)


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
