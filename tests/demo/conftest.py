"""A page to visit: its clips, its address and a browser."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from urllib.parse import urlsplit
from zipfile import ZipFile

import cv2
import numpy as np
import pytest
from browser import TIMEOUT, connect, open_browser
from playwright.sync_api import Browser, Page, expect
from visitor import EXAMPLE, FPS, FRAMES, LONG, Visit

from mpgsam2 import Query, Segmenter
from mpgsam2.demo import build_demo, launch_options
from mpgsam2.demo.insight import INSIGHT, insight_json
from mpgsam2.demo.layers import LayersWriter
from mpgsam2.export.pipeline import segment_file
from mpgsam2.nano import synthetic
from mpgsam2.network.insight import watch
from mpgsam2.video import Selection, VideoWriter, open_clip, select
from mpgsam2.video.ground_truth import GroundTruth


@pytest.fixture(scope="session")
def clips(model: Segmenter, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a short clip, a long one of the same scene, a text that calls itself a clip, and one example."""
    folder = tmp_path_factory.mktemp("demo")
    scene = synthetic.render_clip(7, replace(synthetic.EASY, frames=FRAMES, height=(160, 160), aspect=(1.25, 1.25)))
    frames = scene.frames
    for name, repeats in (("short.mp4", 1), ("long.mp4", LONG // FRAMES)):
        with VideoWriter(folder / name, frames.shape[2], frames.shape[1], Fraction(FPS)) as writer:
            for frame in [*frames] * repeats:
                writer.write(frame)
    (folder / "text.mp4").write_text("This is not a video. " * 100)
    example = {"clip": "short.mp4", "expression": EXAMPLE, "title": "Shapes & colours", "masks": "short.masks.zip"}
    (folder / "examples.json").write_text(json.dumps([example]))
    with ZipFile(folder / "short.masks.zip", "w") as masks:
        for index, mask in enumerate(scene.mask(0)):
            masks.writestr(f"{index:05d}.png", cv2.imencode(".png", mask.astype("uint8") * 255)[1].tobytes())
    clip, result = select(open_clip(folder / "short.mp4"), Selection()), folder / "results" / "short"
    with GroundTruth.open(folder / "short.masks.zip", clip) as truth:
        steps = segment_file(model, clip, EXAMPLE, result, truth=truth)
        with LayersWriter(result, clip, 1, 0.5, video=False) as layers, watch(model.network) as seen:
            for step in steps:
                layers.add(step.frame, step.results)
    (result / INSIGHT).write_bytes(insight_json(seen, model, [Query(EXAMPLE)]))
    return folder


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two frames."""
    path = tmp_path_factory.mktemp("tiny") / "tiny.mp4"
    with VideoWriter(path, 64, 48, Fraction(10)) as writer:
        for level in (40, 80):
            writer.write(np.full((48, 64, 3), level, np.uint8))
    return path


@pytest.fixture(scope="session")
def url(model: Segmenter, clips: Path) -> Iterator[str]:
    with connect(build_demo([model], clips), **launch_options()) as url:
        yield url


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with open_browser() as browser:
        yield browser


@pytest.fixture
def visit(chromium: Browser, url: str) -> Iterator[Visit]:
    """Opens the page as one more visitor; no visitor's browser may ask any other host for anything."""
    contexts, hosts = [], set()

    def open_page() -> Page:
        contexts.append(chromium.new_context())
        page = contexts[-1].new_page()
        page.set_default_timeout(TIMEOUT)
        page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
        page.goto(url)
        expect(page.get_by_role("button", name="Run")).to_be_enabled()
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert hosts - {""} == {urlsplit(url).netloc}  # "" are data: and blob: addresses
