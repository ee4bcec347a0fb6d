"""Torch's threads leave room for others, and nobody else's setting is changed."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import torch

import mpgsam2
from mpgsam2.nano import synthetic
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
    model: mpgsam2.Segmenter, scene: synthetic.Clip, monkeypatch: pytest.MonkeyPatch
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
