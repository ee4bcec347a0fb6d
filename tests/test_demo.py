"""The page in a real browser and through its API: what a visitor sees, and that nothing else happens."""

from __future__ import annotations

import json
import pickle
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from threading import Event
from typing import Any
from urllib.parse import urlsplit
from zipfile import ZipFile

import gradio as gr
import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from mpgsam2 import MPGSAM2, InputError, synthetic
from mpgsam2.demo import build_demo, launch_options
from mpgsam2.demo.errors import FAULT, told_to_visitor
from mpgsam2.demo.gpu import frame_loop, seconds
from mpgsam2.demo.run import Finished, run
from mpgsam2.demo.status import IDLE, WAITING, summary
from mpgsam2.pipeline import Progress
from mpgsam2.verdict import conclude
from mpgsam2.video import VideoWriter, open_clip

TIMEOUT = 120_000  # milliseconds; generous, because the machine may be busy
FRAMES, FPS = 12, 12
LONG = 240  # frames

CHROMIUM = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]

expect.set_options(timeout=TIMEOUT)


@contextmanager
def connect(demo: gr.Blocks) -> Iterator[str]:
    """Serve a demo while the block lasts; yields its address."""
    url = demo.launch(prevent_thread_lock=True, quiet=True, **launch_options())[1]
    try:
        yield url
    finally:
        demo.close()


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a short clip, a long one of the same scene, a text that calls itself a clip, and one example."""
    folder = tmp_path_factory.mktemp("demo")
    frames = synthetic.render_clip(
        7, replace(synthetic.EASY, frames=FRAMES, height=(160, 160), aspect=(1.25, 1.25))
    ).frames
    for name, repeats in (("short.mp4", 1), ("long.mp4", LONG // FRAMES)):
        with VideoWriter(folder / name, frames.shape[2], frames.shape[1], Fraction(FPS)) as writer:
            for frame in [*frames] * repeats:
                writer.write(frame)
    (folder / "text.mp4").write_text("This is not a video. " * 100)
    example = {"clip": "short.mp4", "expression": "the <b>red</b> circle", "title": "Shapes & colours"}
    (folder / "examples.json").write_text(json.dumps([example]))
    return folder


@pytest.fixture(scope="module")
def url(model: MPGSAM2, clips: Path) -> Iterator[str]:
    with connect(build_demo(model, clips)) as url:
        yield url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser: Browser, url: str) -> Iterator[Callable[[], Page]]:
    """Opens the page as one more visitor; no visitor's browser may ask any other host for anything."""
    contexts, hosts = [], set()

    def open_page() -> Page:
        contexts.append(browser.new_context())
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


def fill(page: Page, clip: Path, sentence: str) -> None:
    page.locator("#clip input[type=file]").set_input_files(clip)
    expect(page.locator("#clip video")).to_be_visible()
    page.get_by_label("Sentence").fill(sentence)


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def status(page: Page) -> Locator:
    return page.locator("#status .line")


def videos(page: Page) -> list[Locator]:
    return [page.locator(f"#pane-{name} video") for name in ("prior", "masks", "overlay")]


def assert_plays(video: Locator, seconds: float) -> None:
    """The video has the length and goes on when it is started."""
    expect(video).to_be_visible()
    video.evaluate("v => v.readyState >= 2 || new Promise(done => v.addEventListener('loadeddata', done))")
    assert video.evaluate("v => v.duration") == pytest.approx(seconds, abs=0.5 / FPS)
    video.evaluate("v => { v.muted = true; return v.play(); }")
    # It may have come that far, or to its end, before anybody listens: then no event follows.
    video.evaluate(
        "v => new Promise(done => { const far = () => (v.currentTime > 0.2 || v.ended) && done();"
        " ['timeupdate', 'ended'].forEach(name => v.addEventListener(name, far)); far(); })"
    )


# -------------------------------------------------------------------------------------------------------- the page


def test_page_says_what_it_is_and_which_model_runs(visit: Callable[[], Page], model: MPGSAM2) -> None:
    page = visit()
    expect(page).to_have_title("MPG-SAM 2")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.locator("#badge")).to_contain_text(model.name)
    expect(page.locator("#badge")).to_contain_text("CPU")
    expect(page.get_by_role("link", name="paper")).to_have_attribute("href", "https://arxiv.org/abs/2501.13667")
    expect(page.locator("#about")).to_contain_text("reversing a clip only reverses its prior")
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_clip_and_sentence_give_three_videos_and_a_zip(visit: Callable[[], Page], clips: Path, tmp_path: Path) -> None:
    page = visit()
    fill(page, clips / "short.mp4", "the red dog")
    press(page, "Run")
    expect(status(page)).to_contain_text(re.compile(r"\. I am \d\d % sure[.,]"))
    expect(page.locator("#status .warning")).to_contain_text("I do not know the word “dog”")
    for video in videos(page):
        assert_plays(video, FRAMES / FPS)
    with page.expect_download() as download:
        page.locator("#bundle").click()
    download.value.save_as(tmp_path / "masks.zip")
    verdict = assert_bundle(tmp_path / "masks.zip", "the red dog")
    assert status(page).inner_text().startswith(verdict["sentence"])
    expect(page.get_by_role("button", name="Run")).to_be_enabled()


def assert_bundle(path: Path, expression: str) -> dict[str, Any]:
    """A zip of all frames' masks and their record, whose verdict is returned."""
    with ZipFile(path) as bundle:
        record = json.loads(bundle.read("result.json"))
        assert sorted(bundle.namelist()) == [*(f"masks/{i:05d}.png" for i in range(FRAMES)), "result.json"]
    assert record["complete"]
    assert record["expression"] == expression
    assert record["clip"]["name"] == "short.mp4"
    return record["verdict"]


def test_example_fills_the_inputs(visit: Callable[[], Page]) -> None:
    page = visit()
    card = page.locator("#examples button")
    expect(card).to_have_text("Shapes & colours“the <b>red</b> circle”")  # text is shown as text
    card.click()
    expect(page.get_by_label("Sentence")).to_have_value("the <b>red</b> circle")
    expect(page.locator("#clip video")).to_be_visible()


def test_bad_input_is_answered_with_its_sentence(visit: Callable[[], Page], clips: Path) -> None:
    page = visit()
    alert = page.locator("#status").get_by_role("alert")
    press(page, "Run")
    expect(alert).to_contain_text("empty: write which object to segment.")
    expect(page.get_by_role("button", name="Run")).to_be_enabled()
    page.get_by_label("Sentence").fill("the red circle")
    press(page, "Run")
    expect(alert).to_contain_text("No clip was given")
    expect(page.get_by_role("button", name="Run")).to_be_enabled()
    fill(page, clips / "text.mp4", "the red circle")
    page.get_by_label("Sentence").press("Enter")
    expect(alert).to_contain_text("“text.mp4” is not a video that can be read here")
    assert tempfile.gettempdir() not in page.inner_text("body")


def test_stop_keeps_what_is_done_and_makes_room_for_the_next(visit: Callable[[], Page], clips: Path) -> None:
    first, second = visit(), visit()
    fill(first, clips / "long.mp4", "the red circle")
    fill(second, clips / "short.mp4", "the red circle")
    press(first, "Run")
    expect(status(first)).to_contain_text(f"Reading the sentence together with all {LONG} frames")

    press(second, "Run")
    expect(status(second)).to_have_text(WAITING)
    press(second, "Stop")
    expect(status(second)).to_have_text(IDLE)

    expect(status(first)).to_contain_text(re.compile(rf"Frame \d+ of {LONG} · .* frames/s"))
    for name in ("prior", "masks", "overlay"):
        expect(first.locator(f"#pane-{name} .still img")).to_be_visible()
    press(second, "Run")
    press(first, "Stop")
    expect(status(first)).to_contain_text("Stopped after")
    done = int(re.search(r"Stopped after (\d+) of", status(first).inner_text())[1])
    assert 0 < done < LONG
    found = rf"Found in (the only frame|all {done} frames|frames? .* of {done}|\d+ of {done} frames)"
    assert re.search(rf"\. ({found}|Probably not in this clip)\. I am \d\d % sure[.,]", status(first).inner_text())
    for video in videos(first):
        assert_plays(video, done / FPS)
    expect(status(second)).to_contain_text(re.compile("Found in|Probably not in"))


# -------------------------------------------------------------------------------------------------------- programs


def test_api_returns_playable_files(url: str, clips: Path, tmp_path: Path) -> None:
    client = Client(url, verbose=False, download_files=tmp_path)
    endpoints = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    assert list(endpoints) == ["/segment"]
    assert [p["parameter_name"] for p in endpoints["/segment"]["parameters"]] == ["clip", "expression"]

    job = client.submit(clip=handle_file(clips / "short.mp4"), expression="the red circle", api_name="/segment")
    *files, bundle, record = job.result(timeout=TIMEOUT / 1000)
    assert (record["done"], record["frames"], record["warning"]) == (FRAMES, FRAMES, None)
    for file in files:
        clip = open_clip(file["video"] if isinstance(file, dict) else file)
        assert (clip.frame_count, clip.fps) == (FRAMES, FPS)
    assert record["verdict"] == assert_bundle(Path(bundle), "the red circle")
    assert record["text"].startswith(record["verdict"]["sentence"])
    assert [steps[-1]["done"] for steps in job.outputs()] == [0, *range(1, FRAMES + 1), FRAMES]

    with pytest.raises(AppError, match="empty: write which object to segment"):
        client.predict(clip=handle_file(clips / "short.mp4"), expression=" ", api_name="/segment")


# -------------------------------------------------------------------------------------------------------- its parts


def test_run_that_is_closed_or_stopped_leaves_nothing(
    model: MPGSAM2, clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    closed = run(model, frame_loop(model), str(clips / "short.mp4"), "the red circle", Event())
    assert any(isinstance(step, Progress) for step in closed)
    closed.close()
    assert list(tmp_path.iterdir()) == []

    stop = Event()
    stop.set()
    *_, end = run(model, frame_loop(model), str(clips / "short.mp4"), "the red circle", stop)
    assert end == Finished(0, FRAMES, *[None] * 6)
    assert summary(end) == "Stopped before the first frame."
    assert list(tmp_path.iterdir()) == []


def test_a_run_ends_with_its_verdict() -> None:
    files = [None] * 4
    here = conclude([False, True, True, True], [0.0, 0.93, 0.9, 0.9])
    nowhere = conclude([False, True, True, False], [0.0, 0.2, 0.1, 0.0])
    assert summary(Finished(4, 4, here, None, *files)) == "Found in frames 2–4 of 4. I am 93 % sure."
    assert summary(Finished(4, 9, here, None, *files)) == (
        "Stopped after 4 of 9 frames. Found in frames 2–4 of 4. I am 93 % sure."
    )
    assert summary(Finished(4, 4, nowhere, None, *files)) == (
        "Probably not in this clip. I am 80 % sure, but it may be in frames 2–3 of 4."
    )


def test_everything_that_crosses_to_the_gpu_worker_is_pickled_small(model: MPGSAM2, clips: Path) -> None:
    clip = pickle.loads(pickle.dumps(open_clip(clips / "short.mp4")))
    narrow, full = (next(results) for results in (frame_loop(model)(clip, "a circle"), model.segment(clip, "a circle")))
    assert len(pickle.dumps(narrow)) < 4 * clip.width * clip.height  # the mask's byte, the probability's two, the prior
    assert (narrow.mask == full.mask).all()
    assert np.abs(narrow.probability - full.probability).max() <= 2**-11
    # An anonymous visitor to a ZeroGPU Space has two minutes a day.
    assert 10 < seconds(5_000_000, 48) < 15 < seconds(900_000_000, 48) < 25
    assert seconds(900_000_000, 900) > 120


def test_faults_are_told_without_details() -> None:
    with pytest.raises(gr.Error) as told, told_to_visitor():
        raise RuntimeError("/srv/models/weights.bin is gone")
    assert told.value.message == FAULT
    with pytest.raises(gr.Error) as told, told_to_visitor():
        raise InputError("“<img src=x>.mp4” is not a video.")
    assert told.value.message == "“&lt;img src=x&gt;.mp4” is not a video."
