"""The published checkpoints are found in whatever way their repository is laid out; nobody here has seen it."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from urllib.parse import unquote

import pytest
from fake_hub import run_with_hub, serve

from mpgsam2.checkpoint.names import is_weights

LARGE, TINY = (
    919,
    275,
)  # million parameters of the two networks; files that are not looked into are a millionth as large


def claim(parameters: float, dtype: str = "F32") -> bytes:
    """The header of a safetensors file with that many million parameters, which is all that is read of it."""
    count = round(parameters * 1e6)
    entry = {"dtype": dtype, "shape": [count], "data_offsets": [0, count * (4 if dtype == "F32" else 2)]}
    header = json.dumps({"weight": entry}).encode()
    return struct.pack("<Q", len(header)) + header


def bytes_of(parameters: float) -> bytes:
    return b"0" * round(parameters * 4)


def folders(names: dict[str, float], file: str = "model.safetensors", content: Callable = claim) -> dict[str, bytes]:
    return {f"{name}/{file}": content(size) for name, size in names.items()}


SPM = {"beit3.spm": b"vocabulary"}
NONE = "no such checkpoint"

# Name → (files, {short name → the weights that it means, or a part of the sentence}, the vocabulary's folder).
LAYOUTS: dict[str, tuple[dict[str, bytes], dict[str, str], str]] = {
    "large-ones-say-nothing": (
        folders({"ytvos": LARGE, "mevis": LARGE, "tiny_ytvos": TINY, "tiny_mevis": TINY}) | SPM,
        {
            "large-ytvos": "ytvos/model.safetensors",
            "large-mevis": "mevis/model.safetensors",
            "tiny-ytvos": "tiny_ytvos/model.safetensors",
            "tiny-mevis": "tiny_mevis/model.safetensors",
        },
        "",
    ),
    "large-ones-say-nothing-and-sizes-are-odd": (
        folders({"MPG-SAM2/Ref-YouTube-VOS": 5, "MPG-SAM2/MeViS": 5, "MPG-SAM2-tiny/MeViS": 5}) | SPM,
        {
            "large-ytvos": "MPG-SAM2/Ref-YouTube-VOS/model.safetensors",
            "large-mevis": "MPG-SAM2/MeViS/model.safetensors",
            "tiny-ytvos": NONE,
            "tiny-mevis": "MPG-SAM2-tiny/MeViS/model.safetensors",
        },
        "",
    ),
    "flat-files": (
        {f"weights/mpgsam2_{name}.pth": b"0" for name in ("large_ytvos", "large_mevis", "base_ytvos", "base_mevis")}
        | {"weights/sentencepiece.bpe.model": b"vocabulary"},
        {
            "large-ytvos": "weights/mpgsam2_large_ytvos.pth",
            "tiny-mevis": "weights/mpgsam2_base_mevis.pth",
        },
        "weights",
    ),
    "sizes-of-files-tell": (
        {"ytvos_1.bin": bytes_of(TINY), "ytvos_2.bin": bytes_of(LARGE), "mevis_1.bin": bytes_of(LARGE)} | SPM,
        {
            "large-ytvos": "ytvos_2.bin",
            "tiny-ytvos": "ytvos_1.bin",
            "large-mevis": "mevis_1.bin",
            "tiny-mevis": NONE,
        },
        "",
    ),
    "headers-tell-where-files-are-of-one-size": (
        {
            "a/ytvos.safetensors": claim(LARGE, "F16") + bytes_of(100),
            "b/ytvos.safetensors": claim(TINY, "F32") + bytes_of(100),
            "mevis/model-00001-of-00002.safetensors": claim(LARGE / 2),
            "mevis/model-00002-of-00002.safetensors": claim(LARGE / 2),
            "mevis/model.safetensors.index.json": b"{}",
        }
        | SPM,
        {
            "large-ytvos": "a/ytvos.safetensors",
            "tiny-ytvos": "b/ytvos.safetensors",
            "large-mevis": "mevis/model.safetensors.index.json",
            "tiny-mevis": NONE,
        },
        "",
    ),
    "one-alone": (
        {"ytvos/model.safetensors": claim(TINY)} | SPM,
        {"tiny-ytvos": "ytvos/model.safetensors", "large-ytvos": NONE, "large-mevis": NONE},
        "",
    ),
    "upper-case": (
        {f"MPGSAM2_{name}.PTH": b"0" for name in ("LARGE_YTVOS", "LARGE_MEVIS", "TINY_YTVOS")} | {"BEIT3.SPM": b"0"},
        {"large-ytvos": "MPGSAM2_LARGE_YTVOS.PTH", "tiny-ytvos": "MPGSAM2_TINY_YTVOS.PTH", "tiny-mevis": NONE},
        "",
    ),
    "abbreviations": (
        folders({"L/yt-vos": 1, "L/me_vis": 1, "T/refyt": 1, "b-ytb": 1}, "pytorch_model.bin")
        | {"b-ytb/pytorch_model.bin.index.json": b"{}", "L/tokenizer.json": b"0"},
        {"large-ytvos": "L/yt-vos/pytorch_model.bin", "large-mevis": "L/me_vis/pytorch_model.bin"},
        "L",
    ),
    "more-abbreviations": (
        folders({"mpg_l_ryvos": 1, "mpg_l_mev": 1, "mpg_b_yvos": 1, "mpg_b_mev": 1}, "pytorch_model.bin") | SPM,
        {
            "large-ytvos": "mpg_l_ryvos/pytorch_model.bin",
            "large-mevis": "mpg_l_mev/pytorch_model.bin",
            "tiny-ytvos": "mpg_b_yvos/pytorch_model.bin",
            "tiny-mevis": "mpg_b_mev/pytorch_model.bin",
        },
        "",
    ),
    "of-a-trainer": (
        {
            "mevis_large/ckpt/latest": b"global_step300",
            "mevis_large/ckpt/global_step300/mp_rank_00_model_states.pt": b"0",
            "mevis_large/ckpt/global_step300/zero_pp_rank_0_mp_rank_00_optim_states.pt": b"0",
            "mevis_large/ckpt/training_args.bin": b"0",
            "ytvos_large/checkpoint-9000/pytorch_model.bin": b"0",
            "ytvos_large/checkpoint-9000/optimizer.pt": b"0",
            "ytvos_large/checkpoint-9000/scheduler.pt": b"0",
            "ytvos_large/checkpoint-9000/rng_state_0.pth": b"0",
            "ytvos_large/checkpoint-9000/beit3.spm": b"0",
        },
        {
            "large-mevis": "mevis_large/ckpt/global_step300/mp_rank_00_model_states.pt",
            "large-ytvos": "ytvos_large/checkpoint-9000/pytorch_model.bin",
            "tiny-ytvos": NONE,
        },
        "ytvos_large/checkpoint-9000",
    ),
    "start-weights-beside": (
        {
            "ytvos.safetensors": claim(LARGE),
            "tiny/ytvos.safetensors": claim(TINY),
            "beit3_large_patch16_224.pth": bytes_of(LARGE),
            "tiny/beit3_base_patch16_224.pth": bytes_of(TINY),
            "sam2_hiera_large.pt": bytes_of(224),
            "start/sam2_hiera_tiny.pt": bytes_of(39),
            "start/beit3.spm": b"0",
        },
        {"large-ytvos": "ytvos.safetensors", "tiny-ytvos": "tiny/ytvos.safetensors", "large-mevis": NONE},
        "start",
    ),
    "old-ones-further-down": (
        folders({"ytvos/large": LARGE, "old/v1/ytvos/large": LARGE, "ytvos/large/epoch-3": LARGE}) | SPM,
        {"large-ytvos": "ytvos/large/model.safetensors"},
        "",
    ),
    "the-same-in-two-formats": (
        {"ytvos-large.safetensors": claim(LARGE), "ytvos-large.bin": b"0", "ytvos-large.pth": b"0"}
        | {"mevis-large/model.safetensors": claim(LARGE), "mevis-large/pytorch_model.bin": b"0"}
        | SPM,
        {"large-ytvos": "ytvos-large.safetensors", "large-mevis": "mevis-large/model.safetensors"},
        "",
    ),
    "shards-without-an-index": (
        {f"large ytvos [best]/pytorch_model-0000{i}-of-00003.bin": bytes([i]) for i in (1, 2, 3)} | SPM,
        {"large-ytvos": "large ytvos [best]/pytorch_model-00001-of-00003.bin"},
        "",
    ),
    "fine-tuned-from-one-to-the-other": (
        {"large/ytvos.pth": b"0", "large/ytvos_to_mevis.pth": b"0", "large/tokenizer/beit3.spm": b"0"},
        {"large-ytvos": "large/ytvos.pth", "large-mevis": "large/ytvos_to_mevis.pth"},
        "large/tokenizer",
    ),
    "two-that-cannot-be-told-apart": (
        {"large_ytvos_a.pth": b"0", "large_ytvos_b.pth": b"0"} | SPM,
        {"large-ytvos": "more than one such checkpoint (large_ytvos_a.pth, large_ytvos_b.pth)"},
        "",
    ),
    "no-words-at-all": (
        {"one.pth": b"0", "two.pth": b"0"} | SPM,
        {"large-ytvos": f"{NONE}, but one.pth, two.pth"},
        "",
    ),
}

FIND = """
import json, sys
from mpgsam2.checkpoint import find
from mpgsam2.errors import InputError
answers = []
for repository, name in json.loads(sys.argv[1]):
    find.PUBLISHED = repository
    try:
        found = find.find(name)
        root = next(path for path in found.weights.parents if path.parent.name == "snapshots")
        answers.append([str(found.weights.relative_to(root)), str(found.vocabulary.relative_to(root))])
    except InputError as error:
        answers.append(str(error))
print(json.dumps(answers))
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[tuple[str, str], object], list[str]]:
    """What each short name means in each layout, and what the hub was asked for."""
    root, home = tmp_path_factory.mktemp("layouts"), tmp_path_factory.mktemp("home")
    for layout, (files, _, _) in LAYOUTS.items():
        for name, content in files.items():
            file = root / "layouts" / layout / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
    asked = [(layout, name) for layout, (_, meant, _) in LAYOUTS.items() for name in meant]
    with serve(root) as (address, requests):
        names = json.dumps([(f"layouts/{layout}", name) for layout, name in asked])
        answers, _ = run_with_hub(FIND, names, home=home, endpoint=address, HF_HUB_DISABLE_PROGRESS_BARS="1")
    return dict(zip(asked, answers, strict=True)), requests


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_a_short_name_means(found, layout: str) -> None:
    files, meant, vocabulary = LAYOUTS[layout]
    for name, weights in meant.items():
        answer = found[0][layout, name]
        if weights in files:
            assert answer == [weights, vocabulary or "."], name
        else:
            assert isinstance(answer, str) and weights in answer, name


def test_only_what_is_meant_is_downloaded(found) -> None:
    """Of what was not meant nothing was fetched but headers, which the client asks for by a range."""
    for layout, (files, meant, _) in LAYOUTS.items():
        start = f"GET /layouts/{layout}/resolve/"
        fetched = {unquote(r).split("/resolve/")[1].split("/", 1)[1] for r in found[1] if r.startswith(start)}
        others = {name for name in files if is_weights(name.rpartition("/")[2])} - set(meant.values())
        assert not {name for name in fetched & others if not name.endswith(".safetensors") and "-of-" not in name}


def test_all_shards_are_fetched(found) -> None:
    fetched = {request for request in found[1] if request.startswith("GET") and "shards-without" in request}
    assert sum("pytorch_model-" in request for request in fetched) == 3
