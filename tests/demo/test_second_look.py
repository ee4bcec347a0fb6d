"""The page with its own examples, looked at as a newcomer does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import TIMEOUT, connect
from playwright.sync_api import Browser, Page, expect
from visitor import LONG, status

from mpgsam2 import Segmenter
from mpgsam2.demo import build_demo, launch_options
from mpgsam2.demo.status import IDLE


@pytest.fixture(scope="module")
def own_url(model: Segmenter) -> Iterator[str]:
    with connect(build_demo([model]), **launch_options()) as url:
        yield url


@pytest.fixture
def page(chromium: Browser, own_url: str) -> Iterator[Page]:
    """The page with all of its examples, for a visitor with a clipboard and without a camera."""
    with chromium.new_context(permissions=["clipboard-write", "clipboard-read"]) as context:
        page = context.new_page()
        page.set_default_timeout(TIMEOUT)
        open_at(page, own_url)
        yield page


def open_at(page: Page, address: str) -> None:
    page.goto(address)
    expect(page.get_by_role("button", name="Run")).to_be_enabled()


def box(page: Page, selector: str) -> dict[str, float]:
    page.locator(selector).first.wait_for()
    return page.locator(selector).first.bounding_box()


def test_nothing_is_cut_off_and_nothing_wraps(page: Page) -> None:
    copy = page.get_by_role("button", name="Copy a link to these settings")
    for chosen in (False, True):
        if chosen:
            page.locator("#examples button").first.click()
            expect(page.locator("#clip video")).to_be_visible()
        for width in (390, 1440):
            page.set_viewport_size({"width": width, "height": 900})
            around = box(page, "#clip")
            for name in ("Upload file", "Capture from camera"):
                inside = box(page, f'#clip [aria-label="{name}"]')
                assert inside["y"] >= around["y"]
                assert inside["y"] + inside["height"] <= around["y"] + around["height"] - 4, (name, width, chosen)
            page.wait_for_function(
                "() => new Set([...document.querySelectorAll('#examples button')].map(c => c.offsetHeight)).size === 1"
            )
            if chosen:  # the handles' words lie below them, in as many lines as they need
                handle = box(page, "#trim input")
                assert box(page, "#trim p")["y"] >= handle["y"] + handle["height"] - 1
            assert copy.bounding_box()["height"] < 60
            assert copy.evaluate("button => button.scrollWidth <= button.clientWidth")
            assert re.match(r"\w", page.locator("footer").inner_text().strip())


def test_a_link_is_copied_and_says_so(page: Page, own_url: str) -> None:
    page.get_by_label("Sentence").fill("the red circle")
    copy = page.get_by_role("button", name="Copy a link to these settings")
    said = copy.evaluate_handle(
        """button => {  // what the button says, since that does not stay
            const said = [];
            const note = () => said.push(button.textContent.trim());
            new MutationObserver(note).observe(button, { childList: true, characterData: true, subtree: true });
            return said;
        }"""
    )
    copy.click()
    page.wait_for_function("said => said.includes('Copied')", arg=said)
    link = page.evaluate("navigator.clipboard.readText()")
    assert link.startswith(own_url) and "the+red+circle" in link
    expect(page.get_by_role("button", name="Copy a link to these settings")).to_be_visible()


def test_without_a_camera_the_page_says_so(page: Page) -> None:
    page.get_by_role("button", name="Capture from camera").click()
    page.get_by_text("Click to Access Webcam").click()
    expect(page.locator("#notice")).to_contain_text("There is no camera here")


def test_an_empty_check_box_can_be_seen(page: Page) -> None:
    page.get_by_role("button", name="Options").click()
    box = page.get_by_label("history", exact=True)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_function(  # colours fade
            """([box, scheme]) => {
                const luminance = (colour) => {
                    const canvas = new OffscreenCanvas(1, 1).getContext("2d");
                    canvas.fillStyle = colour;
                    canvas.fillRect(0, 0, 1, 1);
                    const linear = [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3)
                        .map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
                    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
                };
                let around = box.parentElement;
                while (getComputedStyle(around).backgroundColor === "rgba(0, 0, 0, 0)") around = around.parentElement;
                const edge = luminance(getComputedStyle(box).borderTopColor);
                const ground = luminance(getComputedStyle(around).backgroundColor);
                const ratio = (Math.max(edge, ground) + 0.05) / (Math.min(edge, ground) + 0.05);
                return (scheme === "dark") === ground < 0.2 && ratio >= 3; // WCAG 2.2, 1.4.11
            }""",
            arg=[box.element_handle(), scheme],
        )


def test_links_say_what_they_brought(page: Page, own_url: str) -> None:
    open_at(page, f"{own_url}?example=relation")
    expect(page.get_by_label("Sentence")).to_have_value("the animal above the elephant")
    expect(status(page)).to_contain_text("Ready: the example “By what is below it”")
    open_at(page, f"{own_url}?example=relation&sentences=the+blue+star&every=2")
    expect(page.get_by_label("Sentence")).to_have_value("the blue star")
    expect(status(page)).to_contain_text("Ready")
    open_at(page, f"{own_url}?example=<b>nowhere</b>")
    expect(status(page)).to_contain_text("There is no example “<b>nowhere</b>” here")
    open_at(page, f"{own_url}?sentences=the+blue+star")
    expect(status(page)).to_contain_text("choose a clip")
    open_at(page, own_url)
    expect(status(page)).to_have_text(IDLE)


def test_while_a_run_goes_on_nothing_else_can_be_chosen_and_the_last_result_stays(page: Page, clips: Path) -> None:
    page.locator("#examples button").first.click()
    player = page.locator("#player .player")
    expect(player).to_have_attribute("data-state", "result")
    page.locator("#player .scrubber").fill("30")
    page.locator("#clip").get_by_role("button", name="Clear").click()
    page.locator("#clip input[type=file]").set_input_files(clips / "long.mp4")
    expect(page.locator("#notice")).to_contain_text(f"{LONG} frames")
    page.evaluate(
        """() => {  // what the player shows, whenever it changes while a run goes on
            window.seen = [];
            const player = document.querySelector("#player .player");
            const busy = () => document.body.classList.contains("busy");
            const note = () => busy() && window.seen.push(
                [player.dataset.state, getComputedStyle(player.querySelector(".panes")).opacity].join(" "));
            for (const node of [player, document.body])
                new MutationObserver(note).observe(node, { attributes: true });
        }"""
    )
    page.get_by_role("button", name="Run").click()
    expect(page.locator("body")).to_have_class(re.compile(r"\bbusy\b"))
    for name in ("clip", "examples"):
        assert page.locator(f"#{name}").evaluate("element => element.inert")
    expect(page.locator("#examples small")).to_have_text("Once the run has ended, or is stopped.")
    page.locator("#examples button").nth(1).evaluate("card => card.focus()")
    assert page.evaluate("document.activeElement.tagName") == "BODY"
    expect(player).to_have_attribute("data-state", "live")
    assert page.evaluate("seen[0]") == "result 0.45" and page.evaluate("seen.at(-1)") == "live 1"
    page.get_by_role("button", name="Stop").click()
    expect(status(page)).to_contain_text("Stopped after")
    expect(page.locator("#player .told")).to_contain_text(f" of {LONG} frames.")
    expect(page.locator("body")).not_to_have_class(re.compile(r"\bbusy\b"))
    assert not page.locator("#examples").evaluate("element => element.inert")
    page.locator("#examples button").nth(1).click()
    expect(status(page)).to_contain_text("Saved result. Press Run to compute it again.")
    page.get_by_label("Sentence").fill("")
    page.get_by_role("button", name="Run").click()
    expect(page.locator("#status").get_by_role("alert")).to_contain_text("empty")
    expect(player).to_have_attribute("data-state", "result")  # what was there is not lost by a slip of the pen
    expect(page.locator(".toast-body")).to_have_count(0)
