"""What a visitor of the page does, and what tests see of it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from gradio.utils import get_upload_folder
from playwright.sync_api import Locator, Page, Request, expect

FRAMES, FPS = 12, 12  # of the short clip
LONG = 720  # frames of the long clip, which no run is through with before a test is
EXAMPLE = "the <b>red</b> circle"

Visit = Callable[[], Page]


def fill(page: Page, clip: Path, sentences: str) -> None:
    page.locator("#clip input[type=file]").set_input_files(clip)
    expect(page.locator("#clip video")).to_be_visible()
    page.get_by_label("Sentence").fill(sentences)


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def status(page: Page) -> Locator:
    return page.locator("#status .line")


def videos(page: Page) -> list[Locator]:
    return [page.locator(f'#player [data-pane="{name}"] video') for name in ("prior", "masks", "overlay")]


def assert_plays(page: Page, frames: int) -> None:
    """The three videos have as many frames as they should, and go on when the player is started."""
    for video in videos(page):
        expect(video).to_be_visible()
        # Asked again and again: a video that is sought to keep in step has nothing to show for a moment.
        page.wait_for_function("v => v.readyState >= 2", arg=video.element_handle())
        assert video.evaluate("v => v.duration") * FPS == pytest.approx(frames, abs=0.5)
    if page.locator("#player .play").get_attribute("aria-label") == "Play":
        page.locator("#player .play").click()
    for video in videos(page):
        # A run that was stopped early may have made less than this of a video, which starts again at its end.
        page.wait_for_function("v => v.currentTime > Math.min(0.2, v.duration / 2)", arg=video.element_handle())


def asks(request: Request) -> bool:
    """Whether a request asks the server for work or for a result; scripts and pieces of a clip may come at any time."""
    return request.method == "POST" or "/run-" in request.url


def files() -> set[str]:
    """Everything that visitors have left on the server by now."""
    return {os.path.join(folder, name) for folder, _, names in os.walk(get_upload_folder()) for name in names}
