"""The page in a real browser: what a visitor sees, and that nothing else happens."""

from __future__ import annotations

import json
import re
import tempfile
import time
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit
from zipfile import ZipFile

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import TIMEOUT, connect
from playwright.sync_api import Browser, expect
from visitor import FRAMES, LONG, Visit, assert_plays, files, fill, press, status, videos

from mpgsam2 import Segmenter
from mpgsam2.demo import build_demo, launch_options

# ------------------------------------------------------------------------------------------------- what it looks like


def test_page_says_what_it_is_and_which_model_runs(visit: Visit, model: Segmenter) -> None:
    page = visit()
    expect(page).to_have_title("MPG-SAM 2")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.locator(".badge")).to_contain_text(model.name)
    expect(page.locator(".badge")).to_contain_text("CPU")
    expect(page.get_by_role("link", name="paper")).to_have_attribute("href", "https://arxiv.org/abs/2501.13667")


@pytest.mark.parametrize("width", [390, 1440, 2560])
def test_page_fits_every_width(visit: Visit, width: int) -> None:
    page = visit()
    page.set_viewport_size({"width": width, "height": 900})
    page.get_by_role("button", name="Options").click()
    expect(page.get_by_label("Every n-th")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    tops = page.locator("#options fieldset label").evaluate_all("boxes => boxes.map((box) => box.offsetTop)")
    assert len(tops) == 3
    assert width < 500 or len(set(tops)) == 1  # what can be switched off stands in one line
    label = page.locator("#options label", has_text="Ground truth").bounding_box()
    icon = page.locator("#options button .icon-wrap").bounding_box()
    assert label["y"] + label["height"] <= icon["y"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(visit: Visit, scheme: Literal["light", "dark"]) -> None:
    page = visit()
    page.emulate_media(color_scheme=scheme)
    page.locator("#examples button").click()
    expect(videos(page)[2]).to_be_visible()
    page.get_by_role("button", name="Options").click()
    page.get_by_text("Words that nano knows").click()
    page.get_by_label("Sentence").fill("the bleu circle")
    page.get_by_text("How it came to its answer", exact=True).click()
    expect(page.locator("#player .memories li")).not_to_have_count(0)
    found = Axe().run(page)
    serious = [
        (violation["id"], [node["html"] for node in violation["nodes"]])
        for violation in found.response["violations"]
        if violation["impact"] in ("serious", "critical")
    ]
    assert serious == []


def test_on_a_space_too_no_other_host_is_asked(
    chromium: Browser, model: Segmenter, clips: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPACE_ID", "someone/mpg-sam-2")
    hosts = set()
    with connect(build_demo([model], clips), **launch_options()) as url:
        page = chromium.new_page()
        page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
        page.goto(url)
        code = "https://huggingface.co/spaces/someone/mpg-sam-2/tree/main"
        expect(page.get_by_role("link", name="code")).to_have_attribute("href", code)
        page.get_by_role("button", name="Options").click()
        expect(page.get_by_label("Every n-th")).to_be_visible()
        page.close()
    assert hosts - {""} == {urlsplit(url).netloc}


# --------------------------------------------------------------------------------------------------------- what it does


def test_clip_and_sentence_give_three_videos_and_a_zip(visit: Visit, clips: Path, tmp_path: Path) -> None:
    page = visit()
    fill(page, clips / "short.mp4", "please the red circle")
    expect(page.locator("#notice")).to_contain_text(f"{FRAMES} frames of 200 × 160")
    press(page, "Run")
    expect(status(page)).to_contain_text(re.compile(r"\. I am \d\d % sure[.,]"))
    expect(page.locator("#status .warning")).to_contain_text("I do not know the word “please”")
    assert_plays(page, FRAMES)
    with page.expect_download() as download:
        press(page, "Download everything (.zip)")
    download.value.save_as(tmp_path / "results.zip")
    record = assert_bundle(tmp_path / "results.zip")
    assert record["queries"][0]["expression"] == "please the red circle"
    assert status(page).inner_text() == record["queries"][0]["summary"]
    expect(videos(page)[2]).to_have_attribute("aria-label", re.compile(re.escape(record["queries"][0]["description"])))
    expect(page.get_by_role("button", name="Run")).to_be_enabled()


def assert_bundle(path: Path) -> dict[str, Any]:
    """A zip of everything that a run of one query leaves; returns its record."""
    with ZipFile(path) as bundle:
        record = json.loads(bundle.read("run.json"))
        names = {"overlay.mp4", "prior.mp4", "masks.mp4", "side-by-side.mp4", "cutout.webm", "strip.png", "strip.pdf"}
        names |= {"masks.json", "run.json", *(f"masks/{i:05d}.png" for i in range(FRAMES))}
        assert set(bundle.namelist()) == names
    assert record["complete"] and record["clip"]["name"] == "short.mp4"
    assert tempfile.gettempdir() not in json.dumps(record)
    return record


def test_example_shows_its_result_without_the_model(
    visit: Visit, model: Segmenter, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the model ran")

    monkeypatch.setattr(model, "segment_several", refuse)
    page = visit()
    card = page.locator("#examples button")
    expect(card).to_have_text("Shapes & colours“the <b>red</b> circle”")  # text is shown as text
    card.click()
    expect(status(page)).to_contain_text("Saved result. Press Run")
    expect(page.get_by_label("Sentence")).to_have_value("the <b>red</b> circle")
    assert_plays(page, FRAMES)
    expect(page.locator("#player")).to_contain_text("J&F")


def test_an_example_s_ground_truth_is_that_of_its_own_sentence(visit: Visit) -> None:
    page = visit()
    page.locator("#examples button").click()
    expect(page.get_by_label("Sentence")).to_have_value("the <b>red</b> circle")
    page.get_by_label("Sentence").fill("the star\nthe <b>red</b> circle")
    press(page, "Run")
    expect(page.locator("#player .told li")).to_have_count(2)
    expect(page.locator("#player .told li").nth(1)).to_contain_text("J&F")
    expect(page.locator("#player .told li").nth(0)).not_to_contain_text("J&F")


def test_several_sentences_are_answered_side_by_side(visit: Visit, clips: Path) -> None:
    page = visit()
    hostile = "<img src=x onerror=alert(1)> circle"
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    fill(page, clips / "short.mp4", f"the red circle\n{hostile}\ncircle {'😀' * 30}")
    press(page, "Run")
    expect(status(page)).to_contain_text(re.compile(r"A: .* sure.* B: .* sure.* C: "))
    expect(page.locator("#player")).to_contain_text(hostile)
    assert_plays(page, FRAMES)
    expect(page.locator("#player .legend li")).to_have_count(3)


def test_a_part_switched_off_is_compared(visit: Visit, clips: Path) -> None:
    page = visit()
    fill(page, clips / "short.mp4", "the red circle")
    page.get_by_role("button", name="Options").click()
    page.get_by_label("mask prior", exact=True).check()
    page.get_by_label("Every n-th").fill("2")
    expect(page.locator("#notice")).to_contain_text("every 2nd, as chosen")
    press(page, "Run")
    expect(status(page)).to_contain_text(re.compile(r"A: .* sure.* B: "))
    expect(page.locator("#player .legend li")).to_have_count(2)
    expect(page.locator("#player .timeline")).to_contain_text("A against B")


def test_link_restores_the_settings(visit: Visit, url: str) -> None:
    page = visit()
    page.locator("#examples button").click()
    expect(page.get_by_label("Sentence")).to_have_value("the <b>red</b> circle")
    page.get_by_label("Sentence").fill("the star & <b>more</b>\na second")
    page.get_by_role("button", name="Options").click()
    page.get_by_label("history", exact=True).check()
    page.get_by_label("First frame").fill("3")
    page.get_by_label("Hatch the masks").check()
    page.get_by_label("Threshold").fill("0.29")
    page.get_by_role("button", name="Next colour for A").click()
    press(page, "Copy a link to these settings")
    expect(page.get_by_label("Link to these settings")).to_have_value(re.compile("example=short"))
    link = page.get_by_label("Link to these settings").input_value()
    assert link.startswith(url) and re.search(r"threshold=0.29.*colours=[1-7]", link)

    again = visit()
    again.goto(link)
    expect(again.get_by_label("Sentence")).to_have_value("the star & <b>more</b>\na second")
    expect(again.locator("#clip video")).to_be_visible()
    again.get_by_role("button", name="Options").click()
    expect(again.get_by_label("history", exact=True)).to_be_checked()
    expect(again.get_by_label("First frame")).to_have_value("3")
    expect(again.get_by_label("Hatch the masks")).to_be_checked()
    expect(again.get_by_label("Threshold")).to_have_value("0.29")
    press(again, "Copy a link to these settings")
    expect(again.get_by_label("Link to these settings")).to_have_value(link)


def test_keyboard_alone_is_enough(visit: Visit, clips: Path) -> None:
    page = visit()
    page.locator("#clip input[type=file]").set_input_files(clips / "short.mp4")
    expect(page.locator("#clip video")).to_be_visible()
    page.get_by_label("Sentence").focus()
    page.keyboard.type("the red circle")
    page.keyboard.press("Shift+Enter")
    expect(status(page)).to_contain_text(re.compile(r" % sure"))
    page.locator("#player .scrubber").focus()
    page.keyboard.press("End")
    expect(page.locator("#player .place")).to_contain_text(f"Frame {FRAMES} of {FRAMES}")


def test_bad_input_is_answered_with_its_sentence(visit: Visit, clips: Path) -> None:
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
    press(page, "Run")
    expect(alert).to_contain_text("“text.mp4” is not a video that can be read here")
    assert tempfile.gettempdir() not in page.inner_text("body")


def test_stop_keeps_what_is_done_and_makes_room_for_the_next(visit: Visit, clips: Path) -> None:
    first, second = visit(), visit()
    fill(first, clips / "long.mp4", "the red circle")
    fill(second, clips / "short.mp4", "the red circle")
    press(first, "Run")
    expect(status(first)).to_contain_text(f"Reading the sentence together with all {LONG} frames")

    for _ in range(3):  # at once: its place in the line may be taken before or after
        press(second, "Run")
        press(second, "Stop")
        expect(second.get_by_role("button", name="Run")).to_be_enabled()
        expect(status(second)).to_have_text("Stopped before the first frame.")
    press(second, "Run")
    expect(second.locator("#status .remark")).to_contain_text(re.compile("You are next|One goes before you"))
    press(second, "Stop")
    expect(status(second)).to_have_text("Stopped before the first frame.")

    expect(status(first)).to_contain_text(re.compile(rf"Frame \d+ of {LONG} · .* frames/s"))
    for name in ("prior", "masks", "overlay"):
        expect(first.locator(f'#player [data-pane="{name}"] img')).to_be_visible()
    press(second, "Run")
    press(first, "Stop")
    expect(status(first)).to_contain_text("Stopped after")
    done = int(re.search(r"Stopped after (\d+) of", status(first).inner_text())[1])
    assert 0 < done < LONG
    found = rf"Found in (the only frame|all {done} frames|frames? .* of {done}|\d+ of {done} frames)"
    assert re.search(rf"\. ({found}|Probably not in this clip)\. I am \d\d % sure[.,]", status(first).inner_text())
    assert_plays(first, done)
    expect(status(second)).to_contain_text(re.compile("Found in|Probably not in"))


def test_two_visitors_at_once_get_their_own_results(visit: Visit, clips: Path) -> None:
    first, second = visit(), visit()
    fill(first, clips / "short.mp4", "the red circle")
    fill(second, clips / "long.mp4", "the blue star")
    second.get_by_role("button", name="Options").click()
    second.get_by_label("Last frame").fill("7")
    expect(second.locator("#notice")).to_contain_text("1 to 7")
    press(first, "Run")
    press(second, "Run")
    for page, sentence, frames in ((first, "the red circle", FRAMES), (second, "the blue star", 7)):
        expect(status(page)).to_contain_text(re.compile(" % sure"))
        expect(page.locator("#player .legend li")).to_contain_text(sentence)
        assert_plays(page, frames)


def test_a_closed_tab_ends_its_run_and_leaves_no_file(visit: Visit, clips: Path) -> None:
    before = files()
    page, other = visit(), visit()
    fill(page, clips / "long.mp4", "the red circle")
    press(page, "Run")
    expect(status(page)).to_contain_text(re.compile(rf"Frame \d+ of {LONG}"))
    page.context.close()
    fill(other, clips / "short.mp4", "the red circle")
    press(other, "Run")
    expect(status(other)).to_contain_text(re.compile(" % sure"))  # the slot is free
    other.context.close()
    deadline = time.monotonic() + TIMEOUT / 1000
    while (left := files() - before) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert left == set()
