"""Make the examples of the page again.

    python examples/make.py            the clips, their true masks, and `examples.json`, which lists them
    python examples/make.py results    nano's answers to them, which the page shows as long as it is the same nano

Every example is a clip of the synthetic world, given by its seed, with one of its sentences. The seeds lie in a range
of their own, so that nano has seen none of these clips. Both commands take `--folder DIR` to write elsewhere.
"""

from __future__ import annotations

import argparse
import json
import shutil
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

import cv2

from mpgsam2 import load_model
from mpgsam2.demo.insight import INSIGHT, insight_json
from mpgsam2.demo.layers import ANSWERS, LEVELS, LayersWriter
from mpgsam2.demo.settings import Settings
from mpgsam2.export.pipeline import segment_file
from mpgsam2.inference.query import Query
from mpgsam2.nano.evaluation import EVALUATION_SEED_OFFSET
from mpgsam2.nano.synthetic import FULL, SyntheticClip, render_clip
from mpgsam2.network.insight import watch
from mpgsam2.video import Selection, VideoWriter, open_clip, select
from mpgsam2.video.ground_truth import GroundTruth

FOLDER = Path(__file__).parent
LIST = "examples.json"
SHOWN = ("overlay.mp4", "prior.mp4", "masks.mp4", "run.json", LEVELS, ANSWERS, INSIGHT)  # what the page needs of a run
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
    Example("appearance", "By appearance", seed=4, sentence=2),
    Example("position", "By position", seed=3, sentence=0),
    Example("relation", "By what is beside it", seed=0, sentence=1),
    Example("motion", "By where it goes", seed=0, sentence=0),
    Example("moving", "By whether it moves", seed=24, sentence=1),
    Example("absent", "Not in the clip", seed=3, sentence=4),
)


def clip_of(seed: int) -> SyntheticClip:
    """The clip of an example's seed."""
    return render_clip(SEED_OFFSET + seed, WORLD)


def make_clips(folder: Path) -> None:
    """Write clips, masks and the list."""
    entries = []
    for example in EXAMPLES:
        clip = clip_of(example.seed)
        expression = clip.expressions[example.sentence]
        height, width = clip.frames.shape[1:3]
        with VideoWriter(folder / f"{example.name}.mp4", width, height, Fraction(WORLD.fps)) as video:
            for frame in clip.frames:
                video.write(frame)
        with ZipFile(folder / f"{example.name}.masks.zip", "w") as masks:
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
    (folder / LIST).write_text(json.dumps(entries, indent=2) + "\n", encoding="utf-8")


def make_results(folder: Path) -> None:
    """Write nano's answers for the clips that are listed, each into a folder of the clip's name."""
    model = load_model("nano")
    for entry in json.loads((folder / LIST).read_text(encoding="utf-8")):
        clip = select(open_clip(folder / entry["clip"]), Selection())
        result = folder / "results" / clip.path.stem
        result.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory() as run, GroundTruth.open(folder / entry["masks"], clip) as truth:
            steps = segment_file(model, clip, entry["expression"], run, truth=truth, look=Settings().look)
            with (
                LayersWriter(Path(run), clip, 1, Settings().threshold, video=False) as layers,
                watch(model.network) as seen,
            ):
                for step in steps:
                    layers.add(step.frame, step.results)
            Path(run, INSIGHT).write_bytes(insight_json(seen, model, [Query(entry["expression"])]))
            for name in SHOWN:
                shutil.copy(Path(run, name), result)


def main() -> None:
    """Run one of the two commands."""
    commands = {"clips": make_clips, "results": make_results}
    parser = argparse.ArgumentParser(description="Make the examples of the page again.")
    parser.add_argument("what", nargs="?", choices=commands, default="clips", help="(default: clips)")
    parser.add_argument("--folder", type=Path, default=FOLDER, metavar="DIR", help="(default: this script's)")
    args = parser.parse_args()
    commands[args.what](args.folder)


if __name__ == "__main__":
    main()
