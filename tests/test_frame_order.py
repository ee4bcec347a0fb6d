"""The published prior cannot see the order of frames; nano's can (network.md 4.1: that layer knows no position)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from mpgsam2.nano import synthetic
from mpgsam2.network.config import NANO
from mpgsam2.network.model import MPGSAM2


@pytest.mark.parametrize("frame_positions", [False, True])
def test_only_frame_positions_show_the_prior_which_frame_came_first(
    frame_positions: bool, scene: synthetic.SyntheticClip
) -> None:
    torch.manual_seed(0)
    net = MPGSAM2(replace(NANO, prior=replace(NANO.prior, frame_positions=frame_positions))).eval()
    ids = [0, 5, 6, 7, 2]
    forwards = net.encode_clip(scene.frames, ids).prior
    backwards = net.encode_clip(scene.frames[::-1], ids).prior.flip(0)
    difference = float((forwards - backwards).abs().max())
    assert difference > 1e-3 if frame_positions else difference < 2e-6


def test_nano_sees_the_order(model: MPGSAM2, scene: synthetic.SyntheticClip) -> None:
    ids = model.tokenizer.encode("the thing moving to the left")
    forwards = model.encode_clip(scene.frames, ids).prior
    backwards = model.encode_clip(np.flip(scene.frames, 0).copy(), ids).prior.flip(0)
    assert float((forwards - backwards).abs().max()) > 1e-3
