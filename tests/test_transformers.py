"""The network through transformers' own classes: the same files, the same weights, the same hub."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from fake_hub import run_with_hub, serve
from transformers import AutoConfig, AutoModel

import mpgsam2
from mpgsam2 import MPGSAM2Config, MPGSAM2Model
from mpgsam2.inference.config import InferenceConfig
from mpgsam2.network.config import NANO, TINY

NANO_FOLDER = Path(mpgsam2.__file__).parents[1] / "assets" / "nano"


def assert_same(a: torch.nn.Module | mpgsam2.Segmenter, b: mpgsam2.Segmenter) -> None:
    ours, theirs = a.state_dict(), b.state_dict()
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_auto_model_loads_what_load_model_loads(model, tmp_path):
    net = AutoModel.from_pretrained(NANO_FOLDER)
    assert isinstance(net, MPGSAM2Model) and not net.training
    assert_same(net, model)
    assert net.config.sizes == model.config and net.config.inference(torch.float32) == model.inference
    frames = [np.full((40, 60, 3), 90, np.uint8)] * 2
    for ours, theirs in zip(net.segment(frames, "a circle"), model.segment(frames, "a circle"), strict=True):
        assert np.array_equal(ours.probability, theirs.probability)

    net.config.window = 5
    net.save_pretrained(tmp_path / "saved")
    assert sorted(p.name for p in (tmp_path / "saved").iterdir()) == [
        "config.json",
        "model.safetensors",
        "vocabulary.json",
    ]
    for again in (
        mpgsam2.load_model(tmp_path / "saved"),
        AutoModel.from_pretrained(tmp_path / "saved"),
        MPGSAM2Model.from_pretrained(str(tmp_path), subfolder="saved", dtype="bfloat16"),
    ):
        assert_same(again, model)
        asked = again if isinstance(again, mpgsam2.Segmenter) else again.segmenter
        assert asked.window == 5 and asked.interleaved == model.interleaved
    assert again.dtype == torch.bfloat16 and again.mask_product.weight.dtype == torch.float32


def test_options_of_from_pretrained(tmp_path):
    assert AutoModel.from_pretrained(NANO_FOLDER, window=3).config.window == 3
    assert AutoModel.from_pretrained(NANO_FOLDER, config=AutoConfig.from_pretrained(NANO_FOLDER)).config.interleaved
    for options in ({"load_in_8bit": True}, {"attn_implementation": "eager", "output_loading_info": True}):
        with pytest.raises(mpgsam2.InputError, match=f"cannot be loaded with {', '.join(sorted(options))}"):
            MPGSAM2Model.from_pretrained(NANO_FOLDER, **options)
    with pytest.raises(mpgsam2.InputError, match="does not fit the network"):
        MPGSAM2Model.from_pretrained(NANO_FOLDER, config=MPGSAM2Config(**TINY.to_dict()))


def test_another_programs_settings(model, tmp_path):
    """As a published folder has them; `AutoModel` needs to be told the class, the sizes are read off the tensors."""
    model.name = "nano"
    MPGSAM2Model.from_pretrained(NANO_FOLDER).save_pretrained(tmp_path / "mevis")
    (tmp_path / "mevis" / "config.json").write_text(json.dumps({"model_type": "another", "hidden_size": 1024}))
    net = MPGSAM2Model.from_pretrained(tmp_path / "mevis")
    assert_same(net, model)
    assert net.segmenter.window == net.config.window == 24


def test_settings_are_written_whole(tmp_path):
    config = MPGSAM2Config(**TINY.to_dict(), window=24, architectures=["MPGSAM2Model"])
    config.save_pretrained(tmp_path)
    written = json.loads((tmp_path / "config.json").read_text())
    assert written["model_type"] == "mpgsam2" and written["window"] == 24
    read = AutoConfig.from_pretrained(tmp_path)
    assert isinstance(read, MPGSAM2Config)
    assert read.sizes == TINY and read.inference(torch.float32) == InferenceConfig(24)
    for part in ("encoder", "prior", "tracker"):
        assert written[part] == json.loads(json.dumps(TINY.to_dict()))[part]
    with pytest.raises(mpgsam2.InputError, match="does not describe this network"):
        MPGSAM2Config(encoder={"depth": 3, "surprise": 1})


def test_a_network_without_weights():
    net = AutoModel.from_config(MPGSAM2Config(**NANO.to_dict(), window=4, interleaved=True))
    assert isinstance(net, MPGSAM2Model) and (net.config.window, net.config.interleaved) == (4, True)
    with pytest.raises(mpgsam2.InputError, match="no tokenizer: load it with from_pretrained"):
        net.segment([], "a circle")


def test_importing_the_package_imports_neither_torch_nor_transformers():
    """Nor does anything here import torchvision, which transformers' own model class would."""
    script = """
import sys
import mpgsam2
assert not {"torch", "transformers"} & set(sys.modules)
mpgsam2.load_model
assert "transformers" not in sys.modules
mpgsam2.MPGSAM2Model.from_pretrained(sys.argv[1])
assert not {"torchvision", "timm"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", script, NANO_FOLDER], check=True, timeout=300)


PUSH = """
import json, sys
from mpgsam2 import MPGSAM2Model, load_model
from transformers import AutoConfig, AutoModel
MPGSAM2Model.from_pretrained(sys.argv[1]).push_to_hub("someone/mine", private=True)
net = AutoModel.from_pretrained("someone/mine")
again = load_model("someone/mine")
same = all((a == b).all() for a, b in zip(net.state_dict().values(), again.state_dict().values(), strict=True))
windows = [net.config.window, again.window, AutoConfig.from_pretrained("someone/mine").window]
print(json.dumps([bool(same), *windows, again.name]))
"""


def test_push_to_hub_and_back(tmp_path, model):
    root = tmp_path / "hub"
    with serve(root) as (address, _):
        pushed, _ = run_with_hub(PUSH, str(NANO_FOLDER), home=tmp_path, endpoint=address, HF_TOKEN="hf_none")
    assert pushed == [True, model.window, model.window, model.window, "someone/mine"]
    assert {"config.json", "model.safetensors", "vocabulary.json"} <= {
        p.name for p in (root / "someone/mine").iterdir()
    }
