"""Results that a link carries."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from playwright.sync_api import expect
from visitor import Visit, assert_plays, fill, press, status

from mpgsam2 import InputError
from mpgsam2.demo import shared
from mpgsam2.demo.shared import LIFETIME, Shares


def test_a_result_is_seen_by_whoever_has_the_link_and_by_nobody_else(visit: Visit, clips: Path, url: str) -> None:
    page = visit()
    fill(page, clips / "short.mp4", "the yellow star\nthe red circle")
    press(page, "Run")
    expect(status(page)).to_contain_text("% sure")
    press(page, "Copy a link to these settings")
    expect(page.get_by_label("Link to these settings")).not_to_have_value(re.compile("result="))
    press(page, "Copy a link to this result")
    expect(status(page)).to_contain_text(re.compile(r"sees this result until \d\d:\d\d UTC, and then nobody does"))
    expect(page.get_by_label("Link to these settings")).to_have_value(re.compile(r"result=[\w-]{32}"))
    link = page.get_by_label("Link to these settings").input_value()
    press(page, "Copy a link to these settings")
    expect(page.get_by_label("Link to these settings")).not_to_have_value(re.compile("result="))
    page.close()  # what the visitor leaves goes, but not what was shared

    other = visit()
    other.goto(link)
    expect(status(other)).to_contain_text(
        re.compile(r"A: .* sure[.,].* B: .* sure[.,].* A shared result, which stays until \d\d:\d\d UTC")
    )
    expect(other.get_by_label("Sentence")).to_have_value("the yellow star\nthe red circle")
    expect(other.locator("#player .player")).to_have_attribute("data-state", "result")
    assert_plays(other, 12)
    with other.expect_download() as download:
        other.get_by_text("Download everything (.zip)").click()
    assert Path(download.value.path()).stat().st_size > 10_000
    other.goto(f"{url}?result=../../etc")
    expect(status(other)).to_contain_text("The result of this link is not here any more")


def test_a_shared_result_goes_after_an_hour_and_a_session_shares_three(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared, "home", lambda: tmp_path)
    run = tmp_path / "run"
    (run / "masks").mkdir(parents=True)
    (run / "masks" / "00000.png").write_text("mask")
    shares = Shares()
    first, *others = (shares.add("one", run) for _ in range(4))
    assert shares.get(first.token) is None and not first.folder.exists()
    foreign = shares.add("two", run)
    (run / "masks" / "00000.png").unlink()  # the run's own files go with its session
    for share in (*others, foreign):
        assert (shares.get(share.token).folder / "masks" / "00000.png").read_text() == "mask"
    now = time.time()
    monkeypatch.setattr(shared.time, "time", lambda: now + LIFETIME + 1)
    assert all(shares.get(share.token) is None for share in others)
    assert list(tmp_path.glob("shared-*")) == []
    with pytest.raises(InputError, match="not here any more"):
        shares.add("one", tmp_path / "gone")
    with pytest.raises(InputError, match="came with the page"):
        shares.add("one", tmp_path / "results" / "short")
    assert list(tmp_path.glob("shared-*")) == []
