"""Make the example clips again: `python examples/make.py`.

Every example is a clip of the synthetic world, given by its seed, with one of its sentences. The seeds lie in a range
of their own, so that nano has seen none of these clips. Beside each clip its true masks lie as PNG in a zip, and
`examples.json` lists them all for the page.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from zipfile import ZipFile

import cv2

FOLDER = Path(__file__).parent
sys.path.insert(0, str(FOLDER.parent))

from mpgsam2.evaluation import EVALUATION_SEED_OFFSET  # noqa: E402  the package lies beside this folder
from mpgsam2.synthetic import FULL, Clip, render_clip  # noqa: E402
from mpgsam2.video import VideoWriter  # noqa: E402

SEED_OFFSET = 2 * EVALUATION_SEED_OFFSET
WORLD = replace(
    FULL, frames=48, fps=12.0, height=(240, 240), aspect=(4 / 3, 4 / 3), compression=0.0, h264=0.0, absent=1.0
)


@dataclass(frozen=True)
class Example:
    """One example: the clip's seed, which of its sentences, and what the page calls it."""

    name: str
    title: str
    seed: int
    sentence: int


EXAMPLES = (
    Example("appearance", "By appearance", seed=0, sentence=3),
    Example("position", "By position", seed=1, sentence=3),
    Example("relation", "By what is beside it", seed=2, sentence=1),
    Example("motion", "By where it goes", seed=0, sentence=2),
    Example("growing", "By how it changes", seed=1, sentence=2),
    Example("absent", "Not in the clip", seed=3, sentence=4),
)


def clip_of(seed: int) -> Clip:
    """The clip of an example's seed."""
    return render_clip(SEED_OFFSET + seed, WORLD)


def main() -> None:
    """Write clips, masks and the list."""
    entries = []
    for example in EXAMPLES:
        clip = clip_of(example.seed)
        expression = clip.expressions[example.sentence]
        height, width = clip.frames.shape[1:3]
        with VideoWriter(FOLDER / f"{example.name}.mp4", width, height, Fraction(WORLD.fps)) as video:
            for frame in clip.frames:
                video.write(frame)
        with ZipFile(FOLDER / f"{example.name}.masks.zip", "w") as masks:
            for index, mask in enumerate(clip.mask(expression.target)):
                masks.writestr(f"{index:05d}.png", cv2.imencode(".png", mask.astype("uint8") * 255)[1].tobytes())
        entries.append(
            {
                "clip": f"{example.name}.mp4",
                "masks": f"{example.name}.masks.zip",
                "title": example.title,
                "expression": expression.text,
                "kind": expression.kind,
            }
        )
    (FOLDER / "examples.json").write_text(json.dumps(entries, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
