"""Which models answer: what can be loaded does, and what cannot keeps no page from opening."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable

import pytest
import torch

from mpgsam2 import InputError, Segmenter, load_model
from mpgsam2.checkpoint.source import HubUnreachable
from mpgsam2.demo import build_demo
from mpgsam2.demo import models as loading
from mpgsam2.demo.header import device_in_words, head_html
from mpgsam2.demo.models import load_models
from mpgsam2.network.dtype import choose_dtype

PUBLISHED = ["large-ytvos", "large-mevis", "tiny-ytvos", "tiny-mevis"]
DOWN = InputError("The repository could not be downloaded: check the connection <now>.")

Answers = Callable[..., list[str]]


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Answers:
    """Makes some names fail with an error; others are answered with nano. Returns the list of the names asked for."""

    def arrange(**errors: Exception) -> list[str]:
        asked = []

        def load(name: str, device: str, dtype: torch.dtype) -> Segmenter:
            asked.append(name)
            if error := errors.get(name.replace("-", "_")):
                raise error
            net = load_model("nano", "cpu", dtype)
            net.name = name
            return net

        monkeypatch.setattr(loading, "load_model", load)
        monkeypatch.setattr("torch.cuda.get_device_capability", lambda device: (9, 0))
        monkeypatch.setattr("torch.cuda.is_available", lambda: True)
        return asked

    return arrange


def test_published_checkpoints_come_first_where_there_is_a_gpu_and_nothing_is_downloaded_elsewhere(
    answer: Answers,
) -> None:
    asked = answer()
    models = load_models(None, "cuda")
    assert asked == [model.name for model in models.loaded] == [*PUBLISHED, "nano"] and not models.left_out
    assert {model.dtype for model in models.loaded} == {torch.bfloat16}
    asked.clear()
    (nano,) = load_models("", "cpu").loaded
    assert asked == ["nano"] and nano.dtype == torch.float32
    assert [model.name for model in load_models(" tiny-mevis, nano,tiny-mevis", "cpu").loaded] == ["tiny-mevis", "nano"]


def test_of_two_models_of_one_name_neither_takes_the_others_place(
    model: Segmenter, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = "There are two models named nano: rename the folder or file of one of them."
    with pytest.raises(InputError, match=told):
        build_demo([model, copy.copy(model)])
    monkeypatch.setattr(loading, "load_model", lambda *_: copy.copy(model))  # as where two folders have one name
    models = load_models("a/nano,b/nano", "cpu")
    assert len(models.loaded) == 1 and models.left_out == {"b/nano": told}


def test_what_cannot_be_loaded_is_left_out_with_its_sentence(answer: Answers, caplog: pytest.LogCaptureFixture) -> None:
    errors = {
        "large_ytvos": InputError("The repository holds no such checkpoint."),
        "large_mevis": torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 3.4 GiB"),
        "tiny_ytvos": RuntimeError("/srv/secret went wrong"),
    }
    answer(**errors)
    with caplog.at_level(logging.WARNING):
        models = load_models(None, "cuda")
    assert [model.name for model in models.loaded] == ["tiny-mevis", "nano"]
    assert models.left_out == {
        "large-ytvos": "The repository holds no such checkpoint.",
        "large-mevis": "There is not enough memory here for it.",
        "tiny-ytvos": "It could not be loaded, for a reason that stands in the log.",
    }
    for name, sentence in models.left_out.items():
        assert f"{name} is left out: {sentence}" in caplog.text
    assert "/srv/secret went wrong" in caplog.text


def test_a_hub_that_is_down_is_asked_once(answer: Answers) -> None:
    asked = answer(large_ytvos=HubUnreachable(str(DOWN)))
    models = load_models(None, "cuda")
    assert [model.name for model in models.loaded] == ["nano"] and asked == ["large-ytvos", "nano"]
    assert models.left_out == dict.fromkeys(PUBLISHED, str(DOWN))
    assert "large-ytvos, large-mevis, tiny-ytvos, tiny-mevis</b><span>" in head_html(models.loaded, models.left_out)
    assert "connection &lt;now&gt;." in head_html(models.loaded, models.left_out)


def test_nano_answers_where_nothing_else_does(answer: Answers) -> None:
    answer(large_mevis=DOWN)
    models = load_models("large-mevis", "cpu")
    assert [model.name for model in models.loaded] == ["nano"] and models.left_out == {"large-mevis": str(DOWN)}
    answer(nano=DOWN)
    with pytest.raises(InputError, match="could not be downloaded"):
        load_models("nano", "cpu")


def test_the_page_says_what_runs(model: Segmenter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.get_device_name", lambda device: "NVIDIA H200 MIG 3g.71gb")
    monkeypatch.setattr(Segmenter, "device", torch.device("cuda"))
    told = {}
    for name in ("large-ytvos", "tiny-mevis", "nano", "<my> net"):
        monkeypatch.setattr(model, "name", name)
        told[name] = head_html([model, model], {})
    assert "Running here <b>MPG-SAM 2 large, trained on Ref-YouTube-VOS, on an H200</b>" in told["large-ytvos"]
    assert "Also here <b>MPG-SAM 2 large, trained" in told["large-ytvos"]
    assert "<b>MPG-SAM 2 tiny, trained on MeViS, on an H200</b><span>Everyday clips" in told["tiny-mevis"]
    assert "<b>MPG-SAM 2 nano, trained on synthetic clips, on an H200</b>" in told["nano"]
    assert "<b>MPG-SAM 2 &lt;my&gt; net, on an H200</b><span>A checkpoint of your own." in told["<my> net"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("NVIDIA H200", "an H200"),
        ("NVIDIA A100-SXM4-80GB", "an A100"),
        ("NVIDIA A10G", "an A10G"),
        ("NVIDIA L40S", "an L40S"),
        ("Tesla T4", "a T4"),
        ("NVIDIA GeForce RTX 4090", "an RTX 4090"),
        ("NVIDIA RTX PRO 6000 Blackwell Server Edition", "an RTX PRO 6000"),
        ("NVIDIA H100 80GB HBM3", "an H100"),
    ],
)
def test_devices_in_words(monkeypatch: pytest.MonkeyPatch, name: str, words: str) -> None:
    monkeypatch.setattr("torch.cuda.get_device_name", lambda device: name)
    assert device_in_words(torch.device("cuda")) == words
    assert device_in_words(torch.device("cpu")) == "the CPU"


@pytest.mark.parametrize(
    ("device", "capability", "dtype"),
    [
        ("cpu", (9, 0), torch.float32),
        ("cuda", (9, 0), torch.bfloat16),
        ("cuda:0", (8, 0), torch.bfloat16),
        ("cuda", (7, 5), torch.float32),
    ],
)
def test_auto_is_what_suits_the_device(
    monkeypatch: pytest.MonkeyPatch, device: str, capability: tuple[int, int], dtype: torch.dtype
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.get_device_capability", lambda device: capability)
    assert choose_dtype("auto", device) == dtype
    assert choose_dtype("float32", device) == torch.float32 and choose_dtype("bfloat16", device) == torch.bfloat16
