"""Make the examples of the page again.

    python examples/make.py            the clips, their true masks, and `examples.json`, which lists them
    python examples/make.py results    nano's answers to them, which the page shows as long as it is the same nano

Every example is a clip of the synthetic world, given by its seed, and a sentence about one of its things, or about
none. The seeds lie in a range of their own, so that nano has seen none of these clips. Drawings are Noto's, from the
atlas that `make atlas` makes, before backgrounds that are no photographs. Both commands take `--folder DIR` to write
elsewhere.
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
from mpgsam2.nano.synthetic import FULL, THINGS, SyntheticClip, World, render_clip
from mpgsam2.network.insight import watch
from mpgsam2.video import Selection, VideoWriter, open_clip, select
from mpgsam2.video.ground_truth import GroundTruth

FOLDER = Path(__file__).parent
LIST = "examples.json"
SHOWN = ("overlay.mp4", "prior.mp4", "masks.mp4", "run.json", LEVELS, ANSWERS, INSIGHT)  # what the page needs of a run
SEED_OFFSET = 2 * EVALUATION_SEED_OFFSET
SHAPES = replace(
    FULL, frames=48, fps=12.0, height=(240, 240), aspect=(4 / 3, 4 / 3), compression=0.0, h264=0.0, absent=1.0
)
DRAWINGS = replace(
    THINGS,
    frames=48,
    fps=12.0,
    height=(360, 360),
    aspect=(4 / 3, 4 / 3),
    compression=0.0,
    h264=0.0,
    absent=1.0,
    drawn=1.0,
    styles=("noto",),
    recoloured=0.0,
    photographed=0.0,
    backgrounds=("plain", "gradient", "grain", "noise", "patches"),
    tiny=0.0,
    radius=(0.13, 0.26),
    tilt=0.0,
    spin=0.0,
    noise=0.0,
    exposure=0.0,
    objects=(2, 3),
    occlusion=0.3,
)
ACROSS = ("left", "right", "still")
ANY_WAY = ("left", "right", "up", "down", "still")
PETS = replace(DRAWINGS, nouns=("dog", "cat"), objects=(2, 2), motions=("left", "right"), occlusion=0.5)
STREET = replace(DRAWINGS, nouns=("car", "tree", "house"), motions=ACROSS, occlusion=0.8, recoloured=0.5)
FRUIT = replace(DRAWINGS, nouns=("apple", "banana"), motions=(*ACROSS, "up", "down"), recoloured=0.3)
SKY = replace(DRAWINGS, nouns=("bird", "cloud"), motions=("up", *ACROSS))
PLAYGROUND = replace(DRAWINGS, nouns=("ball", "football", "boy", "girl", "dog"), objects=(3, 3), border=0.5)
ZOO = replace(DRAWINGS, nouns=("lion", "monkey", "panda", "penguin", "elephant"), objects=(3, 3))
ZOO_IN_VIEW = replace(ZOO, motions=ANY_WAY, occlusion=0.0)


@dataclass(frozen=True)
class Example:
    """One example.

    Attributes:
        name: of its files.
        title: what the page calls it.
        sentence: what is asked.
        kind: of the sentence, one of `synthetic.KINDS`.
        thing: index of the one that the sentence names, None for none.
        seed: of the clip.
        world: the clip's.
    """

    name: str
    title: str
    sentence: str
    kind: str
    thing: int | None
    seed: int
    world: World

    @property
    def clip(self) -> SyntheticClip:
        """The clip."""
        return render_clip(SEED_OFFSET + self.seed, self.world)


EXAMPLES = (
    Example("motion", "By where it goes", "the dog moving left", "motion", 0, 2022, PETS),
    Example("name", "By name", "the girl", "name", 0, 2410, PLAYGROUND),
    Example("colour", "By its colour", "the red car", "appearance", 0, 2101, STREET),
    Example("size", "By its size", "the bigger apple", "appearance", 1, 2308, FRUIT),
    Example("moving", "By how it flies", "the bird going up", "motion", 0, 2600, SKY),
    Example("relation", "By what is below it", "the animal above the elephant", "relation", 1, 3027, ZOO_IN_VIEW),
    Example("appearance", "A shape by its look", "the blue star", "appearance", 2, 4, SHAPES),
    Example("absent", "Not in the clip", "the elephant", "name", None, 2523, ZOO),
)


def make_clips(folder: Path) -> None:
    """Write clips, masks and the list."""
    entries = []
    for example in EXAMPLES:
        clip = example.clip
        height, width = clip.frames.shape[1:3]
        with VideoWriter(folder / f"{example.name}.mp4", width, height, Fraction(example.world.fps)) as video:
            for frame in clip.frames:
                video.write(frame)
        with ZipFile(folder / f"{example.name}.masks.zip", "w") as masks:
            for index, mask in enumerate(clip.mask(example.thing)):
                masks.writestr(f"{index:05d}.png", cv2.imencode(".png", mask.astype("uint8") * 255)[1].tobytes())
        entries.append(
            {
                "clip": f"{example.name}.mp4",
                "masks": f"{example.name}.masks.zip",
                "title": example.title,
                "expression": example.sentence,
                "kind": example.kind,
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
