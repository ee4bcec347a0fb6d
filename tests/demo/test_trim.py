"""The handles under the clip."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from playwright.sync_api import expect
from visitor import FPS, FRAMES, Visit, fill, press, status

from mpgsam2.demo.trim import remark_html
from mpgsam2.video import Clip


def test_handles_choose_the_frames_and_show_them(visit: Visit) -> None:
    page = visit()
    trim, begin, end = page.locator("#trim .trim"), page.get_by_label("Begin at"), page.get_by_label("End at")
    expect(trim).to_be_hidden()
    page.locator("#examples button").click()
    expect(page.locator("#notice")).to_contain_text("All frames are used")
    expect(trim).to_be_visible()
    begin.fill("3")
    used = f"{FRAMES - 2} are used: 3 to {FRAMES}, as chosen"  # also while the options are folded
    expect(page.locator("#notice")).to_contain_text(used)
    end.fill("7")
    expect(page.locator("#notice")).to_contain_text("5 are used: 3 to 7, as chosen")
    for index, frame in enumerate((3, 7)):
        picture = page.locator("#trim video").nth(index)
        page.wait_for_function("v => v.readyState >= 2 && !v.seeking", arg=picture.element_handle())
        assert int(picture.evaluate("v => v.currentTime") * FPS) == frame - 1
    page.get_by_role("button", name="Options").click()
    expect(page.get_by_label("First frame", exact=True)).to_have_value("3")
    expect(page.get_by_label("Last frame", exact=True)).to_have_value("7")
    page.get_by_label("First frame", exact=True).fill("5")
    expect(begin).to_have_value("5")
    page.get_by_label("First frame", exact=True).fill("11")  # beyond the last: nothing is left
    expect(trim).to_contain_text(f"0 of {FRAMES}")
    expect(page.locator("#notice")).to_contain_text("The last frame, 7, lies before the first, 11: swap them.")
    page.get_by_label("First frame", exact=True).fill("5")
    expect(trim).to_contain_text(f"Frames 5 to 7: 3 of {FRAMES}")
    begin.fill("9")  # pushes the other along
    expect(end).to_have_value("9")
    expect(page.locator("#notice")).to_contain_text("1 is used: 9")
    begin.fill("8")
    expect(page.locator("#notice")).to_contain_text("2 are used: 8 to 9")
    press(page, "Run")
    expect(page.locator("#player .scrubber")).to_have_attribute("max", "1")


def test_a_clip_that_the_browser_does_not_play_is_segmented_all_the_same(
    visit: Visit, clips: Path, tmp_path: Path
) -> None:
    page = visit()
    with av.open(tmp_path / "a.avi", "w") as out:  # MPEG-4 part 2, which no browser plays
        stream = out.add_stream("mpeg4", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(2):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8))))
        out.mux(stream.encode())
    fill(page, tmp_path / "a.avi", "the red circle")
    unplayable, trim = page.locator("#trim .unplayable"), page.locator("#trim .trim")
    expect(unplayable).to_have_text("This browser cannot play the clip. A run reads it all the same.")
    expect(page.locator("#notice")).to_contain_text("All frames are used")
    expect(trim).to_be_hidden()
    page.get_by_role("button", name="Options").click()
    page.get_by_label("Last frame", exact=True).fill("1")
    expect(page.locator("#notice")).to_contain_text("1 is used: 1")
    expect(trim).to_be_hidden()
    press(page, "Run")
    expect(status(page)).to_contain_text("% sure")
    page.get_by_label("Last frame", exact=True).fill("0")
    page.locator("#clip").get_by_role("button", name="Clear").click()
    fill(page, clips / "text.mp4", "the red circle")
    expect(page.locator("#notice")).to_contain_text("not a video that can be read here")
    expect(unplayable).to_be_hidden()
    expect(page.get_by_test_id("toast-body")).to_have_count(0)  # the remark has told


def test_a_link_moves_the_handles(visit: Visit, url: str) -> None:
    page = visit()
    page.goto(f"{url}?example=short&first=4&last=6")
    expect(page.locator("#trim .trim")).to_be_visible()
    expect(page.get_by_label("Begin at")).to_have_value("4")
    expect(page.get_by_label("End at")).to_have_value("6")


def test_a_remark_tells_the_handles_of_the_clip() -> None:
    even = Clip(Path("a.mp4"), 64, 48, Fraction(12), 3)
    assert 'data-frames="3" data-rate="12.000000" data-times=""' in remark_html("3 <frames>.", even)
    assert "3 &lt;frames&gt;." in remark_html("3 <frames>.", even)
    uneven = Clip(Path("a.mp4"), 64, 48, Fraction(12), 3, variable_rate=True, times=(0.0, 0.5, 0.52))
    assert 'data-times="0 0.5 0.52"' in remark_html("", uneven)
    assert "data-" not in remark_html("Looking …", None)
