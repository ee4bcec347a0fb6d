"""What the docs name is there: files, links and their headings, classes with their methods, and tests."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), ROOT / "assets" / "nano" / "README.md"]
TEXTS = {page.relative_to(ROOT).as_posix(): page.read_text(encoding="utf-8") for page in PAGES}
SOURCES = {
    file: file.read_text(encoding="utf-8") for place in ("mpgsam2", "tests") for file in ROOT.glob(f"{place}/**/*.py")
}
FOLDERS = ("mpgsam2/", "tests/", "docs/", "assets/", "examples/")


def quoted(text: str) -> set[str]:
    """What stands in `backticks`, outside blocks of code."""
    return set(re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)))


def is_there(name: str) -> bool:
    """Whether a path is one of the repository or the package, or a bare name that of a module or a test."""
    return any((ROOT / place / name).exists() for place in ("", "mpgsam2", "tests/demo")) or (
        "/" not in name and any(file.name == name for file in SOURCES)
    )


def headings(text: str) -> set[str]:
    """The anchors that a page has on GitHub."""
    return {
        re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-")
        for title in re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    }


def classes() -> dict[str, str]:
    """The text of each class of the package, by its name."""
    found = {}
    for source in SOURCES.values():
        for name, body in re.findall(r"^class (\w+)(.*?)(?=^\S|\Z)", source, re.DOTALL | re.MULTILINE):
            found[name] = body
    return found


@pytest.mark.parametrize("page", sorted(TEXTS))
def test_files_that_are_named_exist(page: str) -> None:
    names = {name.split("::")[0] for name in quoted(TEXTS[page])}
    files = {name for name in names if re.fullmatch(r"[\w./-]+\.py", name) or name.startswith(FOLDERS)}
    assert sorted(name for name in files if not is_there(name)) == []


@pytest.mark.parametrize("page", sorted(TEXTS))
def test_links_lead_to_files_and_headings(page: str) -> None:
    broken = []
    for target in re.findall(r"\]\((?!\w+:)([^)\s]+)\)", TEXTS[page]):
        path, _, anchor = target.partition("#")
        file = (ROOT / page).parent / path if path else ROOT / page
        if not file.exists() or (anchor and anchor not in headings(file.read_text(encoding="utf-8"))):
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("page", sorted(TEXTS))
def test_names_of_the_code_exist(page: str) -> None:
    missing = []
    for name in re.findall(r"\bmpgsam2(?:\.\w+)+", TEXTS[page]):
        parts, depth = name.split("."), 1
        value = importlib.import_module("mpgsam2")
        for part in parts[1:]:
            depth += 1
            if not hasattr(value, part):
                try:
                    importlib.import_module(".".join(parts[:depth]))
                except ImportError:
                    missing.append(name)
                    break
            value = getattr(value, part)
    members = classes()
    for name in quoted(TEXTS[page]):
        match = re.fullmatch(r"([A-Z]\w+)\.(\w+)", name)
        if match and not re.search(rf"\b{match[2]}\b", members.get(match[1], "")):
            missing.append(name)
    assert missing == []


@pytest.mark.parametrize("page", sorted(TEXTS))
def test_tests_that_are_named_exist(page: str) -> None:
    names = {name.split("::")[-1] for name in quoted(TEXTS[page]) if re.match(r"(\w+\.py::)?test_\w+$", name)}
    there = set(re.findall(r"def (test_\w+)", "".join(SOURCES.values()))) if names else set()
    assert names - there == set()


def test_files_that_the_code_names_exist() -> None:
    there = {file.name for folder in ("mpgsam2", "tests", "examples", "docs") for file in (ROOT / folder).rglob("*.*")}
    missing = {
        name
        for source in SOURCES.values()
        for name in re.findall(r"`([\w./-]+\.(?:py|js|css|md))`", source)
        if Path(name).name not in there and not (ROOT / name).exists()
    }
    assert missing == set()
