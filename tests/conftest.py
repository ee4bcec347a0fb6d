"""What the tests share: the nano model, a small clip, and an atlas of a few drawings."""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

import mpgsam2
from mpgsam2.nano import synthetic
from mpgsam2.nano.drawings.atlas import FOLDER_VARIABLE, load_atlas
from mpgsam2.nano.drawings.sources import HELD_OUT_PHOTOGRAPHS, STYLES, TRAINED_PHOTOGRAPHS
from mpgsam2.video import VideoWriter

SAMPLE = Path(__file__).parent / "atlas"

# A shell ignores Ctrl-C for what it runs in the background, and so would all that the tests start there and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def model() -> mpgsam2.Segmenter:
    return mpgsam2.load_model("nano", device="cpu")


@pytest.fixture(scope="session")
def scene() -> synthetic.SyntheticClip:
    """Five frames of the synthetic world."""
    return synthetic.render_clip(7, replace(synthetic.EASY, frames=5, height=(64, 72)))


@pytest.fixture(scope="session")
def clip_file(scene: synthetic.SyntheticClip, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scene as a video of a television rate."""
    path = tmp_path_factory.mktemp("clips") / "two things.mp4"
    height, width = scene.frames.shape[1:3]
    with VideoWriter(path, width, height, Fraction(30000, 1001)) as writer:
        for frame in scene.frames:
            writer.write(frame)
    return path


@pytest.fixture(scope="session")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An atlas of 29 of Noto's drawings (Apache-2.0), which stand for every style, and of two made-up photographs."""
    folder = tmp_path_factory.mktemp("atlas")
    record = json.loads((SAMPLE / "atlas.json").read_text())
    (looks,) = record["looks"].values()
    record["looks"] = dict.fromkeys(STYLES, looks)
    record["styles"] = dict.fromkeys(STYLES, record["styles"]["noto"])
    record["photographs"] = [TRAINED_PHOTOGRAPHS[0], HELD_OUT_PHOTOGRAPHS[0]]
    (folder / "atlas.json").write_text(json.dumps(record))
    for style in STYLES:
        shutil.copy(SAMPLE / "noto.png", folder / f"{style}.png")
    for seed, name in enumerate(record["photographs"]):
        noise = np.random.default_rng(seed).integers(0, 255, (9, 16, 3), np.uint8)
        cv2.imwrite(str(folder / f"{name}.jpg"), cv2.resize(noise, (640, 360), interpolation=cv2.INTER_CUBIC))
    load_atlas.cache_clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(FOLDER_VARIABLE, str(folder))
        yield folder
    load_atlas.cache_clear()


@pytest.fixture
def accelerate_state() -> Iterator[None]:
    """Whatever was trained before, on whatever, is forgotten afterwards."""
    yield
    from accelerate.state import AcceleratorState

    AcceleratorState._reset_state(reset_partial_state=True)
