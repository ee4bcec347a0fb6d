"""What the tests of the pipeline, the command line and the evaluation share: the nano model and a small clip."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

import mpgsam2
from mpgsam2 import synthetic
from mpgsam2.video import VideoWriter


@pytest.fixture(scope="session")
def model() -> mpgsam2.MPGSAM2:
    return mpgsam2.load_model("nano", device="cpu")


@pytest.fixture(scope="session")
def scene() -> synthetic.Clip:
    """Five frames of the synthetic world."""
    return synthetic.render_clip(7, replace(synthetic.EASY, frames=5, height=(64, 72)))


@pytest.fixture(scope="session")
def clip_file(scene: synthetic.Clip, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scene as a video of a television rate."""
    path = tmp_path_factory.mktemp("clips") / "two things.mp4"
    height, width = scene.frames.shape[1:3]
    with VideoWriter(path, width, height, Fraction(30000, 1001)) as writer:
        for frame in scene.frames:
            writer.write(frame)
    return path
