"""The table of settings, and what is made from it."""

from __future__ import annotations

from pathlib import Path

import pytest

from mpgsam2.cli import _parser
from mpgsam2.settings import SETTINGS, as_markdown

DOCS = Path(__file__).parents[1] / "docs"
FLAGS = ("dtype", "without", "first", "last", "every", "longest_side", "threshold", "ground_truth", "object")


def test_the_docs_have_the_table() -> None:
    assert f"\n\n{as_markdown()}\n\n" in (DOCS / "api.md").read_text(encoding="utf-8")


def test_the_command_line_says_of_a_setting_what_the_table_says(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "1000")  # so that no line is broken
    with pytest.raises(SystemExit):
        _parser().parse_args(["segment", "--help"])
    text = capsys.readouterr().out
    for name in FLAGS:
        assert f" --{name.replace('_', '-')} " in text and f"  {SETTINGS[name].help} (default: " in text


def test_a_flag_that_is_not_given_is_as_the_table_says() -> None:
    args = vars(_parser().parse_args(["segment", "clip.mp4", "the star"]))
    usual = {name: SETTINGS[name].default for name in FLAGS}
    assert {name: args[name] for name in FLAGS} == usual | {"first": 0, "without": []}  # frames count from 0 there
