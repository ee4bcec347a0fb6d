"""The network computes what the published implementation computed, on weights made by rule (network.md 9)."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from mpgsam2.network.config import PRESETS
from mpgsam2.network.images import normalise, resize
from mpgsam2.network.model import MPGSAM2
from mpgsam2.speed import weights_by_rule

ARRAYS = Path(__file__).parent / "parity"
SIZES = ["tiny", pytest.param("large", marks=pytest.mark.large)]


def largest(difference: np.ndarray) -> float:
    return float(np.abs(difference).max())


@pytest.mark.parametrize("size", SIZES)
def test_parity(size: str) -> None:
    truth = np.load(ARRAYS / f"{size}.npz")
    shapes = json.loads((ARRAYS / f"{size}.keys.json").read_text())
    net = MPGSAM2.from_state_dict(weights_by_rule(shapes, int(truth["seed"]), float(truth["obj_bias"])))
    frames = list(truth["frames"])

    assert net.config == PRESETS[size]
    assert {name: list(tensor.shape) for name, tensor in net.state_dict().items()} == shapes

    small = normalise(torch.stack([resize(frame, 224) for frame in frames]))
    assert largest(small.numpy()[:, :, ::4, ::4] - truth["beit_input_sub"]) <= 1e-6

    context = net.encode_clip(frames, torch.from_numpy(truth["input_ids"]))
    assert largest(context.prior.numpy() - truth["prior"]) <= 1e-5
    assert largest(context.sparse_prompts.numpy() - truth["sparse_prompt"]) <= 1e-4
    assert largest(context.text_features.numpy() - truth["text_feat"]) <= 1e-4
    visual = context.global_context.numpy().reshape(1, len(frames), 196, 256)[..., ::8]
    assert largest(visual - truth["visual_feat"]) <= 1e-4

    outputs = list(net.track(frames, context))
    assert len(outputs) == len(frames)
    for t, output in enumerate(outputs):
        difference = output.low_res_logits.numpy() - truth["low_res_masks"][t]
        assert np.abs(difference).mean() <= 1e-4 and largest(difference) <= 2e-3
        assert largest(output.object_pointer.numpy() - truth["obj_ptr"][t]) <= 2e-4
        assert largest(output.iou.numpy() - truth["iou"][t]) <= 1e-4
        assert largest(output.object_score_logit.numpy() - truth["object_score"][t]) <= 1e-3
        # Memories are stored in bfloat16: where float32's rounding tips one over, it differs by a whole 1/256.
        conditioned = output.memory_conditioned_features.numpy()[::16, ::4, ::4] - truth["mem_feat"][t]
        assert np.abs(conditioned).mean() <= 1e-4 and largest(conditioned) <= 1e-2
        size_px = (net.config.tracker.image_size,) * 2
        logits = torch.nn.functional.interpolate(output.low_res_logits[None, None], size_px, mode="bilinear")
        ours, theirs = logits[0, 0, ::8, ::8].numpy() > 0, truth["pred_masks_sub"][t] > 0
        assert theirs.any() and (ours & theirs).sum() / (ours | theirs).sum() >= 0.9995
