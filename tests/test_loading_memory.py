"""Loading takes the weights' memory once, from whatever kind of file."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import safetensors.torch
import torch

from mpgsam2.network.config import NANO
from mpgsam2.network.initialisation import SkipInitialisation
from mpgsam2.network.model import MPGSAM2
from mpgsam2.speed import weights_by_rule

# Rises of this process's memory by loading and then reading every weight, in bytes, and the weights' size.
LOAD = """
import resource, sys
from mpgsam2 import load_model
load_model("nano")  # whatever is imported and set up but once
with open("/proc/self/clear_refs", "w") as file:
    file.write("5")  # the peak is the present from here on
def status(field):
    return next(int(line.split()[1]) * 1024 for line in open("/proc/self/status") if line.startswith(field))
before = status("VmRSS")
net = load_model(sys.argv[1])
for tensor in net.state_dict().values():
    tensor.sum()
print([status("VmHWM") - before, sum(tensor.nbytes for tensor in net.state_dict().values())])
"""


@pytest.fixture(scope="module")
def tensors() -> dict[str, torch.Tensor]:
    """About 200 MB of weights, in tensors of a few, as large as the published ones are."""
    config = replace(NANO, encoder=replace(NANO.encoder, width=512, head_width=64, depth=8, feed_forward=2048, stem=()))
    with SkipInitialisation():
        shapes = {name: tensor.shape for name, tensor in MPGSAM2(config).state_dict().items()}
    return weights_by_rule(shapes)


@pytest.mark.parametrize("kind", ["float32.safetensors", "float16.safetensors", "training.pth"])
def test_loading_takes_the_weights_memory_once(tensors, tmp_path: Path, kind: str) -> None:
    if kind == "training.pth":  # the moments of the optimizer are left where they are
        moments = {name: 2 * tensor for name, tensor in tensors.items()}
        torch.save({"model": tensors, "optimizer": moments}, tmp_path / kind)
    else:
        saved = {name: tensor.half() if "float16" in kind else tensor for name, tensor in tensors.items()}
        safetensors.torch.save_file(saved, tmp_path / kind)
    (tmp_path / "vocabulary.json").write_text('["red"]')
    run = subprocess.run(
        [sys.executable, "-c", LOAD, tmp_path / kind], capture_output=True, text=True, check=True, timeout=300
    )
    rise, size = json.loads(run.stdout)
    assert size > 150e6
    # On top of the weights comes what a portion of them is converted from; 0.5 or 1 would be the whole file.
    assert rise < 1.15 * size + (2**26 if "float16" in kind else 0)
