"""bfloat16 is used where the time goes, and nothing that decides is computed in it."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch

import mpgsam2
from mpgsam2.metrics import region_similarity
from mpgsam2.nano import synthetic
from mpgsam2.video import open_clip

EXAMPLES = Path(__file__).parents[1] / "examples"
CLIPS = {"appearance": "the blue star", "relation": "the animal above the elephant"}
FRAMES = 18


@pytest.mark.parametrize("name", CLIPS)
def test_answers_are_those_of_float32(model: mpgsam2.Segmenter, name: str) -> None:
    frames = list(islice(open_clip(EXAMPLES / f"{name}.mp4"), FRAMES))
    ids = model.tokenizer.encode(CLIPS[name])
    context = model.encode_clip(frames, ids)
    exact = list(model.track(frames, context))
    faster = model.configured(dtype=torch.bfloat16)
    rounded_context = faster.encode_clip(frames, ids)
    rounded = list(faster.track(frames, rounded_context))

    assert all(map(torch.equal, rounded_context, context))  # the prior among them
    assert any(not torch.equal(a.iou, b.iou) for a, b in zip(exact, rounded, strict=True))  # it was used at all
    masks, truths = (np.stack([(x.low_res_logits > 0).numpy() for x in outputs]) for outputs in (rounded, exact))
    overlaps = region_similarity(masks, truths)
    assert truths.any() and overlaps.mean() >= 0.998 and overlaps.min() >= 0.95  # of some 80 places, one is 0.012
    for ours, theirs in zip(rounded, exact, strict=True):
        leaders = theirs.iou.topk(2).values
        assert ours.iou.argmax() == theirs.iou.argmax() or leaders[0] - leaders[1] < 1e-4
        assert (ours.iou - theirs.iou).abs().max() < 0.01


def test_only_image_encoder_and_memory_attention_are_rounded(
    model: mpgsam2.Segmenter, scene: synthetic.SyntheticClip
) -> None:
    seen: dict[str, set[torch.dtype]] = {}

    def watch(name: str) -> None:
        part = model.network.get_submodule(name)
        hooks.append(part.register_forward_hook(lambda layer, given, out: seen.setdefault(name, set()).add(out.dtype)))

    tracker, hooks = "visual_model.", []
    rounded = [
        "image_encoder.trunk.blocks.0.attn.qkv",
        "memory_attention.layers.0.cross_attn_image.q_proj",
        "memory_attention.layers.0.linear1",
    ]
    exact = [
        "sam_mask_decoder.iou_prediction_head.layers.0",
        "sam_mask_decoder.pred_obj_score_head.layers.0",
        "sam_mask_decoder.vtlfusion_module.linear1",
        "memory_encoder.out_proj",
        "obj_ptr_proj",
    ]
    others = ["mm_extractor.beit3.encoder.layers.0.ffn.A.fc1", "visual_ifi.linear1", "mask_product"]
    for name in [tracker + part for part in rounded + exact] + others:
        watch(name)
    try:
        list(model.configured(dtype=torch.bfloat16).segment(scene.frames, "the red circle"))
    finally:
        for hook in hooks:
            hook.remove()
    assert {name: seen[tracker + name] for name in rounded} == {name: {torch.bfloat16} for name in rounded}
    assert {name: seen[tracker + name] for name in exact} == {name: {torch.float32} for name in exact}
    assert {name: seen[name] for name in others} == {name: {torch.float32} for name in others}
