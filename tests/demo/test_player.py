"""The player in a real browser, on videos whose every frame tells its own number."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import gradio as gr
import numpy as np
import pytest
from browser import TIMEOUT, connect
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect
from visitor import asks

from mpgsam2.demo import player
from mpgsam2.demo.player import Player, PlayerValue, live_value, result_value
from mpgsam2.video import VideoWriter

FRAMES, RATE = 40, Fraction(30000, 1001)
UNEVEN = [round(index / 30 if index < 20 else index / 4 - 4.3, 6) for index in range(FRAMES)]  # seconds
LONG = 900  # frames
HOSTILE = "the <img src=x onerror=alert(1)> ${alert(2)} `{{circle}}` </script>"
PANES = ("prior", "masks", "overlay")
OVERLAY, PRIOR_A, MASKS_A, PRIOR_B, MASKS_B = range(5)  # what a video says it is

# A frame is a row of 16 blocks, black or white: 12 bits of its number, 4 of the video's.
BITS, BLOCK = 16, 16
VIDEOS = "[...document.querySelectorAll('.player video')]"
READ_ONE = """video => {
  if (!video.videoWidth || video.hidden) return null;
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
  const context = canvas.getContext('2d');
  context.drawImage(video, 0, 0);
  const bits = [...Array(16).keys()].map(i => context.getImageData(16 * i + 8, 8, 1, 1).data[0] > 127 ? 1 : 0);
  const number = bits => bits.reduce((sum, bit) => 2 * sum + bit, 0);
  return { frame: number(bits.slice(0, 12)), video: number(bits.slice(12)) };
}"""
READ = f"{VIDEOS}.map({READ_ONE})"


def write_video(path: Path, video: int, frames: int, times: list[float] | None = None) -> Path:
    with VideoWriter(path, BITS * BLOCK, 2 * BLOCK, RATE, times) as writer:
        for index in range(frames):
            bits = [int(bit) for bit in f"{index:012b}{video:04b}"]
            row = np.repeat(np.uint8(bits) * 255, BLOCK)
            writer.write(np.ascontiguousarray(np.broadcast_to(row[None, :, None], (2 * BLOCK, row.size, 3))))
    return path


def make_record(expressions: list[str], frames: int) -> dict[str, Any]:
    """A record as a run leaves it: nothing is found in frames 10 to 19, and A's object score is index / 100."""
    queries = [
        {
            "letter": letter,
            "expression": expression,
            "without": ["global_context"] if letter == "B" else [],
            "colour": colour,
            "summary": f"{letter} was found in {frames} frames: {expression}.",
            "description": f"{expression}, found in {frames} of {frames} frames",
            "frames": [
                {
                    "index": index,
                    "source_index": 2 * index,
                    "object_score": min(index, 99) / 100,
                    "iou": 0.5,
                    "area": 0 if 10 <= index < 20 else 100 + index,
                    "prior_agreement": 0.25,
                }
                for index in range(frames)
            ],
        }
        for letter, colour, expression in zip("ABCD", ("#56b4e9", "#e69f00", "#009e73"), expressions, strict=False)
    ]
    size = {"width": BITS * BLOCK, "height": 2 * BLOCK}
    record = {"complete": True, "frames": frames, "fps": str(RATE), **size, "settings": {"threshold": 0.5}}
    return record | {"queries": queries}


@pytest.fixture(scope="module")
def values(tmp_path_factory: pytest.TempPathFactory) -> dict[str, PlayerValue | None]:
    """What the player is asked to show, by name."""
    folder = tmp_path_factory.mktemp("player")
    names = ("overlay", "prior-A", "masks-A", "prior-B", "masks-B")
    overlay, *files = [write_video(folder / f"{name}.mp4", video, FRAMES) for video, name in enumerate(names)]
    pairs = {"A": tuple(files[:2]), "B": tuple(files[2:])}
    only = {"A": pairs["A"]}
    scored = make_record(["the circle"], FRAMES) | {"complete": False, "asked": 2 * FRAMES}
    scored["queries"][0]["mean"] = {"J": 0.61, "F": 0.72, "J&F": 0.665}
    for entry in scored["queries"][0]["frames"]:
        entry |= {"J": 0.6, "F": 0.7}
    difference = {"queries": ["A", "B"], "frames": [{"changed": 10 * index, "iou": 0.75} for index in range(FRAMES)]}
    several = make_record([HOSTILE, "the square"], FRAMES) | {"difference": difference}
    single = write_video(folder / "single.mp4", OVERLAY, 1)
    long = write_video(folder / "long.mp4", OVERLAY, LONG)
    slow = write_video(folder / "uneven.mp4", OVERLAY, FRAMES, UNEVEN)
    uneven = make_record(["the circle"], FRAMES) | {"times": UNEVEN}
    picture = np.full((48, 64, 3), 200, np.uint8)
    return {
        "blank": None,
        "live": live_value(picture, picture // 2, picture // 4, frame=17, frames=48),
        "one": result_value(overlay, only, make_record([HOSTILE], FRAMES)),
        "scored": result_value(overlay, only, scored),
        "several": result_value(overlay, pairs, several),
        "single": result_value(single, {"A": (single, single)}, make_record(["the circle"], 1)),
        "uneven": result_value(slow, {"A": (slow, slow)}, uneven),
        "long": result_value(long, {"A": (long, long)}, make_record(["the circle"], LONG)),
    }


@pytest.fixture(scope="module")
def url(values: dict[str, PlayerValue | None]) -> Iterator[str]:
    with gr.Blocks(analytics_enabled=False) as demo:
        shown = Player()
        for name, value in values.items():
            gr.Button(f"show {name}").click(lambda value=value: value, outputs=shown, show_progress="hidden")
    with connect(demo) as url:
        yield url


@pytest.fixture(scope="module")
def context(chromium: Browser) -> Iterator[BrowserContext]:
    with chromium.new_context() as context:
        yield context


@pytest.fixture
def visit(context: BrowserContext, url: str) -> Iterator[Callable[..., Page]]:
    """Opens a page whose player shows a value; by default it does not play by itself, and no text may run as code."""
    pages, faults = [], []

    def open_page(name: str, width: int = 1440, reduced_motion: str = "reduce") -> Page:
        pages.append(page := context.new_page())
        page.set_default_timeout(TIMEOUT)
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(reduced_motion=reduced_motion)
        page.on("dialog", lambda dialog: (faults.append(dialog.message), dialog.dismiss()))
        page.on("console", lambda message: message.type == "error" and faults.append(message.text))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(url)
        show(page, name)
        return page

    yield open_page
    for page in pages:
        page.close()
    assert faults == []


def show(page: Page, name: str) -> None:
    page.get_by_role("button", name=f"show {name}", exact=True).click()
    state = name if name in ("blank", "live") else "result"
    expect(page.locator(".player")).to_have_attribute("data-state", state)
    if state == "result":
        page.wait_for_function(f"{VIDEOS}.every(video => !video.hidden && video.readyState >= 2)")


def scrubber(page: Page) -> Locator:
    return page.get_by_role("slider", name="Frame", exact=True)


def button(page: Page, name: str) -> Locator:
    return page.locator(".player").get_by_role("button", name=name, exact=True)


def shown_frame(page: Page) -> int:
    """The frame that the player says it shows, from 0."""
    return int(re.match(r"Frame (\d+) of", page.locator(".place").inner_text())[1]) - 1


def expect_frame(page: Page, frame: int) -> None:
    """All three panes come to show the frame, and the player says so."""
    page.wait_for_function(f"frame => {READ}.every(shown => shown?.frame === frame)", arg=frame)
    assert shown_frame(page) == frame
    expect(scrubber(page)).to_have_value(str(frame))


# ------------------------------------------------------------------------------------------------- frames and time


def test_scrubbing_shows_one_frame_in_all_panes_and_asks_the_server_for_nothing(
    visit: Callable[..., Page],
) -> None:
    page = visit("one")
    requests: list[str] = []
    page.on("request", lambda request: asks(request) and requests.append(request.url))
    for frame in random.Random(0).sample(range(FRAMES), 20):
        scrubber(page).fill(str(frame))
        expect_frame(page, frame)
    for frame in range(FRAMES):  # faster than any video can follow
        scrubber(page).fill(str(FRAMES - 1 - frame))
    expect_frame(page, 0)
    assert [video["video"] for video in page.evaluate(READ)] == [PRIOR_A, MASKS_A, OVERLAY]
    assert requests == []


def test_frames_at_uneven_times_are_gone_to_exactly(visit: Callable[..., Page]) -> None:
    page = visit("uneven")
    for frame in (39, 0, 19, 20, 21, 38, 5):
        scrubber(page).fill(str(frame))
        expect_frame(page, frame)
    scrubber(page).fill("30")
    expect(page.locator(".place")).to_have_text(re.compile(rf"Frame 31 of {FRAMES}\s*0:03\.20"))
    button(page, "Play").click()
    page.wait_for_function("document.querySelector('.scrubber').value >= 32")
    button(page, "Pause").click()
    expect_frame(page, shown_frame(page))


def test_playing_advances_all_panes_and_pausing_leaves_them_at_one_frame(visit: Callable[..., Page]) -> None:
    page = visit("one", reduced_motion="no-preference")  # then it plays by itself
    page.wait_for_function(
        "[...document.querySelectorAll('.player video')].every(v => !v.paused && v.currentTime > 0.3)"
    )
    button(page, "Pause").click()
    expect(button(page, "Play")).to_be_visible()
    expect_frame(page, shown_frame(page))
    assert page.evaluate(f"{VIDEOS}.every(video => video.paused)")


def test_the_end_is_followed_by_the_beginning_only_on_request(visit: Callable[..., Page]) -> None:
    page = visit("one")
    page.get_by_text("2×", exact=True).click()
    assert page.evaluate(f"{VIDEOS}.map(video => video.playbackRate)") == [2, 2, 2]
    scrubber(page).fill(str(FRAMES - 10))
    button(page, "Play").click()
    page.wait_for_function(f"document.querySelector('.scrubber').value < {FRAMES - 10}")
    button(page, "Repeat").click()
    expect(button(page, "Play")).to_be_visible()  # it has stopped by itself
    expect_frame(page, FRAMES - 1)
    button(page, "Play").click()  # begins anew
    expect(button(page, "Play")).to_be_visible()
    expect_frame(page, FRAMES - 1)


def test_nothing_moves_by_itself_where_that_is_not_wanted(visit: Callable[..., Page]) -> None:
    page = visit("one")
    page.wait_for_timeout(500)
    expect(button(page, "Play")).to_be_visible()
    expect_frame(page, 0)


def test_time_and_the_number_in_the_clip_are_told(visit: Callable[..., Page]) -> None:
    page = visit("one")
    expect(page.locator(".place")).to_have_text(re.compile(rf"Frame 1 of {FRAMES}\s*0:00\.00"))
    button(page, "Next frame").click()
    button(page, "Next frame").click()
    expect(page.locator(".place")).to_have_text(re.compile(rf"Frame 3 of {FRAMES}\s*0:00\.06\s*5 in the clip"))
    button(page, "Previous frame").click()
    expect_frame(page, 1)
    expect(page.locator(".said")).to_have_text(
        "Frame 2: Object score 0.01, Predicted IoU 0.50, Mask size, % of the frame 1.2, Prior agrees 0.25"
    )


# ----------------------------------------------------------------------------------------------------- keys and size


def test_the_keyboard_is_enough(visit: Callable[..., Page]) -> None:
    page = visit("one")
    press = page.keyboard.press

    def tab_to(name: str) -> None:
        for _ in range(40):
            press("Tab")
            if page.evaluate("document.activeElement.getAttribute('aria-label')") == name:
                return
        raise AssertionError(f"“{name}” cannot be reached")

    tab_to("Play")
    press("Space")
    expect(button(page, "Pause")).to_be_focused()
    press("Space")
    expect(button(page, "Play")).to_be_focused()
    press("Home")
    expect_frame(page, 0)
    press("ArrowRight")
    press("ArrowRight")
    press("ArrowLeft")
    expect_frame(page, 1)
    press("End")
    expect_frame(page, FRAMES - 1)
    tab_to("Frame")
    press("ArrowLeft")
    expect_frame(page, FRAMES - 2)
    press("Space")
    expect(button(page, "Pause")).to_be_visible()
    press("Space")
    expect(button(page, "Play")).to_be_visible()
    tab_to("Next frame")
    press("Tab")  # the speeds, which take the arrows themselves
    before = shown_frame(page)
    press("ArrowRight")
    assert page.evaluate("document.querySelector('.player video').playbackRate") == 2
    expect_frame(page, before)
    tab_to("Frame on the timeline")
    press("Home")
    press("ArrowRight")
    expect_frame(page, 1)
    outline = page.evaluate("getComputedStyle(document.activeElement).outline")
    assert "solid" in outline and "2px" in outline


def test_a_pane_can_be_enlarged(visit: Callable[..., Page]) -> None:
    page = visit("one")
    panes = [page.locator(f"[data-pane={name}]") for name in PANES]
    width = panes[0].bounding_box()["width"]
    scrubber(page).focus()
    for key, pane in zip("123", panes, strict=True):
        page.keyboard.press(key)
        assert pane.bounding_box()["width"] > 1.8 * width
        assert [p.bounding_box()["width"] < width for p in panes].count(True) == 2
    expect(button(page, "Enlarge the final overlay")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Escape")
    assert [pane.bounding_box()["width"] for pane in panes] == pytest.approx([width] * 3, abs=0.5)
    button(page, "Enlarge the mask prior").click()
    assert panes[0].bounding_box()["width"] > 1.8 * width


def test_panes_stand_side_by_side_or_above_each_other(visit: Callable[..., Page]) -> None:
    wide, narrow = (visit("several", width=width) for width in (1440, 390))
    boxes = [wide.locator(f"[data-pane={name}] .stage").bounding_box() for name in PANES]
    assert len({round(box["y"]) for box in boxes}) == 1
    assert boxes[0]["x"] < boxes[1]["x"] < boxes[2]["x"]
    boxes = [narrow.locator(f"[data-pane={name}] .stage").bounding_box() for name in PANES]
    assert len({round(box["x"]) for box in boxes}) == 1
    assert boxes[0]["y"] < boxes[1]["y"] < boxes[2]["y"]
    assert narrow.evaluate("document.documentElement.scrollWidth") <= 390
    for name in ("long", "scored", "live", "blank"):
        show(narrow, name)
        assert narrow.evaluate("document.documentElement.scrollWidth") <= 390


def test_panes_stay_where_they_are_whatever_is_shown(visit: Callable[..., Page]) -> None:
    page = visit("blank")
    place = """() => document.querySelector("[data-pane=overlay] .stage").getBoundingClientRect().top
        - document.querySelector(".player").getBoundingClientRect().top"""
    top = page.evaluate(place)
    for name in ("live", "several", "one"):
        show(page, name)
        assert page.evaluate(place) == pytest.approx(top, abs=1)


# ------------------------------------------------------------------------------------------------------- taking home


def test_each_pane_gives_its_video_and_the_frame_that_it_shows(
    visit: Callable[..., Page], values: dict[str, PlayerValue | None], tmp_path: Path
) -> None:
    page = visit("several")
    scrubber(page).fill("17")
    expect_frame(page, 17)
    page.get_by_role("radio", name="B the square").check(force=True)
    page.wait_for_function(f"() => {READ}[1]?.video === {MASKS_B}")
    expect_frame(page, 17)
    shown = values["several"]
    videos = {"mask prior": shown.queries[1].prior, "per-frame masks": shown.queries[1].masks}
    names = {"mask prior": "clip-prior-B", "per-frame masks": "clip-masks-B", "final overlay": "clip-overlay"}
    for (title, name), video in zip(names.items(), (PRIOR_B, MASKS_B, OVERLAY), strict=True):
        with page.expect_download() as download:
            button(page, f"Download the video: {title}").click()
        assert download.value.suggested_filename == f"{name}.mp4"
        file = videos.get(title, shown.overlay)
        assert Path(download.value.path()).read_bytes() == Path(file.path).read_bytes()
        with page.expect_download() as download:
            button(page, f"Save this frame: {title}").click()
        assert download.value.suggested_filename == f"{name}-frame-18.png"
        picture = cv2.imread(str(download.value.path()), cv2.IMREAD_GRAYSCALE)
        assert picture.shape == (2 * BLOCK, BITS * BLOCK)
        bits = "".join(str(int(value > 127)) for value in picture[8, 8::BLOCK])
        assert (int(bits[:12], 2), int(bits[12:], 2)) == (17, video)
    for name in ("live", "blank"):
        show(page, name)
        expect(page.locator(".player :is(.take-video, .take-frame):visible")).to_have_count(0)
        expect(page.locator(".scrubber")).to_have_value("17" if name == "live" else "0")


# --------------------------------------------------------------------------------------------------------- timeline


def at(chart: Locator, frame: int, frames: int = FRAMES) -> dict[str, float]:
    """Where in the chart a frame is: under the scrubber's thumb."""
    page = chart.page
    box, track = chart.bounding_box(), scrubber(page).bounding_box()
    share = frame / max(1, frames - 1)
    return {"x": track["x"] - box["x"] + 10 + (track["width"] - 20) * share, "y": 60}


def test_click_and_drag_on_the_timeline_seek(visit: Callable[..., Page]) -> None:
    page = visit("one")
    chart = page.locator(".chart")
    chart.click(position=at(chart, 31))
    expect_frame(page, 31)
    box = chart.bounding_box()
    page.mouse.down()
    for frame in (25, 14, 5):
        page.mouse.move(box["x"] + at(chart, frame)["x"], box["y"] + 60)
    page.mouse.up()
    expect_frame(page, 5)
    chart.hover(position=at(chart, 22))  # looks at a frame, but does not go there
    expect(page.locator(".values .at")).to_have_text("Frame 23")
    expect(button(page, "Object score 0.22")).to_be_visible()
    expect_frame(page, 5)
    page.mouse.move(0, 0)
    expect(page.locator(".values .at")).to_have_text("Frame 6")
    expect(chart).to_have_attribute("aria-valuetext", re.compile("^Frame 6: Object score 0.05, "))


def test_one_query_has_a_line_per_quantity(visit: Callable[..., Page]) -> None:
    page = visit("one")
    expect(page.locator(".told")).to_have_text(f"A was found in {FRAMES} frames: {HOSTILE}.")
    expect(page.locator(".quantities")).to_be_hidden()
    expect(page.locator(".chart .series")).to_have_count(4)
    button(page, "Mask size, % of the frame 1.2").click()
    expect(page.locator(".chart .series")).to_have_count(3)
    button(page, "Mask size, % of the frame 1.2").click()
    expect(page.locator(".chart .series")).to_have_count(4)
    band = page.locator(".chart .absent")
    expect(band).to_have_count(1)
    chart = page.locator(".chart")
    box = band.bounding_box()
    edges = [chart.bounding_box()["x"] + at(chart, frame)["x"] for frame in (9.5, 19.5)]
    assert [box["x"], box["x"] + box["width"]] == pytest.approx(edges, abs=1)


def test_scores_and_a_run_that_was_stopped_are_told(visit: Callable[..., Page]) -> None:
    page = visit("scored")
    expect(page.locator(".told")).to_contain_text("mean J 0.61 · F 0.72 · J&F 0.67")
    expect(page.locator(".told")).to_contain_text(f"Stopped after {FRAMES} of {2 * FRAMES} frames.")
    expect(page.locator(".place")).to_contain_text(f"Stopped after {FRAMES} of {2 * FRAMES}")
    for name, what in (("Predicted IoU", "expects"), ("Prior agrees", "Soft IoU"), ("J", "Region"), ("F", "Contour")):
        button(page, f"What is {name}?").click()
        expect(button(page, f"What is {name}?")).to_have_attribute("aria-expanded", "true")
        expect(page.locator(".meaning")).to_contain_text(what)
    button(page, "What is F?").click()
    expect(page.locator(".meaning")).to_be_hidden()
    expect(page.locator(".chart .series")).to_have_count(6)
    expect(button(page, "J 0.60")).to_be_visible()


@pytest.mark.parametrize(("name", "frames"), [("single", 1), ("long", LONG)])
def test_one_frame_and_many(visit: Callable[..., Page], name: str, frames: int) -> None:
    page = visit(name)
    scrubber(page).focus()
    page.keyboard.press("End")
    expect_frame(page, frames - 1)
    assert 1 <= page.locator(".chart text:not(.no-mask)[text-anchor=middle]").count() <= 20
    chart = page.locator(".chart")
    chart.click(position=at(chart, frames // 2, frames))
    expect_frame(page, frames // 2)
    button(page, "Play").click()
    page.wait_for_function("document.querySelector('.player video').currentTime > 0")


# ---------------------------------------------------------------------------------------------------------- queries


def test_choosing_a_query_changes_prior_and_masks_at_the_same_frame(visit: Callable[..., Page]) -> None:
    page = visit("several")
    scrubber(page).fill("17")
    expect_frame(page, 17)
    assert [video["video"] for video in page.evaluate(READ)] == [PRIOR_A, MASKS_A, OVERLAY]
    page.get_by_role("radio", name="B the square").check(force=True)
    chosen = f"() => {READ}.map(shown => shown?.video).join() === '{PRIOR_B},{MASKS_B},{OVERLAY}'"
    page.wait_for_function(chosen)
    expect_frame(page, 17)
    expect(page.get_by_role("heading", name="Mask prior B")).to_be_visible()
    prior = page.locator("[data-pane=prior] video")
    expect(prior).to_have_attribute("aria-label", f"Mask prior: the square, found in {FRAMES} of {FRAMES} frames")
    overlay = page.locator("[data-pane=overlay] video")
    expect(overlay).to_have_attribute("aria-label", re.compile("^Final overlay: the <img .*; the square, found in"))


def test_queries_are_compared_on_the_timeline(visit: Callable[..., Page]) -> None:
    page = visit("several")
    expect(page.locator(".told li")).to_have_count(2)
    expect(page.locator(".chart .series")).to_have_count(2)
    dashes = [line.get_attribute("stroke-dasharray") for line in page.locator(".chart .series").all()]
    assert len(set(dashes)) == 2
    expect(page.locator(".chart .found")).to_have_count(4)  # each is found twice
    page.get_by_text("Mask size, % of the frame", exact=True).click()
    expect(button(page, "A 1.2")).to_be_visible()
    button(page, "B 1.2").click()
    expect(page.locator(".chart .series")).to_have_count(1)
    page.get_by_text("A against B", exact=True).click()
    scrubber(page).fill("30")
    expect(button(page, "IoU of A and B 0.75")).to_be_visible()
    expect(button(page, "Changed pixels 300 px")).to_be_visible()


def test_text_is_shown_as_text(visit: Callable[..., Page]) -> None:
    page = visit("several")
    legend = page.get_by_role("list", name="Queries")
    expect(legend.locator(".sentence").first).to_have_text(HOSTILE)
    expect(legend.locator(".sentence").last).to_have_text("the square without global context")
    expect(page.locator(".told li").first).to_contain_text(HOSTILE)
    expect(page.locator(".player :is(.legend, .told, .queries, .values) :is(img, script)")).to_have_count(0)


# ----------------------------------------------------------------------------------------------------------- states


def test_a_blank_player_says_what_it_will_show(visit: Callable[..., Page]) -> None:
    page = visit("blank")
    for caption in ("Where the sentence points", "How sure the network is", "What is above the threshold"):
        expect(page.get_by_text(caption)).to_be_visible()
    expect(button(page, "Play")).to_be_disabled()
    expect(scrubber(page)).to_be_disabled()
    expect(page.locator(".promise")).to_be_visible()


def test_the_newest_pictures_of_a_run_give_way_to_its_result_and_that_to_nothing(visit: Callable[..., Page]) -> None:
    page = visit("live")
    for title in ("Mask prior", "Per-frame masks", "Final overlay"):
        picture = page.get_by_role("img", name=f"{title} of frame 18")
        expect(picture).to_be_visible()
        assert picture.evaluate("image => image.naturalWidth") == 64
    expect(page.locator(".place")).to_have_text("Frame 18 of 48")
    expect(button(page, "Play")).to_be_disabled()
    page.route("**/*.mp4", lambda route: None)  # held back
    page.get_by_role("button", name="show one", exact=True).click()
    expect(page.locator(".plot")).to_be_visible()  # the verdict does not wait for the videos
    expect(page.get_by_role("img", name="Final overlay of frame 18")).to_be_visible()
    expect(page.locator(".place")).to_have_text("Frame 18 of 48")  # what is seen is still that frame
    page.unroute("**/*.mp4")  # lets them go on
    expect(page.locator(".stage img:visible")).to_have_count(0)
    expect_frame(page, 0)
    show(page, "live")
    expect(page.locator(".player video:visible")).to_have_count(0)
    expect(page.locator(".legend li")).to_have_count(0)
    show(page, "several")
    expect_frame(page, 0)
    show(page, "blank")
    expect(page.locator(".player :is(video, img):visible")).to_have_count(0)
    expect(page.locator(".plot")).to_be_hidden()


def test_templates_hold_nothing_that_gradio_would_evaluate() -> None:
    folder = Path(player.__file__).parent
    for path in [folder / "player.html", *folder.glob("*.css")]:
        assert not re.search(r"[`\\]|\$\{|\{\{", path.read_text()), path.name
