"""The rooms of the code lie as docs/architecture.md draws them, and no import goes up or around."""

from __future__ import annotations

import ast
import re
from graphlib import TopologicalSorter
from itertools import product
from pathlib import Path

import mpgsam2

PACKAGE = Path(mpgsam2.__file__).parent
DRAWING = re.search(
    r"```mermaid\n(.*?)```", (PACKAGE.parent / "docs" / "architecture.md").read_text(encoding="utf-8"), re.DOTALL
)[1]
ROOMS = {folder.name for folder in PACKAGE.iterdir() if (folder / "__init__.py").is_file()}


def drawn() -> dict[str, set[str]]:
    """The rooms to which the drawing's arrows lead from each."""
    arrows: dict[str, set[str]] = {}
    for line in DRAWING.splitlines():
        if "-->" in (line := re.sub(r"\[.*?\]", "", line)):
            starts, ends = (re.findall(r"\w+", side) for side in line.split("-->"))
            for start, end in product(starts, ends):
                arrows.setdefault(start, set()).add(end)
    return arrows


def imported(room: str) -> set[str]:
    """The other rooms from which a room imports, wherever in a file."""
    names: set[str] = set()
    for file in (PACKAGE / room).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                names.add(node.module)
            elif isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
    return {parts[1] for name in names if (parts := [*name.split("."), ""])[0] == "mpgsam2"} & ROOMS - {room}


def test_imports_follow_the_drawing_downwards() -> None:
    arrows = drawn()
    below: dict[str, set[str]] = {}
    for room in TopologicalSorter(arrows).static_order():  # which refuses circles
        below[room] = set().union(*({end} | below[end] for end in arrows.get(room, set())))
    assert below.keys() >= ROOMS
    assert {room: imported(room) - below[room] for room in ROOMS} == {room: set() for room in ROOMS}
