"""The overlay's look, chosen while a result plays: drawn in the page, and by the server when a file is asked for."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from threading import Event
from typing import Any
from zipfile import ZipFile

import cv2
import numpy as np
import pytest
from gradio.utils import get_upload_folder
from PIL import ImageColor
from playwright.sync_api import Page, expect
from stranger import until
from visitor import FRAMES, Visit, asks, fill, press, status

from mpgsam2 import Segmenter
from mpgsam2.demo.gpu import frame_loop
from mpgsam2.demo.layers import KeptAnswers, LayersWriter, cut
from mpgsam2.demo.player.component import _read
from mpgsam2.demo.run import run
from mpgsam2.demo.settings import Settings
from mpgsam2.demo.shown_result import ShownResult
from mpgsam2.export import read_record
from mpgsam2.export.drawing import Look, overlay
from mpgsam2.export.pipeline import Progress
from mpgsam2.inference.query import Query
from mpgsam2.inference.results import FrameResult
from mpgsam2.palette import PALETTE, Colour
from mpgsam2.video import Selection, open_clip, select

CLIP = """() => {  // what the video beneath the overlay shows
  const video = document.querySelector('[data-pane="overlay"] video');
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
  canvas.getContext("2d").drawImage(video, 0, 0);
  return canvas.toDataURL();
}"""
DRAWN = """() => document.querySelector('[data-pane="overlay"] canvas').toDataURL()"""
LOOKS = (
    {"threshold": 0.5, "opacity": 0, "dimmed": 0.8, "pattern": False},
    {"threshold": 0.05, "opacity": 0.35, "dimmed": 0, "pattern": True},
    {"threshold": 0.29, "opacity": 1, "dimmed": 0.35, "pattern": True},
    {"threshold": 0.95, "opacity": 0.6, "dimmed": 1, "pattern": False},
)


def picture(png: bytes) -> np.ndarray:
    return cv2.cvtColor(cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def seen(page: Page, script: str) -> np.ndarray:
    return picture(base64.b64decode(page.evaluate(script).partition(",")[2]))


def choose(page: Page, **look: float | bool) -> None:
    for name, value in look.items():
        control = page.locator(f'#player .look [name="{name}"]')
        control.set_checked(value) if isinstance(value, bool) else control.fill(str(value))


def go_to(page: Page, frame: int) -> None:
    page.locator("#player .scrubber").fill(str(frame))
    expect(page.locator("#player .place")).to_contain_text(f"Frame {frame + 1} of")
    page.wait_for_function(
        """() => !document.querySelector('[data-pane="overlay"] canvas').hidden
            && !document.querySelector('[data-pane="overlay"] video').seeking"""
    )


def newest(name: str) -> Path:
    return max(Path(get_upload_folder()).glob(f"run-*/{name}"), key=lambda path: path.stat().st_mtime)


def kept(folder: Path, queries: int, threshold: float) -> list[tuple[FrameResult, ...]]:
    return list(KeptAnswers(folder)(None, None, [Query("")] * queries, threshold))


def colours_of(record: dict[str, Any]) -> tuple[Colour, ...]:
    return tuple(ImageColor.getrgb(query["colour"]) for query in record["queries"])


def test_what_the_page_draws_is_what_the_server_draws_and_files_are_made_in_it(
    visit: Visit, clips: Path, tmp_path: Path
) -> None:
    page = visit()
    page.emulate_media(reduced_motion="reduce")  # or it plays once all videos are there, whatever was gone to
    fill(page, clips / "short.mp4", "the yellow star\nthe purple star")
    press(page, "Run")
    expect(status(page)).to_contain_text(re.compile(r"A: .* B: "))
    go_to(page, 4)
    folder = newest("levels-A.bin").parent
    colours = colours_of(read_record(folder))
    assert len(set(colours)) == 2
    requests: list[str] = []
    page.on("request", lambda request: asks(request) and requests.append(request.url))
    for look in LOOKS:
        choose(page, **look)
        masks = [result.mask for result in kept(folder, 2, look["threshold"])[4]]
        assert all(mask.any() for mask in masks)
        style = Look(**{name: value for name, value in look.items() if name != "threshold"}, colours=colours)
        if look is LOOKS[0]:  # a busy browser may present the frame a little later than it has come to it
            until(lambda: np.array_equal(seen(page, DRAWN), overlay(seen(page, CLIP), masks, style)), "never drawn")  # noqa: B023
        np.testing.assert_array_equal(seen(page, DRAWN), overlay(seen(page, CLIP), masks, style), str(look))
    with page.expect_download() as download:
        page.get_by_role("button", name="Save this frame: final overlay").click()
    np.testing.assert_array_equal(picture(Path(download.value.path()).read_bytes()), seen(page, DRAWN))
    expect(page.locator("#player .of-the-run")).to_have_text("Verdict and timeline are of the threshold 0.50.")
    page.get_by_role("button", name="Next colour for B").click()
    following = [PALETTE[(PALETTE.index(colours[1]) + step) % len(PALETTE)] for step in (1, 2)]
    next_one = following[following[0] == colours[0]]  # two never have the same
    assert page.evaluate("getComputedStyle(document.querySelectorAll('.legend .letter')[1]).backgroundColor") == (
        f"rgb{next_one}"
    )
    assert requests == []

    with page.expect_download() as download:  # which is made first
        page.get_by_role("button", name="Download the video: final overlay").click()
    made = download.value.path()
    assert open_clip(made).frame_count == FRAMES
    with page.expect_download() as download:
        page.get_by_text("Download everything (.zip)").click()
    with ZipFile(download.value.path()) as files:
        record = json.loads(files.read("run.json"))
        assert files.read("overlay.mp4") == Path(made).read_bytes()
        mask = cv2.imdecode(np.frombuffer(files.read("masks/A/00004.png"), np.uint8), cv2.IMREAD_GRAYSCALE)
    assert record["settings"] | LOOKS[-1] == record["settings"]
    assert colours_of(record) == (colours[0], next_one)
    (expected, _) = kept(folder, 2, LOOKS[-1]["threshold"])[4]
    np.testing.assert_array_equal(mask > 0, expected.mask)
    assert record["queries"][0]["frames"][4]["area"] == int(expected.mask.sum())
    expect(page.locator("#player .of-the-run")).to_be_empty()


def test_the_look_follows_while_it_plays(visit: Visit) -> None:
    """A change is on the canvas in the same task, before any frame is shown; every frame is drawn with its own mask."""
    page = visit()
    page.emulate_media(reduced_motion="reduce")  # or it plays once all videos are there, whatever was gone to
    page.locator("#examples button").click()
    go_to(page, 0)
    page.locator("#player .play").click()
    drawn = page.evaluate(
        """async () => {
            const canvas = document.querySelector('[data-pane="overlay"] canvas');
            const input = document.querySelector('.look [name="dimmed"]');
            const paint = (value) => {
                input.value = value;
                input.dispatchEvent(new Event("input", { bubbles: true }));
                const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
                return data.reduce((sum, value) => sum + value, 0) / data.length;
            };
            for (;;) {  // a frame whose probabilities are still being read is drawn when they are
                const drawn = [paint(0), paint(1), paint(0)];
                if (drawn[0] !== drawn[1]) return drawn;
                await new Promise(requestAnimationFrame);
            }
        }"""
    )
    assert drawn[1] < drawn[0] - 10 and drawn[2] == pytest.approx(drawn[0], abs=2)


def test_of_a_saved_result_there_are_files_too(visit: Visit) -> None:
    page = visit()
    page.locator("#examples button").click()
    expect(status(page)).to_contain_text("Saved result.")
    with page.expect_download() as download:
        press(page, "Download everything (.zip)")
    with ZipFile(download.value.path()) as files:
        record = json.loads(files.read("run.json"))
        assert {"overlay.mp4", "cutout.webm", "masks/00000.png", "strip.pdf"} <= set(files.namelist())
    assert record["complete"] and record["frames"] == FRAMES and "mean" in record["queries"][0]
    assert record["settings"]["dimmed"] == 0.8


def test_levels_keep_the_masks_of_every_threshold(tmp_path: Path, clip_file: Path) -> None:
    """Also of thresholds between hundredths, and of a probability that was rounded on its way."""
    clip = select(open_clip(clip_file), Selection(last=1))
    rng = np.random.default_rng(0)
    for threshold in (0.05, 0.29, 1 / 3, 0.5, 0.57, 0.95):
        exact = rng.random((2, clip.height, clip.width)).astype(np.float32)
        exact[:, 0, :99] = (np.arange(1, 100, dtype=np.float32) / 100)[: clip.width]
        folder = tmp_path / f"{threshold:.2f}"
        folder.mkdir()
        with LayersWriter(folder, clip, 1, threshold, video=False) as layers:
            for index, (frame, probability) in enumerate(zip(clip, exact, strict=True)):
                rounded = probability.astype(np.float16)
                result = FrameResult(index, probability >= threshold, rounded, np.eye(3, dtype=np.float32), 0.7, 0.9)
                layers.add(frame, [result])
        for index, (result,) in enumerate(kept(folder, 1, threshold)):
            np.testing.assert_array_equal(result.mask, exact[index] >= threshold)
            np.testing.assert_allclose(result.probability, exact[index], atol=0.0201)
            assert (result.object_score, result.iou) == (pytest.approx(0.7), pytest.approx(0.9))
            np.testing.assert_array_equal(result.prior, np.eye(3))
    assert [cut(hundredths / 100) for hundredths in range(5, 96)] == list(range(5, 96))


def test_the_player_begins_with_the_usual_look() -> None:
    html, usual = _read("player.html"), Settings()
    for name in ("threshold", "opacity", "dimmed"):
        (value,) = re.findall(rf'name="{name}"[^>]* value="([^"]*)"', html)
        assert float(value) == getattr(usual, name)
    assert not usual.pattern and 'name="pattern" />' in html


def test_how_it_came_to_its_answer_is_told_for_the_frame_that_is_shown(visit: Visit) -> None:
    page = visit()
    page.emulate_media(reduced_motion="reduce")  # or it plays once all videos are there, whatever was gone to
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.locator("#examples button").click()
    go_to(page, 3)
    assert not any("insight" in url for url in asked)
    page.get_by_text("How it came to its answer", exact=True).click()
    words, memories = page.locator("#player .words li"), page.locator("#player .memories li")
    expect(words).to_have_text([re.compile(word) for word in ("the", "b", "red", "b", "circle")])
    expect(memories).to_have_text([re.compile(name) for name in ("Frame 1", "Frame 2", "Frame 3", "Object pointers")])
    shares = [float(text.split()[0]) for text in words.locator("b").all_inner_texts()]
    assert sum(shares) == pytest.approx(100, abs=1.5)
    expect(page.locator("#player .drawn")).to_contain_text(re.compile(r"Most from frame \d+ \(\d+ %\)"))
    memories.get_by_role("button", name="Frame 2").click()
    expect(page.locator("#player .place")).to_contain_text(f"Frame 2 of {FRAMES}")
    expect(memories).to_have_count(2)
    go_to(page, 0)
    expect(memories).to_have_text(["The first frame has no memories."])
    assert sum("insight" in url for url in asked) == 1


def test_colours_are_settled_once_and_those_that_were_chosen_stay(
    model: Segmenter, clip_file: Path, tmp_path: Path
) -> None:
    """Live pictures, files and the same run in another look have them, whatever the threshold makes of the masks."""
    models = {model.name: model}
    asked = Settings("the red circle\nthe blue star", threshold=0.3, colours=(0, 7), last=3)
    steps = list(run(models, frame_loop(models), str(clip_file), asked, tmp_path, Event()))
    colours = colours_of(steps[-1].record)
    assert colours[1] == PALETTE[6] != colours[0]
    assert [step.drawn.look.colours for step in steps if isinstance(step, Progress)] == [colours] * 3
    shown = ShownResult(str(clip_file), asked, tmp_path)
    numbers = [PALETTE.index(colour) + 1 for colour in colours]
    for given, had in (((), numbers), ((0, 2), [numbers[0], 2]), ((2,), [2, 7]), ((0, 0, 5), numbers)):
        assert list(shown.again(Settings(threshold=0.9, colours=given)).colours) == had
