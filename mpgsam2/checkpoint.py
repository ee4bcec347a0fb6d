"""From a name to a ready network: find the checkpoint, download it if it is on the hub, read it, load it strictly.

A checkpoint is a folder as `save_pretrained` leaves it (weights in one file or in shards, perhaps a `config.json`, and
the vocabulary's files), or a single file of weights with the vocabulary next to it. On the hub both may lie anywhere in
a repository.
"""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import posixpath
import re
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from weakref import WeakKeyDictionary

import safetensors.torch
import torch
from huggingface_hub import HfApi, snapshot_download
from huggingface_hub.errors import (
    GatedRepoError,
    HFValidationError,
    HTTPError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
)
from torch import Tensor

from mpgsam2.config import ModelConfig
from mpgsam2.errors import InputError
from mpgsam2.network.model import MPGSAM2
from mpgsam2.tokenizer import ADDED_TOKENS_FILE, VOCABULARY_FILES, WORDS_FILE, load_tokenizer

PUBLISHED = "ReeF2025/MPG-SAM2"
"""The hub repository of the paper's checkpoints."""

SHORT_NAMES = ("large-ytvos", "large-mevis", "tiny-ytvos", "tiny-mevis")
"""The published checkpoints, each by the size of the network and the data that it was trained on."""

MEVIS_WINDOW = 24
"""Frames that a checkpoint trained on MeViS takes at once (network.md 6); the others take the whole clip."""

# How the published repository may say the words of a short name, in lower case.
_SYNONYMS = {
    "large": re.compile(r"large|(?<![a-z])l(?![a-z])"),
    "tiny": re.compile(r"tiny|base|(?<![a-z])[tb](?![a-z])"),
    "ytvos": re.compile(r"yt.?vos|youtube"),
    "mevis": re.compile(r"mevis"),
}

_NANO_FOLDER = Path(__file__).parent.parent / "assets" / "nano"
_CONFIG_FILE = "config.json"
_WEIGHTS_FILE = "model.safetensors"
_INDEX = ".index.json"
# In the order in which they are preferred when a folder holds several.
_STANDARD_FILES = (_WEIGHTS_FILE, _WEIGHTS_FILE + _INDEX, "pytorch_model.bin", "pytorch_model.bin" + _INDEX)
_SUFFIXES = (".safetensors", ".bin", ".pt", ".pth")
_fingerprints: WeakKeyDictionary[MPGSAM2, str] = WeakKeyDictionary()
_HUB_ID = re.compile(r"(?P<repository>\w[\w.-]*/[\w.-]+)(?:/(?P<subfolder>.+?))?/?")


@dataclass(frozen=True)
class _Checkpoint:
    """Where the files of one checkpoint lie on this machine."""

    weights: Path  # a file of tensors, or the index of a sharded one
    vocabulary: Path  # the folder of the tokenizer's files
    name: str
    words: str  # what names of folders and files say about the training data


def load_model(
    name: str | Path = "nano", device: str | torch.device = "cpu", dtype: torch.dtype = torch.float32
) -> MPGSAM2:
    """Find, read and load a checkpoint.

    Args:
        name: "nano" (comes with this package); one of `SHORT_NAMES` (downloaded when first used); a folder; a file of
            weights; or a hub id, "owner/repository" or "owner/repository/subfolder".
        device: where the network goes.
        dtype: of its matrix products, float32 or bfloat16, see `MPGSAM2.dtype`.

    Returns:
        The network with weights in float32, ready for inference, with its `tokenizer`, its `name`, its `window`, and
        whether windows are `interleaved`. The window is what `config.json` says, else 24 for a checkpoint with "mevis"
        in its name, else none; windows follow each other unless `config.json` says that they are interleaved.

    Raises:
        InputError: there is no such checkpoint, it cannot be reached or read, its tensors are not those of this
            network, or there is no such device.
    """
    _check_device(device)
    checkpoint = _find(name)
    tokenizer = load_tokenizer(checkpoint.vocabulary)
    settings = _read_json(checkpoint.weights.with_name(_CONFIG_FILE))
    # The published config.json is another program's; sizes are then read off the tensors.
    config = ModelConfig.from_dict(settings) if "tracker" in settings else None
    window = settings.get("window", MEVIS_WINDOW if _SYNONYMS["mevis"].search(checkpoint.words.lower()) else None)
    if window is not None and (not isinstance(window, int) or window < 1):
        raise InputError(f"The checkpoint's window is {window!r}: it must be a number of frames, or null.")

    net = MPGSAM2.from_state_dict(_read_weights(checkpoint.weights), config)
    rows = net.config.encoder.vocabulary_size
    if tokenizer.vocabulary_size > rows:
        raise InputError(
            f"The vocabulary has {tokenizer.vocabulary_size} tokens and the network knows {rows}: "
            "they are not of the same checkpoint."
        )
    net.tokenizer, net.window, net.name, net.dtype = tokenizer, window, checkpoint.name, dtype
    net.interleaved = bool(settings.get("interleaved", False))
    if torch.device(device).type != "cpu":
        fingerprint(net)  # now, since a GPU that is only lent does not give weights back to who put them there
    return net.to(device).eval()


def save_checkpoint(net: MPGSAM2, folder: str | Path, dtype: torch.dtype = torch.float32) -> None:
    """Write a folder that `load_model` reads: `model.safetensors`, `config.json` and the vocabulary.

    Args:
        net: with its `tokenizer`, its `window` and whether windows are `interleaved`.
        folder: made if it is not there; an older checkpoint in it is replaced.
        dtype: of the tensors in the file; float16 halves it.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {name: tensor.detach().to("cpu", dtype).contiguous() for name, tensor in net.state_dict().items()}
    unfinished = folder / (_WEIGHTS_FILE + ".part")
    safetensors.torch.save_file(tensors, unfinished)
    os.replace(unfinished, folder / _WEIGHTS_FILE)  # whoever stops in between keeps the older one whole
    settings = {**net.config.to_dict(), "window": net.window, "interleaved": net.interleaved}
    (folder / _CONFIG_FILE).write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
    net.tokenizer.save(folder)


def check_replaceable(folder: str | Path) -> None:
    """Raise `InputError` if `save_checkpoint` of nano would replace files in a folder that are no nano checkpoint's."""
    folder = Path(folder)
    there = [name for name in (_WEIGHTS_FILE, _CONFIG_FILE, WORDS_FILE) if (folder / name).exists()]
    if 0 < len(there) < 3:
        raise InputError(f"“{folder.name}” holds “{there[0]}”, which is no nano checkpoint's: choose another folder.")


def fingerprint(net: MPGSAM2) -> str:
    """Hex SHA-256 of a network's weights: of their names in order, dtypes, shapes and bytes.

    Two networks have the same one if and only if they hold the same weights, wherever these came from and on whatever
    device they are. It is reckoned once for each network, so the weights must not change afterwards.
    """
    if net not in _fingerprints:
        digest = hashlib.sha256()
        for name, tensor in sorted(net.state_dict().items()):
            digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
            digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
        _fingerprints[net] = digest.hexdigest()
    return _fingerprints[net]


def _check_device(device: str | torch.device) -> None:
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise InputError(f"There is no device {str(device)!r} on this machine: use 'cpu'.") from error


# Finding


def _find(name: str | Path) -> _Checkpoint:
    text = str(name)
    path = os.path.expanduser(text)  # unlike pathlib, os.path takes names that no file can have
    if text == "nano":
        if not _NANO_FOLDER.is_dir():
            raise InputError("The nano checkpoint is not in this copy: train it with `python -m mpgsam2 train-nano`.")
        return _in_folder(_NANO_FOLDER)
    if text in SHORT_NAMES:
        return _on_hub(PUBLISHED, text)
    if os.path.isdir(path):
        return _in_folder(Path(path).resolve())
    if os.path.isfile(path):
        return _in_file(Path(path).resolve())
    if match := _HUB_ID.fullmatch(text):
        return _on_hub(match["repository"], text, match["subfolder"] or "")
    raise InputError(
        f"There is no model named {Path(text).name!r}: choose nano, {', '.join(SHORT_NAMES)}, a folder, "
        "a file of weights, or a hub id such as owner/repository."
    )


def _in_folder(folder: Path) -> _Checkpoint:
    places = _places(path.name for path in folder.iterdir() if path.is_file())
    weights = _choose(places, _within(places, ""), f"The folder {folder.name}")
    return _Checkpoint(folder / weights, folder, folder.name, folder.name + weights)


def _in_file(path: Path) -> _Checkpoint:
    if not path.name.endswith((*_SUFFIXES, _INDEX)):
        raise InputError(f"{path.name} is not a file of weights: it must end in {', '.join(_SUFFIXES)}.")
    return _Checkpoint(path, path.parent, path.stem, path.parent.name + path.name)


def _on_hub(repository: str, name: str, within: str | None = None) -> _Checkpoint:
    """Download the checkpoint in a folder of the repository ("" for all of it), or the one that a short name means."""
    with _hub_errors(repository):
        files = _hub_files(repository)
    places = _places(files)
    fitting = _named(places, name) if within is None else _within(places, within)
    weights = _choose(places, fitting, f"The repository {repository}")
    folder = PurePosixPath(weights).parent
    vocabulary = _nearest_vocabulary(files, folder)
    needed = [
        weights,
        str(folder / _CONFIG_FILE),
        *(str(vocabulary / f) for f in (*VOCABULARY_FILES, ADDED_TOKENS_FILE)),
    ]
    if weights.endswith(_INDEX):
        stem, suffix = os.path.splitext(weights.removesuffix(_INDEX))
        needed += [file for file in files if file.startswith(f"{stem}-") and file.endswith(suffix)]
    with _hub_errors(repository):
        root = Path(snapshot_download(repository, allow_patterns=needed))  # shows its own progress bars
    return _Checkpoint(root / weights, root / vocabulary, name, f"{repository}/{weights} {name}")


def _hub_files(repository: str) -> list[str]:
    """All files of the repository; without a connection, those that were downloaded before."""
    try:
        # Not list_repo_files, which tries for half a minute when there is no connection.
        return [file.rfilename for file in HfApi().model_info(repository).siblings]
    except RepositoryNotFoundError:
        raise
    except (HTTPError, OfflineModeIsEnabled):
        root = Path(snapshot_download(repository, allow_patterns=[], local_files_only=True))
        return [path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()]


@contextmanager
def _hub_errors(repository: str) -> Iterator[None]:
    try:
        yield
    except GatedRepoError as error:
        raise InputError(
            f"The repository {repository} is gated: accept its terms on the hub, then log in with `hf auth login`."
        ) from error
    except (RepositoryNotFoundError, HFValidationError) as error:
        raise InputError(
            f"There is no file or folder here, and no public repository on the hub named {repository}: check the name, "
            "or log in with `hf auth login` if it is private."
        ) from error
    except (HTTPError, OSError) as error:
        raise InputError(
            f"The repository {repository} could not be downloaded, and is not here from an earlier time: "
            "check the connection and the free disk space."
        ) from error


def _places(files: Iterable[str]) -> dict[str, str]:
    """The checkpoints among the files of a folder or repository: where each is → its file of weights or index.

    Where a folder holds a standard file the place is the folder ("" for the topmost) and its other files are left alone
    (optimizer states end in .pt, too); elsewhere each file of weights is a place of its own.
    """
    folders: dict[str, set[str]] = {}
    for file in files:
        folder, name = posixpath.split(file)
        folders.setdefault(folder, set()).add(name)
    places = {}
    for folder, names in sorted(folders.items()):
        if standard := next((name for name in _STANDARD_FILES if name in names), None):
            places[folder] = posixpath.join(folder, standard)
        else:
            loose = (posixpath.join(folder, name) for name in sorted(names) if name.endswith(_SUFFIXES))
            places.update((file, file) for file in loose)
    return places


def _within(places: dict[str, str], wanted: str) -> list[str]:
    """The place that `wanted` is, or else all that lie in it; "" is the topmost folder."""
    return [place for place, weights in places.items() if wanted in (place, weights)] or [
        place for place in places if not wanted or place.startswith(f"{wanted}/")
    ]


def _named(places: dict[str, str], short_name: str) -> list[str]:
    """The places whose path says the size and the data set of the short name."""
    words = [_SYNONYMS[word] for word in short_name.split("-")]
    return [place for place in places if all(word.search(place.lower()) for word in words)]


def _choose(places: dict[str, str], fitting: list[str], where: str) -> str:
    """The weights of the place that fits, if it is one and only one; `where` begins the sentence otherwise."""
    if len(fitting) == 1:
        return places[fitting[0]]
    if not places:
        raise InputError(f"{where} holds no weights, such as {_WEIGHTS_FILE} or pytorch_model.bin.")
    found = ", ".join(place or "(top)" for place in list(fitting or places)[:10])
    if fitting:
        raise InputError(f"{where} holds more than one such checkpoint ({found}): name the one you mean.")
    raise InputError(f"{where} holds no such checkpoint, but {found}: name one of these.")


def _nearest_vocabulary(files: Iterable[str], folder: PurePosixPath) -> PurePosixPath:
    """The folder with a vocabulary that is the fewest steps away from the weights'; theirs if there is none at all."""

    def steps(other: PurePosixPath) -> int:
        common = PurePosixPath(posixpath.commonpath([folder, other]))
        return len(folder.parts) + len(other.parts) - 2 * len(common.parts)

    paths = (PurePosixPath(file) for file in files)
    return min((path.parent for path in paths if path.name in VOCABULARY_FILES), key=steps, default=folder)


# Reading


def _read_json(path: Path) -> dict[str, Any]:
    """The object in the file; empty if there is no file."""
    if not path.is_file():
        return {}
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"The checkpoint's {path.name} is not JSON: download it again.") from error
    if not isinstance(values, dict):
        raise InputError(f"The checkpoint's {path.name} does not hold a JSON object.")
    return values


def _read_weights(path: Path) -> dict[str, Tensor]:
    """All tensors of a file, or of all shards of an index, mapped from the disk rather than read into memory."""
    if not path.name.endswith(_INDEX):
        return _read_tensors(path)
    shards = _read_json(path).get("weight_map")
    if not isinstance(shards, dict):
        raise InputError(f"The checkpoint's {path.name} does not say in which files the tensors are.")
    tensors = {}
    for shard in sorted(set(map(str, shards.values()))):
        if os.path.basename(shard) != shard or not path.with_name(shard).is_file():
            raise InputError(f"The checkpoint is not complete: {os.path.basename(shard)} is missing.")
        tensors.update(_read_tensors(path.with_name(shard)))
    return tensors


def _read_tensors(path: Path) -> dict[str, Tensor]:
    try:
        if path.suffix == ".safetensors":
            return safetensors.torch.load_file(path)
        # Only the zip format, torch's since 1.6, can be mapped.
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    except pickle.UnpicklingError as error:
        raise InputError(
            f"{path.name} was refused: it is broken or holds more than tensors, and what else a pickle holds can run "
            "as a program; use a .safetensors file."
        ) from error
    except Exception as error:  # broken files raise whatever the bytes lead to
        raise InputError(f"{path.name} cannot be read: it is broken or not complete, download it again.") from error
    if isinstance(content, dict) and isinstance(content.get("model"), dict):
        content = content["model"]
    if not isinstance(content, dict) or not all(
        isinstance(k, str) and isinstance(v, Tensor) for k, v in content.items()
    ):
        raise InputError(f"{path.name} does not hold tensors by name, so it is not a checkpoint.")
    return content
