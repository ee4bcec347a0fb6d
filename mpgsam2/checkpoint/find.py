"""From a name to the files of one checkpoint on this machine."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path, PurePosixPath
from typing import Any

from mpgsam2.checkpoint.names import CONFIG_FILE, INDEX, SUFFIXES
from mpgsam2.checkpoint.places import Place, choose, find_places, within
from mpgsam2.checkpoint.published import find_published
from mpgsam2.checkpoint.source import Folder, HubUnreachable, NoRepository, Repository, Source
from mpgsam2.checkpoint.tokenizer import is_of_tokenizer, is_vocabulary
from mpgsam2.errors import InputError
from mpgsam2.shipped import shipped

PUBLISHED = "ReeF2025/MPG-SAM2"
"""The hub repository of the paper's checkpoints."""

SHORT_NAMES = ("large-ytvos", "large-mevis", "tiny-ytvos", "tiny-mevis")
"""The published checkpoints, each by the size of the network and the data that it was trained on."""

VOCABULARY_VARIABLE = "MPGSAM2_VOCABULARY"
"""Names a vocabulary, or the folder of one, for checkpoints that come without."""

_NANO_FOLDER = shipped("assets/nano")
_HUB_ID = re.compile(r"(?P<repository>\w[\w.-]*/[\w.-]+)(?:/(?P<subfolder>.+?))?/?")


@dataclass(frozen=True)
class Checkpoint:
    """Where the files of one checkpoint lie on this machine."""

    weights: Path  # a file of tensors, one of its shards, or the index of them
    vocabulary: Path  # the folder of the tokenizer's files, or the one file
    name: str
    words: str  # what names of folders and files say about the training data


def find(name: str | Path, **hub_options: Any) -> Checkpoint:
    """Find a checkpoint, and download it if it is on the hub.

    Args:
        name: see `load_model`.
        hub_options: of `huggingface_hub.snapshot_download`, such as `revision` and `token`.

    Raises:
        InputError: there is no such checkpoint, several may be meant, or the hub cannot be reached.
    """
    text = str(name)
    path = os.path.expanduser(text)  # unlike pathlib, os.path takes names that no file can have
    if text == "nano":
        if not _NANO_FOLDER.is_dir():
            raise InputError("The nano checkpoint is not in this copy: train it with `python -m mpgsam2 train-nano`.")
        return _in_folder(_NANO_FOLDER)
    if text in SHORT_NAMES:
        return _on_hub(Repository(PUBLISHED, **hub_options), text)
    if os.path.isdir(path):
        return _in_folder(Path(path).resolve())
    if os.path.isfile(path):
        return _in_file(Path(os.path.abspath(path)))  # not where a link leads: in the hub's cache that has no suffix
    match = _HUB_ID.fullmatch(text)
    if not match:
        raise InputError(
            f"There is no model named {Path(text).name!r}: choose nano, {', '.join(SHORT_NAMES)}, a folder, "
            "a file of weights, or a hub id such as owner/repository."
        )
    try:
        return _on_hub(Repository(match["repository"], **hub_options), text, match["subfolder"] or "")
    except NoRepository as error:
        raise InputError(_mistyped(text) or str(error)) from error
    except HubUnreachable as error:
        raise InputError(
            _mistyped(text)
            or f"There is no file or folder {text} here, and a repository of that name could not be downloaded: "
            "check the name, the connection and the free disk space."
        ) from error


def _mistyped(path: str) -> str | None:
    """Return why nothing is at a relative path that can only be meant as one: it begins with a folder that is there."""
    parts = path.rstrip("/").split("/")
    there = max(i for i in range(len(parts)) if os.path.isdir(os.path.join(".", *parts[:i])))
    if there == 0:
        return None
    near = get_close_matches(parts[there], os.listdir(os.path.join(*parts[:there])), n=1)
    advice = f"did you mean {near[0]}?" if near else "check the path."
    return f"There is no {parts[there]} in the folder {'/'.join(parts[:there])}: {advice}"


def _in_folder(folder: Path) -> Checkpoint:
    source = Folder(folder)
    files = source.files()
    places = find_places(files)
    place = choose(places, within(places, ""), source.label)
    return _fetch(source, files, place, folder.name, f"{folder.parent.name}/{folder.name}/{place.weights}")


def _in_file(path: Path) -> Checkpoint:
    if not path.name.lower().endswith((*SUFFIXES, INDEX)):
        raise InputError(f"{path.name} is not a file of weights: it must end in {', '.join(SUFFIXES)}.")
    files = [other.name for other in path.parent.iterdir()]
    place = Place(path.name, path.name)
    return _fetch(Folder(path.parent), files, place, path.stem, "/".join(path.parts[-3:]))


def _on_hub(source: Repository, name: str, subfolder: str | None = None) -> Checkpoint:
    """Return the checkpoint in a folder of the repository ("" for all of it), or the one that a short name means."""
    files = source.files()
    places = find_places(files)
    if subfolder is None:
        fitting = find_published(places, name, _parameters(source, files))
    else:
        fitting = within(places, subfolder)
    place = choose(places, fitting, source.label)
    return _fetch(source, files, place, name, name if subfolder is None else f"{source.name}/{place.weights}")


def _parameters(source: Source, files: Sequence[str]) -> Callable[[Place], float]:
    def parameters(place: Place) -> float:
        tensors = [file for file in place.files(files) if not file.endswith(INDEX)]
        return max(sum(map(source.parameters, tensors)), 1)

    return parameters


def _fetch(source: Source, files: Sequence[str], place: Place, name: str, words: str) -> Checkpoint:
    vocabulary = _nearest_vocabulary(files, PurePosixPath(place.folder))
    wanted = [*place.files(files), posixpath.join(place.folder, CONFIG_FILE)]
    if vocabulary is not None:
        beside = [file for file in files if PurePosixPath(file).parent == vocabulary]
        wanted += [file for file in beside if is_of_tokenizer(posixpath.basename(file))]
    root = source.fetch(wanted)
    return Checkpoint(root / place.weights, _local_vocabulary(root, vocabulary, place), name, words)


def _nearest_vocabulary(files: Iterable[str], folder: PurePosixPath) -> PurePosixPath | None:
    """Return the folder with a vocabulary that is the fewest steps away from the weights'."""

    def steps(other: PurePosixPath) -> int:
        common = PurePosixPath(posixpath.commonpath([folder, other]))
        return len(folder.parts) + len(other.parts) - 2 * len(common.parts)

    paths = (PurePosixPath(file) for file in files)
    return min((path.parent for path in paths if is_vocabulary(path.name)), key=steps, default=None)


def _local_vocabulary(root: Path, folder: PurePosixPath | None, place: Place) -> Path:
    """Return where the vocabulary is on this machine: as found, one or two folders up, or what the variable names."""
    if folder is not None:
        return root / folder
    for above in root.parents[:2]:
        if any(is_vocabulary(path.name) for path in above.glob("*")):
            return above
    return Path(os.environ.get(VOCABULARY_VARIABLE) or root / place.folder).expanduser()
