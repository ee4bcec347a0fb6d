"""A network can be built anywhere: no device is touched, and nothing is left behind on another one."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

import mpgsam2
from mpgsam2.network.config import PRESETS
from mpgsam2.network.model import MPGSAM2

FRAME = np.zeros((8, 8, 3), np.uint8)


@pytest.fixture
def a_gpu_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """As under ZeroGPU and on a machine whose GPU is somebody else's; whoever goes there gets an error."""
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch._C._cuda_init", lambda: pytest.fail("the GPU was touched"), raising=False)
    to = torch.Tensor.to

    def checked(tensor: torch.Tensor, *args: object, **kwargs: object) -> torch.Tensor:
        assert "cuda" not in str(args) + str(kwargs), "a tensor was sent to the GPU"
        return to(tensor, *args, **kwargs)

    monkeypatch.setattr(torch.Tensor, "to", checked)


@pytest.mark.usefixtures("a_gpu_is_seen")
def test_no_device_is_touched_while_a_network_is_built() -> None:
    for config in PRESETS.values():
        with torch.device("meta"):
            net = MPGSAM2(config)
        assert {parameter.device.type for parameter in net.parameters()} == {"meta"}
    net = MPGSAM2(PRESETS["nano"])
    for each in (net, copy.deepcopy(net)):
        assert {tensor.device.type for tensor in (*each.parameters(), *each.buffers())} == {"cpu"}


def test_a_network_without_memory_computes_shapes_and_can_be_given_its_weights(model: mpgsam2.Segmenter) -> None:
    with torch.device("meta"):
        net = MPGSAM2(model.config).eval()
    ids = model.tokenizer.encode("the red circle")
    context = net.encode_clip([FRAME] * 2, ids)
    grid = model.config.encoder.grid
    assert context.prior.shape[-2:] == (grid, grid) and context.prior.device.type == "meta"
    assert len(list(net.track([FRAME] * 2, context))) == 2

    with torch.device("meta"):
        net = MPGSAM2(model.config).eval()
    net.load_state_dict(model.state_dict(), assign=True)
    for ours, theirs in zip(
        net.track([FRAME] * 3, net.encode_clip([FRAME] * 3, ids)),
        model.track([FRAME] * 3, model.encode_clip([FRAME] * 3, ids)),
        strict=True,
    ):
        assert torch.equal(ours.low_res_logits, theirs.low_res_logits)


def test_a_copy_answers_as_the_first_one_does_and_the_checkpoint_holds_no_more_than_before(
    model: mpgsam2.Segmenter,
) -> None:
    twin = copy.deepcopy(model)
    frames = np.random.default_rng(0).integers(0, 256, (3, 40, 50, 3), np.uint8)
    for ours, theirs in zip(twin.segment(frames, "a star"), model.segment(frames, "a star"), strict=True):
        # Where a tensor begins in memory decides how products are summed, so the last bits may differ.
        assert np.allclose(ours.probability, theirs.probability, atol=1e-5)
        assert np.array_equal(ours.mask, theirs.mask)
    assert not any("freqs_cis" in name for name in model.state_dict())


def test_a_network_that_has_answered_can_still_learn(model: mpgsam2.Segmenter) -> None:
    """What inference leaves in a layer must be of use to autograd, too."""
    layer = copy.deepcopy(model.network.visual_model.memory_attention.layers[0].self_attn)
    width = layer.embedding_dim
    with torch.inference_mode():
        for places in (256, 64, 256):  # other sizes make the table anew
            layer(*[torch.zeros(1, places, width)] * 3)
    x = torch.randn(1, 256, width, requires_grad=True)
    layer(x, x.detach(), x).sum().backward()
    assert x.grad is not None
