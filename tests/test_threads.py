"""Torch's threads leave room for others, and nobody else's setting is changed."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Generator
from functools import partial

import pytest
import torch

import mpgsam2
from mpgsam2.nano import synthetic
from mpgsam2.network.ahead import ahead, in_turn, two_at_once
from mpgsam2.network.beit3 import BEiT3
from mpgsam2.network.threads import on_one_thread


def wait_policy(**environment: str) -> str:
    """What OpenMP's own report says of it in a process that imports mpgsam2 and then torch."""
    shown = subprocess.run(
        [sys.executable, "-c", "import mpgsam2, torch"],
        env={**os.environ, "OMP_DISPLAY_ENV": "true", **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return next(line.split("'")[1] for line in shown.stderr.splitlines() if "OMP_WAIT_POLICY" in line)


def test_waiting_threads_sleep_unless_the_user_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    assert wait_policy() == "PASSIVE"
    assert wait_policy(OMP_WAIT_POLICY="ACTIVE") == "ACTIVE"


def test_a_small_network_takes_one_thread_and_gives_it_back(
    model: mpgsam2.Segmenter, scene: synthetic.SyntheticClip, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, taken = torch.get_num_threads(), []
    torch.set_num_threads(2)
    fuse = BEiT3.fuse
    monkeypatch.setattr(BEiT3, "fuse", lambda *args: taken.append(torch.get_num_threads()) or fuse(*args))
    try:
        for _ in model.segment(scene.frames, "the red circle"):
            assert torch.get_num_threads() == 2
        assert taken == [1]
        monkeypatch.setattr("mpgsam2.network.model.ONE_THREAD_PARAMETERS", 0)
        list(model.segment(scene.frames, "the red circle"))
        assert taken == [1, 2]
    finally:
        torch.set_num_threads(before)


def test_closing_early_closes_what_computes() -> None:
    closed = []

    def items() -> object:
        try:
            yield from range(3)
        finally:
            closed.append(torch.get_num_threads())

    before = torch.get_num_threads()
    one = on_one_thread(items())
    assert next(one) == 0
    one.close()
    assert closed == [before] and torch.get_num_threads() == before


def test_what_runs_ahead_comes_in_order_and_no_further_than_asked_for() -> None:
    made: list[int] = []

    def items() -> Generator[int]:
        for number in range(20):
            assert torch.is_inference_mode_enabled() and torch.get_num_threads() == 1
            made.append(number)
            yield number

    assert list(ahead(items(), 3)) == list(range(20))
    made.clear()
    some = ahead(items(), 3)
    assert [next(some), next(some)] == [0, 1]
    some.close()
    assert len(made) <= 1 + 3 + 1


def test_what_fails_ahead_fails_in_its_turn() -> None:
    def items() -> Generator[int]:
        yield 0
        raise ValueError("no more")

    some = ahead(items(), 3)
    assert next(some) == 0
    with pytest.raises(ValueError, match="no more"):
        next(some)


def test_what_concerns_an_item_is_done_in_its_turn() -> None:
    """Also where the second one is made first."""
    second_made, done = threading.Event(), []

    def make(number: int) -> int:
        assert torch.is_inference_mode_enabled() and torch.get_num_threads() == 1
        if number == 0:
            assert second_made.wait(60)
        for part in "ab":
            in_turn(partial(done.append, (number, part)))
        if number == 1:
            second_made.set()
        return number

    made = two_at_once(make, range(5))
    assert next(made) == 0 and done == [(0, "a"), (0, "b")]
    assert list(made) == [1, 2, 3, 4] and done == [(number, part) for number in range(5) for part in "ab"]
    in_turn(partial(done.append, "at once"))
    assert done[-1] == "at once"


def test_a_process_ends_whether_or_not_what_runs_ahead_was_closed() -> None:
    left = "from itertools import count; from mpgsam2.network.ahead import ahead; next(ahead((x for x in count()), 2))"
    held = left.replace("next(", "some = ", 1).removesuffix(")") + "; next(some)"
    for code in (left, held):
        subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
