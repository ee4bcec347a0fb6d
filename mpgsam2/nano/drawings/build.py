"""Make the atlas: draw the icons of all nouns in all styles, and collect photographs for backgrounds.

    python -m mpgsam2.nano.drawings.build --icons ICONS --photographs PHOTOGRAPHS --out ATLAS

ICONS holds the unpacked npm packages, each as a folder of its style's name (`noto/icons.json` and so on);
PHOTOGRAPHS is where Debian's packages of wallpapers were unpacked. `make atlas` gets both. What is written depends on
nothing else: the same packages give the same bytes.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np

from mpgsam2.errors import InputError
from mpgsam2.nano.drawings.colour_names import name_of, shares
from mpgsam2.nano.drawings.nouns import NOUNS
from mpgsam2.nano.drawings.sources import PHOTOGRAPHS, STYLES

SIDE = 112  # px of a drawing's square
MARGIN = 2  # px around it
COLUMNS = 20  # of a sheet of drawings
OPAQUE_ALPHA = 8  # alpha, 0..255, above which a pixel counts as drawn
PHOTOGRAPH_WIDTH, PHOTOGRAPH_QUALITY = 640, 88


def build(icons: Path, photographs: Path | None, out: Path) -> None:
    """Write the atlas: a sheet of drawings for each style, the photographs, and `atlas.json`, which lists them.

    Args:
        icons, photographs: see above; without photographs the atlas has none.
        out: a folder, made if it is not there.

    Raises:
        InputError: an icon or a photograph is missing.
    """
    out.mkdir(parents=True, exist_ok=True)
    listed = [(noun, icon) for noun, entry in NOUNS.items() for icon in entry.icons]
    styles: dict[str, dict[str, str]] = {}
    looks: dict[str, list[list[Any]]] = {}
    for style in STYLES:
        drawings = [draw(svg) for svg in _svgs(icons / style, [icon for _, icon in listed])]
        looks[style] = [_look(drawing) for drawing in drawings]
        drawings += [np.zeros_like(drawings[0])] * (-len(drawings) % COLUMNS)
        rows = [np.hstack(drawings[i : i + COLUMNS]) for i in range(0, len(drawings), COLUMNS)]
        cv2.imwrite(str(out / f"{style}.png"), cv2.cvtColor(np.vstack(rows), cv2.COLOR_RGBA2BGRA))
        styles[style] = _licence(icons / style)
    names = []
    if photographs:
        names = sorted(PHOTOGRAPHS)
        for name in names:
            _copy_photograph(sorted(photographs.glob(PHOTOGRAPHS[name])), out / f"{name}.jpg")
    record = {"side": SIDE, "columns": COLUMNS, "styles": styles, "drawings": listed, "looks": looks}
    record |= {"photographs": names}
    (out / "atlas.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def draw(svg: str) -> np.ndarray:
    """Draw an SVG as large as fits, in the middle of a square: (SIDE, SIDE, 4) uint8 RGBA, not premultiplied."""
    import resvg_py

    png = np.frombuffer(bytes(resvg_py.svg_to_bytes(svg_string=svg, width=4 * SIDE, skip_system_fonts=True)), np.uint8)
    decoded = cast(np.ndarray, cv2.imdecode(png, cv2.IMREAD_UNCHANGED))
    picture: np.ndarray = cv2.cvtColor(decoded, cv2.COLOR_BGRA2RGBA).astype(np.float32)
    picture[..., :3] *= picture[..., 3:] / 255  # so that what is transparent has no colour to lend
    rows, columns = (np.flatnonzero((picture[..., 3] > OPAQUE_ALPHA).any(axis)) for axis in (1, 0))
    picture = picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = (SIDE - 2 * MARGIN) / max(picture.shape[:2])
    height, width = (max(1, round(scale * length)) for length in picture.shape[:2])
    picture = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    square = np.zeros((SIDE, SIDE, 4), np.float32)
    top, left = (SIDE - height) // 2, (SIDE - width) // 2
    square[top : top + height, left : left + width] = picture
    square[..., :3] /= np.maximum(square[..., 3:] / 255, 1 / 255)
    return np.clip(np.rint(square), 0, 255).astype(np.uint8)


def _look(drawing: np.ndarray) -> list[Any]:
    """Return what colour a drawing is said to have, and which others one might say."""
    return list(name_of(shares(drawing[..., :3], drawing[..., 3])))


def _svgs(folder: Path, names: list[str]) -> list[str]:
    """Return the icons of these names in an Iconify package, as SVG."""
    package = json.loads((folder / "icons.json").read_text(encoding="utf-8"))
    icons, aliases = package["icons"], package.get("aliases", {})
    svgs = []
    for name in names:
        icon = icons.get(name) or icons.get(aliases.get(name, {}).get("parent", ""))
        if icon is None:
            raise InputError(f"The icon package {folder.name} has no icon named {name}: take another version of it.")
        width, height = (icon.get(key, package.get(key, 16)) for key in ("width", "height"))
        box = f"{icon.get('left', 0)} {icon.get('top', 0)} {width} {height}"
        svgs.append(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}">{icon["body"]}</svg>')
    return svgs


def _licence(folder: Path) -> dict[str, str]:
    """Return who made an icon set, and under which licence it is."""
    info = json.loads((folder / "info.json").read_text(encoding="utf-8"))
    return {"name": info["name"], "author": info["author"]["name"], "licence": info["license"]["spdx"]}


def _copy_photograph(files: list[Path], out: Path) -> None:
    """Write the first of the files that is wide enough and not upright as a small JPEG."""
    pictures = (cv2.imread(str(file)) for file in files)
    wide = (p for p in pictures if p is not None and p.shape[1] >= max(PHOTOGRAPH_WIDTH, p.shape[0]))
    picture = next(wide, None)
    if picture is None:
        raise InputError(f"There is no photograph for {out.name}: unpack Debian's packages of wallpapers first.")
    height = round(picture.shape[0] * PHOTOGRAPH_WIDTH / picture.shape[1])
    small = cv2.resize(picture, (PHOTOGRAPH_WIDTH, height), interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(out), small, (cv2.IMWRITE_JPEG_QUALITY, PHOTOGRAPH_QUALITY))


def main() -> None:
    """Build from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--icons", type=Path, required=True, help="folder of the unpacked icon packages")
    parser.add_argument("--photographs", type=Path, help="where the packages of wallpapers were unpacked")
    parser.add_argument("--out", type=Path, required=True, help="folder of the atlas")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    build(options.icons, options.photographs, options.out)


if __name__ == "__main__":
    main()
