"""The atlas is built from icon packages, the same from the same ones."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from mpgsam2 import InputError
from mpgsam2.nano.drawings import build as building
from mpgsam2.nano.drawings.atlas import Atlas
from mpgsam2.nano.drawings.build import MARGIN, SIDE, build, draw
from mpgsam2.nano.drawings.nouns import NOUNS
from mpgsam2.nano.drawings.sources import PHOTOGRAPHS, STYLES

DISC = '<circle cx="{}" cy="8" r="4" fill="{}"/>'


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Packages of three nouns: a style's first icon is an alias, and every style has a colour of its own."""
    monkeypatch.setattr(building, "NOUNS", {name: NOUNS[name] for name in ("apple", "cat", "bus")})
    names = [icon for name in ("apple", "cat", "bus") for icon in NOUNS[name].icons]
    for style, colour in zip(STYLES, ("red", "blue", "yellow", "#808080", "white"), strict=True):
        folder = tmp_path / "icons" / style
        folder.mkdir(parents=True)
        icons = {name: {"body": DISC.format(5 + i, colour)} for i, name in enumerate(names[1:])}
        icons["other"] = {"body": '<path d="M2 9h10v2h-10z" fill="lime"/>', "width": 14}
        package = {"icons": icons, "aliases": {names[0]: {"parent": "other"}}, "width": 16, "height": 16}
        (folder / "icons.json").write_text(json.dumps(package))
        info = {"name": style.title(), "author": {"name": "Somebody"}, "license": {"spdx": "MIT"}}
        (folder / "info.json").write_text(json.dumps(info))
    for place in PHOTOGRAPHS.values():
        file = tmp_path / "photographs" / place.replace("*x*", "1280x720.png")
        file.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(file), np.full((72, 1280, 3), 90, np.uint8))
    return tmp_path


def test_the_same_packages_give_the_same_atlas(packages: Path) -> None:
    contents = []
    for out in (packages / "one", packages / "two"):
        build(packages / "icons", packages / "photographs", out)
        contents.append({file.name: file.read_bytes() for file in out.iterdir()})
    assert contents[0] == contents[1]
    assert len(contents[0]) == len(STYLES) + len(PHOTOGRAPHS) + 1
    atlas = Atlas(packages / "one")
    assert atlas.nouns == ("apple", "cat", "bus") and atlas.styles == STYLES
    assert atlas.photograph("Dune").shape == (36, 640, 3)
    place = atlas.places("cat")[0]
    assert [atlas.colour(style, place) for style in STYLES] == ["red", "blue", "yellow", "grey", "white"]
    first = atlas.drawing("apple", "noto", atlas.places("apple")[0])
    assert first.colour == "green" and first.rgb[1] > 240
    (packages / "one" / "Aqua.jpg").write_bytes(b"cut off")
    with pytest.raises(InputError, match=r"Aqua\.jpg"):
        atlas.photograph("Aqua")


def test_drawings_fill_their_square(packages: Path) -> None:
    picture = draw('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><path d="M2 9h10v2h-10z"/></svg>')
    rows, columns = (np.flatnonzero((picture[..., 3] > 127).any(axis)) for axis in (1, 0))
    assert picture.shape == (SIDE, SIDE, 4)
    assert (columns[0], columns[-1]) == (MARGIN, SIDE - 1 - MARGIN)
    assert rows[0] + rows[-1] == SIDE - 1 and len(rows) == pytest.approx(len(columns) / 5, abs=1)


def test_what_is_missing_is_named(packages: Path) -> None:
    (packages / "photographs" / PHOTOGRAPHS["Dune"]).unlink()
    with pytest.raises(InputError, match="Dune"):
        build(packages / "icons", packages / "photographs", packages / "out")
    file = packages / "icons" / "noto" / "icons.json"
    file.write_text(file.read_text().replace("cat-face", "dog-face"))
    with pytest.raises(InputError, match="cat-face"):
        build(packages / "icons", None, packages / "out")
