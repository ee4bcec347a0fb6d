"""Names → networks: folders, files and a fake hub that are made here, and every way in which they can be wrong."""

from __future__ import annotations

import argparse
import functools
import json
import os
import socket
import subprocess
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import sentencepiece
import torch
from fake_hub import run_with_hub, serve

from mpgsam2 import checkpoint
from mpgsam2.checkpoint import load_model, save_checkpoint
from mpgsam2.checkpoint.tokenizer import WordTokenizer
from mpgsam2.errors import InputError
from mpgsam2.inference.config import InferenceConfig
from mpgsam2.inference.segmenter import Segmenter
from mpgsam2.network.config import NANO
from mpgsam2.network.model import MPGSAM2

WORDS = ["the", "red", "circle"]
VOCABULARY = json.dumps(WORDS)
A_TENSOR = "visual_ifi.linear1.weight"


@pytest.fixture(scope="module")
def net() -> Segmenter:
    torch.manual_seed(0)
    return Segmenter(MPGSAM2(NANO), WordTokenizer(WORDS), inference=InferenceConfig(window=24))


@pytest.fixture
def tensors(net: Segmenter) -> dict[str, torch.Tensor]:
    return dict(net.state_dict())


def assert_same(net: Segmenter, tensors: dict[str, torch.Tensor], tolerance: float = 0.0) -> None:
    loaded = net.state_dict()
    assert loaded.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert loaded[name].dtype == torch.float32
        torch.testing.assert_close(loaded[name], tensor, rtol=tolerance, atol=tolerance, msg=name)


def sharded(folder: Path, tensors: dict[str, torch.Tensor], kind: str) -> None:
    """Two shards and their index, as `save_pretrained` names them."""
    stem, suffix = ("model", ".safetensors") if kind == "safetensors" else ("pytorch_model", ".bin")
    names = sorted(tensors)
    weight_map = {}
    for i, part in enumerate((names[::2], names[1::2]), 1):
        shard = f"{stem}-{i:05}-of-00002{suffix}"
        write(folder / shard, {name: tensors[name] for name in part})
        weight_map |= dict.fromkeys(part, shard)
    (folder / f"{stem}{suffix}.index.json").write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))


def write(path: Path, tensors: dict[str, torch.Tensor]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".safetensors":
        safetensors.torch.save_file(tensors, path)
    else:
        torch.save(tensors, path)


# What loads


@pytest.mark.parametrize(
    ("dtype", "megabytes", "tolerance"), [(torch.float32, 18, 0.0), (torch.float16, 9, 2e-3), (torch.bfloat16, 9, 2e-2)]
)
def test_what_is_saved_loads_again(net, tensors, tmp_path, dtype, megabytes, tolerance):
    save_checkpoint(net, tmp_path / "mine", dtype=dtype)
    assert (tmp_path / "mine" / "model.safetensors").stat().st_size < megabytes * 1e6
    loaded = load_model(tmp_path / "mine")
    assert_same(loaded, tensors, tolerance)
    assert loaded.name == "mine" and loaded.window == 24 and loaded.config == NANO and not loaded.network.training
    assert loaded.tokenizer.encode("the red circle") == [0, 4, 5, 6, 2]
    assert not loaded.interleaved
    # Saving over it leaves nothing but the files' newest versions.
    save_checkpoint(loaded.configured(window=None, interleaved=True), tmp_path / "mine")
    assert sorted(path.name for path in (tmp_path / "mine").iterdir()) == [
        "config.json",
        "model.safetensors",
        "vocabulary.json",
    ]
    again = load_model(str(tmp_path / "mine"))
    assert again.window is None and again.interleaved


@pytest.mark.parametrize("kind", ["safetensors", "bin"])
def test_a_sharded_folder(tensors, tmp_path, kind):
    sharded(tmp_path, tensors, kind)
    (tmp_path / "vocabulary.json").write_text(VOCABULARY)
    (tmp_path / "optimizer.pt").write_bytes(b"not ours to read")
    assert_same(load_model(tmp_path), tensors)


@pytest.mark.parametrize("prefix", ["", "module.", "evf_model.", "module.evf_model."])
def test_a_file_with_the_leftovers_of_training(tensors, tmp_path, prefix):
    path = tmp_path / "run.pth"
    torch.save({prefix + name: tensor for name, tensor in tensors.items()}, path)
    (tmp_path / "vocabulary.json").write_text(VOCABULARY)
    loaded = load_model(path)
    assert_same(loaded, tensors)
    assert loaded.name == "run"


@pytest.mark.parametrize("wrapper", ["model", "module", "state_dict"])
@pytest.mark.parametrize("zipped", [True, False])
def test_a_trainers_file(tensors, tmp_path, wrapper, zipped):
    settings = argparse.Namespace(lr=1e-4, data=["ytvos"], output="out", nested=argparse.Namespace(epochs=3))
    moments = {0: {"step": torch.tensor(3.0), "exp_avg": torch.zeros(4)}}
    optimizer = {"state": moments, "param_groups": [{"lr": 1e-4, "betas": (0.9, 0.999), "params": [0]}]}
    weights = OrderedDict((f"module.evf_model.{name}", tensor) for name, tensor in tensors.items())
    content = {"epoch": 3, "args": settings, "optimizer": optimizer, wrapper: weights, "shapes": [torch.Size([2])]}
    torch.save(content, tmp_path / "checkpoint.pth", _use_new_zipfile_serialization=zipped)
    (tmp_path / "vocabulary.json").write_text(VOCABULARY)
    assert_same(load_model(tmp_path / "checkpoint.pth"), tensors)
    assert argparse.Namespace not in torch.serialization.get_safe_globals()  # allowed there and then only


def test_a_file_in_the_format_before_zip(tensors, tmp_path):
    torch.save(tensors, tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    (tmp_path / "vocabulary.json").write_text(VOCABULARY)
    assert_same(load_model(tmp_path / "old.pt"), tensors)
    # The only file of weights of a folder is the folder's.
    assert_same(load_model(tmp_path), tensors)


def test_published_folder_with_its_own_config_and_vocabulary(tensors, tmp_path):
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["a red circle", "the small blue square"] * 20),
        model_prefix=str(tmp_path / "sentencepiece.bpe"),
        vocab_size=40,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    folder = tmp_path / "MPG-SAM2-MeViS"
    write(folder / "pytorch_model.bin", tensors)
    (tmp_path / "sentencepiece.bpe.model").rename(folder / "sentencepiece.bpe.model")
    (folder / "config.json").write_text(json.dumps({"hidden_size": 128, "mm_extractor_scale": "base"}))
    loaded = load_model(folder)
    assert loaded.config == NANO  # read off the shapes
    assert loaded.window == 24  # by the folder's name
    assert 3 not in loaded.tokenizer.encode("A red circle")


@pytest.mark.parametrize(("name", "window"), [("mpg_mevis_l", 24), ("refytvos", None), ("mine", None)])
def test_the_window_follows_the_training_data(tensors, tmp_path, name, window):
    write(tmp_path / name / "model.safetensors", tensors)
    (tmp_path / name / "vocabulary.json").write_text(VOCABULARY)
    assert load_model(tmp_path / name).window == window


def test_the_network_is_not_tied_to_the_file(net, tensors, tmp_path):
    """A checkpoint may be written over while a network that was read from it is in use."""
    save_checkpoint(net, tmp_path)
    loaded = load_model(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"\0" * (tmp_path / "model.safetensors").stat().st_size)
    assert_same(loaded, tensors)


@pytest.mark.parametrize("name", ["model.safetensors", "pytorch_model.bin"])
def test_large_tensors_are_mapped_and_the_file_stays_as_it_is(tensors, tmp_path, name):
    """Training what was mapped changes the network alone, and so does saving over it."""
    wide = {"mm_extractor.beit3.text_embed.weight": torch.rand(4096, 128)}  # 2 MiB
    write(tmp_path / name, tensors | wide)
    (tmp_path / "vocabulary.json").write_text(VOCABULARY)
    before = (tmp_path / name).read_bytes()
    loaded = load_model(tmp_path)
    assert_same(loaded, tensors | wide)
    mapped = [line for line in Path("/proc/self/maps").read_text().splitlines() if line.endswith(str(tmp_path / name))]
    assert len(mapped) == 1
    table = loaded.network.beit3.text_embed.weight
    with torch.no_grad():
        table += 1
    assert (tmp_path / name).read_bytes() == before
    save_checkpoint(loaded, tmp_path)
    assert torch.equal(table, wide["mm_extractor.beit3.text_embed.weight"] + 1)
    assert torch.equal(load_model(tmp_path).network.beit3.text_embed.weight, table)


def test_building_without_first_weights_leaves_none_of_the_memory_unwritten(net, tmp_path):
    """The networks agree in what they compute, not only in their tensors: nothing hangs on a skipped initialisation."""
    save_checkpoint(net, tmp_path)
    frames = [torch.randint(0, 256, (60, 80, 3), dtype=torch.uint8).numpy() for _ in range(2)]
    net.network.eval()
    ours = [result.probability for result in net.segment(frames, "the red circle")]
    theirs = [result.probability for result in load_model(tmp_path).segment(frames, "the red circle")]
    for a, b in zip(ours, theirs, strict=True):
        assert (a == b).all()


# What is refused


def refused(name: str | Path, match: str, **kwargs) -> None:
    with pytest.raises(InputError, match=match) as raised:
        load_model(name, **kwargs)
    sentence = str(raised.value)
    assert "/tmp" not in sentence and "\n" not in sentence and sentence.endswith((".", "?"))


def test_tensors_that_do_not_fit_are_named(tensors, tmp_path):
    (tmp_path / "vocabulary.json").write_text(VOCABULARY)
    tensors.pop("visual_model.no_obj_ptr")
    tensors["prior.surprise"] = torch.zeros(1)
    tensors["mask_linear.weight"] = tensors["mask_linear.weight"][:7].clone()
    write(tmp_path / "model.safetensors", tensors)
    refused(
        tmp_path, r"1 missing.*no_obj_ptr.*1 unexpected.*prior\.surprise.*mask_linear\.weight \(7, 128\).*\(128, 128\)"
    )


def test_many_tensors_that_do_not_fit_are_counted(tensors, tmp_path):
    (tmp_path / "vocabulary.json").write_text(VOCABULARY)
    gone = [name for name in tensors if "memory_encoder" in name]
    write(tmp_path / "model.safetensors", {name: tensor for name, tensor in tensors.items() if name not in gone})
    refused(tmp_path, rf"{len(gone)} missing.*…")


class Reduced:
    """A pickle that calls something with something when it is read the ordinary way."""

    def __init__(self, function: object, *arguments: object) -> None:
        self.call = function, arguments

    def __reduce__(self):
        return self.call


class State(argparse.Namespace):
    """Not the class that is allowed, though one of its kind."""


HARMFUL = {
    "mkdir": lambda harm: Reduced(os.mkdir, harm),
    "system": lambda harm: Reduced(os.system, f"mkdir {harm}"),
    "eval": lambda harm: Reduced(eval, f"__import__('os').mkdir({harm!r})"),
    "popen": lambda harm: Reduced(subprocess.Popen, ["mkdir", harm]),
    "partial": lambda harm: functools.partial(os.mkdir, harm),
    "an attribute": lambda harm: Reduced(getattr, "a", "upper"),
    "a subclass of Namespace": lambda harm: State(lr=1),
    "in a Namespace": lambda harm: argparse.Namespace(lr=Reduced(os.mkdir, harm)),
    "a file": lambda harm: Reduced(open, harm, "w"),
    "an array": lambda harm: np.zeros(3),
    "a number of numpy's": lambda harm: np.float64(0.5),
    "a path": lambda harm: Path(harm),
    "a whole module": lambda harm: torch.nn.Linear(1, 1),
}


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("kind", HARMFUL)
def test_a_pickle_with_anything_but_tensors_and_settings_is_refused(tmp_path, kind, zipped):
    (tmp_path / "vocabulary.json").write_text(VOCABULARY)
    harm = HARMFUL[kind](str(tmp_path / "harm"))
    for content in ({"model": {"a": torch.zeros(1)}, "args": harm}, {"model": {"a": harm}}, harm):
        torch.save(content, tmp_path / "x.pt", _use_new_zipfile_serialization=zipped)
        refused(tmp_path / "x.pt", r"x\.pt was refused")
    assert not (tmp_path / "harm").exists()


@pytest.mark.parametrize(
    "content", [[1, 2], {"step": 3}, {}, {"model": {}}, {"model": [1]}, {"a": {"b": torch.zeros(1)}}]
)
def test_a_pickle_without_tensors_by_name(tmp_path, content):
    (tmp_path / "vocabulary.json").write_text(VOCABULARY)
    torch.save(content, tmp_path / "x.pt")
    refused(tmp_path / "x.pt", "tensors by name")


@pytest.mark.filterwarnings("ignore")  # torch's own, of its age
def test_a_program_of_torch_is_refused(tmp_path):
    (tmp_path / "vocabulary.json").write_text(VOCABULARY)
    torch.jit.script(torch.nn.Linear(1, 1)).save(tmp_path / "x.pt")
    refused(tmp_path / "x.pt", r"x\.pt cannot be read: it is .* of another kind")


def test_links_as_in_the_hubs_cache(tensors, tmp_path):
    """There every file is a link to one whose name is its hash."""
    write(tmp_path / "blobs" / "x.safetensors", tensors)
    (tmp_path / "blobs" / "x.safetensors").rename(tmp_path / "blobs" / "0123")
    (tmp_path / "snapshot").mkdir()
    (tmp_path / "snapshot" / "model.safetensors").symlink_to("../blobs/0123")
    (tmp_path / "snapshot" / "vocabulary.json").write_text(VOCABULARY)
    for name in ("snapshot", "snapshot/model.safetensors"):
        assert_same(load_model(tmp_path / name), tensors)


@pytest.mark.parametrize("name", ["model.safetensors", "pytorch_model.bin", "x.pth"])
@pytest.mark.parametrize("damage", ["empty", "text", "cut"])
def test_broken_files(tensors, tmp_path, name, damage):
    (tmp_path / "vocabulary.json").write_text(VOCABULARY)
    write(tmp_path / name, tensors)
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(
        {
            "empty": b"",
            "text": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
            "cut": whole[: len(whole) // 2],
        }[damage]
    )
    reason = "cannot be read: it is only Git LFS's pointer" if damage == "text" else "(cannot be read|was refused)"
    refused(tmp_path, f"{name} {reason}")


def test_incomplete_shards(tensors, tmp_path):
    (tmp_path / "vocabulary.json").write_text(VOCABULARY)
    sharded(tmp_path, tensors, "safetensors")
    (tmp_path / "model-00002-of-00002.safetensors").rename(tmp_path.parent / "outside.safetensors")
    refused(tmp_path, r"model-00002-of-00002\.safetensors is missing")
    index = tmp_path / "model.safetensors.index.json"
    # A shard's name is not a way out of the folder.
    index.write_text(json.dumps({"weight_map": {A_TENSOR: "../outside.safetensors"}}))
    refused(tmp_path, r"outside\.safetensors is missing")
    index.write_text("[]")
    refused(tmp_path, "JSON object")
    index.write_text("{}")
    refused(tmp_path, "in which files")


def test_broken_settings(net, tmp_path):
    save_checkpoint(net, tmp_path)
    config = tmp_path / "config.json"
    settings = json.loads(config.read_text())
    config.write_text(json.dumps(settings | {"window": 0}))
    refused(tmp_path, "window is 0")
    del settings["tracker"]["width"], settings["encoder"]
    config.write_text(json.dumps(settings))
    refused(tmp_path, "config.json")
    config.write_text("{")
    refused(tmp_path, "not JSON")


def test_vocabularies_that_do_not_fit(tensors, tmp_path):
    write(tmp_path / "model.safetensors", tensors)
    refused(tmp_path, "no vocabulary")
    (tmp_path / "vocabulary.json").write_text(json.dumps([f"w{i}" for i in range(NANO.encoder.vocabulary_size)]))
    refused(tmp_path, "772 tokens.*768")


@pytest.mark.parametrize("where", ["next to the weights", "further down", "one folder up", "a folder", "a file"])
def test_where_the_vocabulary_may_be(tensors, tmp_path, monkeypatch, where):
    places = {"next to the weights": "clone/large", "further down": "clone/large/text", "one folder up": "clone"}
    write(tmp_path / "clone" / "large" / "model.safetensors", tensors)
    folder = tmp_path / places.get(where, "elsewhere")
    folder.mkdir(exist_ok=True)
    (folder / "vocabulary.json").write_text(VOCABULARY)
    if where in ("a folder", "a file"):
        refused(
            tmp_path / "clone" / "large", "no vocabulary: .*beit3.spm .*MPGSAM2_VOCABULARY; .* from https://github.com/"
        )
        monkeypatch.setenv("MPGSAM2_VOCABULARY", str(folder if where == "a folder" else folder / "vocabulary.json"))
    names = ["clone/large", "clone"] + ["clone/large/model.safetensors"] * (where != "further down")
    for name in names:
        assert load_model(tmp_path / name).tokenizer.encode("red") == [0, 5, 2]


def test_a_folder_of_folders(tensors, tmp_path):
    """As it is cloned or downloaded from the hub: the only checkpoint in it is meant, else each is named."""
    write(tmp_path / "clone" / "mevis" / "base" / "model.safetensors", tensors)
    write(tmp_path / "clone" / ".cache" / "model.safetensors", tensors)
    write(tmp_path / "clone" / "beit3_base_patch16_224.pth", tensors)
    (tmp_path / "clone" / "vocabulary.json").write_text(VOCABULARY)
    assert load_model(tmp_path / "clone").window == load_model(tmp_path / "clone" / "mevis" / "base").window == 24
    write(tmp_path / "clone" / "ytvos.pth", tensors)
    refused(tmp_path / "clone", r"more than one such checkpoint \(ytvos.pth, mevis/base\)")


def test_folders_without_one_checkpoint(tensors, tmp_path):
    (tmp_path / "vocabulary.json").write_text(VOCABULARY)
    refused(tmp_path, "holds no weights")
    (tmp_path / "a.pt").touch()
    (tmp_path / "b.pt").touch()
    refused(tmp_path, r"more than one .*a\.pt, b\.pt")
    refused(tmp_path / "vocabulary.json", "not a file of weights")


@pytest.mark.parametrize(
    "name", ["huge", "", "nano.", "large_ytvos", "a b/c", "../../x/y", "/no/such/place.pt", "x" * 5000, "a\0b"]
)
def test_names_of_nothing(name):
    refused(name, "nano, large-ytvos, large-mevis, tiny-ytvos, tiny-mevis")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("runs/lagre", r"There is no lagre in the folder runs: did you mean large\?"),
        ("runs/large/best.pth", "There is no best.pth in the folder runs/large: check the path."),
        ("runs/lagre/best.pth", r"There is no lagre in the folder runs: did you mean large\?"),
        (
            "rnus/large",
            "There is no file or folder rnus/large here, and a repository of that name could not be downlo.*",
        ),
        ("rnus/best.pth", "There is no file or folder rnus/best.pth here, and .*"),
        ("./runs/lagre", "There is no model named 'lagre': .*"),
    ],
)
def test_a_mistyped_path_is_not_told_as_a_hub_that_cannot_be_reached(tmp_path, monkeypatch, name, sentence):
    (tmp_path / "runs" / "large").mkdir(parents=True)
    (tmp_path / "runs" / "other").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    refused(name, f"^{sentence}$")


def test_loading_is_logged(net, tmp_path, caplog):
    save_checkpoint(net, tmp_path / "mine")
    with caplog.at_level("INFO", logger="mpgsam2"):
        load_model(tmp_path / "mine")
    lines = [record.getMessage() for record in caplog.records]
    assert lines[0] == "mine: reading model.safetensors" and lines[-1].startswith("mine: ready, 0.0 GB of weights in ")


def test_devices_that_are_not_there(net, tmp_path):
    save_checkpoint(net, tmp_path)
    refused(tmp_path, "no device 'warp'", device="warp")
    if not torch.cuda.is_available():
        refused(tmp_path, "no device 'cuda'", device="cuda")


# The hub


def published_repository(root: Path, tensors: dict[str, torch.Tensor]) -> None:
    """One of the layouts that the published repository could have: folders and a loose file, one vocabulary for all."""
    sharded(make(root / "MPG-SAM2-L" / "Ref-YouTube-VOS"), mark(tensors, 1), "bin")
    write(root / "MPG-SAM2-L" / "MeViS" / "model.safetensors", mark(tensors, 2))
    (root / "MPG-SAM2-L" / "MeViS" / "config.json").write_text('{"hidden_size": 1024}')
    (root / "MPG-SAM2-L" / "MeViS" / "optimizer.pt").write_bytes(b"0" * 1000)
    write(root / "tiny_mevis.pth", {"module.evf_model." + k: v for k, v in mark(tensors, 3).items()})
    (root / "vocabulary.json").write_text(VOCABULARY)
    (root / "README.md").write_text("# MPG-SAM 2")


def make(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


def mark(tensors: dict[str, torch.Tensor], value: float) -> dict[str, torch.Tensor]:
    """The same tensors, told apart from others by one."""
    return tensors | {"visual_model.no_mem_embed": torch.full_like(tensors["visual_model.no_mem_embed"], value)}


ASK = """
import json, sys
from mpgsam2.checkpoint import load_model
from mpgsam2.errors import InputError
answers = {}
for name in sys.argv[1:]:
    try:
        net = load_model(name)
        value = float(net.network.visual_model.no_mem_embed.flatten()[0])
        answers[name] = [net.name, net.window, value, net.tokenizer.encode("red")]
    except InputError as error:
        answers[name] = str(error)
print(json.dumps(answers))
"""


def ask(home: Path, endpoint: str, *names: str, offline: bool = False) -> tuple[dict[str, object], str]:
    """Load by name in another process; its stderr, too."""
    return run_with_hub(ASK, *names, home=home, endpoint=endpoint, HF_HUB_OFFLINE=str(int(offline)))


@pytest.fixture(scope="module")
def hub(net: Segmenter, tmp_path_factory: pytest.TempPathFactory):
    """A hub on this machine; yields its address, its requests and a folder for downloads."""
    root = tmp_path_factory.mktemp("hub")
    tensors = dict(net.state_dict())
    published_repository(root / checkpoint.PUBLISHED, tensors)
    save_checkpoint(net.configured(window=None), root / "someone" / "single")
    save_checkpoint(net, root / "someone" / "deep" / "runs" / "best")
    save_checkpoint(net, root / "gated" / "model")
    make(root / "someone" / "empty").joinpath("README.md").touch()

    with serve(root) as (address, requests):
        yield address, requests, tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def online(hub) -> tuple[dict[str, object], str]:
    address, _, home = hub
    return ask(
        home,
        address,
        "large-ytvos",
        "large-mevis",
        "tiny-mevis",
        "tiny-ytvos",
        checkpoint.PUBLISHED,
        f"{checkpoint.PUBLISHED}/MPG-SAM2-L/MeViS",
        f"{checkpoint.PUBLISHED}/tiny_mevis.pth",
        "someone/single",
        "someone/deep",
        "someone/deep/runs/best",
        "someone/deep/nowhere",
        "someone/empty",
        "someone/nothing",
        "gated/model",
    )


def test_short_names_on_the_hub(online):
    answers, _ = online
    assert answers["large-ytvos"] == ["large-ytvos", None, 1.0, [0, 5, 2]]
    assert answers["large-mevis"] == ["large-mevis", 24, 2.0, [0, 5, 2]]
    assert answers["tiny-mevis"] == ["tiny-mevis", 24, 3.0, [0, 5, 2]]
    # What is not there is said with what is.
    assert "no such checkpoint" in answers["tiny-ytvos"]
    for place in ("MPG-SAM2-L/MeViS", "MPG-SAM2-L/Ref-YouTube-VOS", "tiny_mevis.pth"):
        assert place in answers["tiny-ytvos"]


def test_hub_ids(online, net):
    answers, _ = online
    ours = float(net.network.visual_model.no_mem_embed[0, 0, 0].detach())
    assert answers[f"{checkpoint.PUBLISHED}/MPG-SAM2-L/MeViS"][1:3] == [24, 2.0]
    assert answers[f"{checkpoint.PUBLISHED}/tiny_mevis.pth"][1:3] == [24, 3.0]
    assert answers["someone/single"] == ["someone/single", None, ours, [0, 5, 2]]
    assert answers["someone/deep"][1:3] == [24, ours]  # the only checkpoint in there
    assert answers["someone/deep/runs/best"] == ["someone/deep/runs/best", 24, ours, [0, 5, 2]]


def test_hub_ids_that_lead_nowhere(online):
    answers, _ = online
    assert "more than one" in answers[checkpoint.PUBLISHED] and "tiny_mevis.pth" in answers[checkpoint.PUBLISHED]
    assert "runs/best" in answers["someone/deep/nowhere"]
    assert "holds no weights" in answers["someone/empty"]
    assert "no public repository on the hub named someone/nothing" in answers["someone/nothing"]
    assert "gated" in answers["gated/model"] and "hf auth login" in answers["gated/model"]


def test_only_what_is_needed_is_downloaded_and_progress_is_shown(online, hub):
    _, shown = online
    gets = [request for request in hub[1] if request.startswith("GET") and "/resolve/" in request]
    fetched = {path.split("/resolve/")[1].split("/", 1)[1] for path in gets}
    assert "MPG-SAM2-L/MeViS/model.safetensors" in fetched
    assert not any("optimizer" in path or "README" in path for path in fetched)
    assert "Fetching" in shown and "100%" in shown


def test_what_was_downloaded_serves_without_a_connection(online, hub):
    address, _, home = hub
    for offline, nowhere in ((False, "http://127.0.0.1:9"), (True, address)):
        answers, _ = ask(home, nowhere, "large-mevis", "someone/never-seen", offline=offline)
        assert answers["large-mevis"] == ["large-mevis", 24, 2.0, [0, 5, 2]]
        assert answers["someone/never-seen"].startswith("There is no file or folder someone/never-seen here, and ")
        assert "could not be downloaded" in answers["someone/never-seen"]


def test_a_hub_that_is_down_is_asked_once(hub, tmp_path):
    """No repetition, no waiting: one question, one sentence."""
    address, requests, _ = hub
    answers, _ = ask(tmp_path, address, "down/model")
    assert "could not be downloaded" in answers["down/model"]
    assert sum("down/model" in request for request in requests) == 1


def test_a_hub_that_never_answers_is_given_up(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        answers, _ = run_with_hub(ASK, "large-mevis", home=tmp_path, endpoint=address, HF_HUB_ETAG_TIMEOUT="1")
    assert answers["large-mevis"].startswith(f"The repository {checkpoint.PUBLISHED} could not be downloaded")
