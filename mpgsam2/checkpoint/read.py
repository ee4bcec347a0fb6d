"""From files to tensors, mapped from the disk rather than read into memory."""

from __future__ import annotations

import argparse
import json
import os
import pickle
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor
from torch.serialization import safe_globals

from mpgsam2.checkpoint.names import INDEX, SHARD
from mpgsam2.errors import InputError

_WRAPPERS = ("model", "module", "state_dict")  # where trainers put the weights, beside their settings
_COPIED_TENSOR_BYTES = 2**20  # at most: copying costs nothing, and in a file they lie across the cache's lines
_BYTES_PER_COPY = 2**26  # of a file, before the memory they are mapped to is given back
_POINTER = b"version https://git-lfs"


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in the file; empty if there is no file. Raises InputError for anything else."""
    if not path.is_file():
        return {}
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"The checkpoint's {path.name} is not JSON: download it again.") from error
    if not isinstance(values, dict):
        raise InputError(f"The checkpoint's {path.name} does not hold a JSON object.")
    return values


def read_weights(path: Path) -> dict[str, Tensor]:
    """Return all tensors of a checkpoint, in float32.

    Args:
        path: a file of tensors, any of several shards, or their index.

    Returns:
        The tensors by their names in the file. The larger ones, if they are float32 in it, are mapped: the disk is read
        when they are first used. What is written to them does not go into the file; but the file must not be written
        over in place while they are in use. (Replacing it, as `save_checkpoint` does, is no harm.)

    Raises:
        InputError: a file is missing or broken, or holds anything but tensors by name.
    """
    tensors: dict[str, Tensor] = {}
    for file in _files(path):
        tensors |= _read_in_float32(file)
    return tensors


def _files(path: Path) -> list[Path]:
    """Return the files that hold a checkpoint together. Raises InputError if one of them is missing."""
    if path.name.endswith(INDEX):
        shards = read_json(path).get("weight_map")
        if not isinstance(shards, dict):
            raise InputError(f"The checkpoint's {path.name} does not say in which files the tensors are.")
        names = sorted(set(map(str, shards.values())))
    elif shard := SHARD.fullmatch(path.name):
        numbers = range(1, int(shard["count"]) + 1)
        names = [f"{shard['stem']}-{number:05}-of-{shard['count']}{shard['suffix']}" for number in numbers]
    else:
        names = [path.name]
    for name in names:
        if os.path.basename(name) != name or not path.with_name(name).is_file():
            raise InputError(f"The checkpoint is not complete: {os.path.basename(name)} is missing.")
    return [path.with_name(name) for name in names]


def _read_in_float32(path: Path) -> dict[str, Tensor]:
    tensors = _map(path)
    copied = {n: t.nbytes for n, t in tensors.items() if t.dtype != torch.float32 or t.nbytes < _COPIED_TENSOR_BYTES}
    for names in _portions(copied, _BYTES_PER_COPY if _can_be_mapped(path) else None):
        # Mapped anew, so that the pages of the last portion are given back, not kept beside what was made of them.
        mapped = _map(path)
        tensors |= {name: mapped[name].to(torch.float32, copy=True) for name in names}
        del mapped
    return tensors


def _portions(sizes: dict[str, int], at_once: int | None) -> Iterator[list[str]]:
    """Yield the names in their order, as many at a time as it takes to reach a size; None: all."""
    names, size = [], 0
    for name in sizes:
        names.append(name)
        size += sizes[name]
        if at_once is not None and size >= at_once:
            yield names
            names, size = [], 0
    if names:
        yield names


def _can_be_mapped(path: Path) -> bool:
    """Return whether a file is read where it lies; of pickles only those in the zip format, torch's since 1.6, are."""
    return path.suffix.lower() == ".safetensors" or zipfile.is_zipfile(path)


def _map(path: Path) -> dict[str, Tensor]:
    """Return the tensors of one file. Raises InputError for anything else."""
    try:
        with path.open("rb") as file:
            if file.read(len(_POINTER)) == _POINTER:
                raise InputError(
                    f"{path.name} cannot be read: it is only Git LFS's pointer to the file, "
                    "so fetch that with `git lfs pull`."
                )
        if path.suffix.lower() == ".safetensors":
            return safetensors.torch.load_file(path)
        with safe_globals([argparse.Namespace]):  # a trainer's settings; it holds values and does nothing
            content = torch.load(path, map_location="cpu", weights_only=True, mmap=_can_be_mapped(path))
    except InputError:
        raise
    except pickle.UnpicklingError as error:
        raise InputError(
            f"{path.name} was refused: it is broken or holds more than tensors, and what else a pickle holds can run "
            "as a program; use a .safetensors file."
        ) from error
    except Exception as error:  # broken files raise whatever the bytes lead to
        raise InputError(
            f"{path.name} cannot be read: it is broken, not complete or of another kind; download it again, or use a "
            ".safetensors file."
        ) from error
    while isinstance(content, dict) and (key := next((k for k in _WRAPPERS if isinstance(content.get(k), dict)), None)):
        content = content[key]
    if (
        not content
        or not isinstance(content, dict)
        or not all(isinstance(k, str) and isinstance(v, Tensor) for k, v in content.items())
    ):
        raise InputError(f"{path.name} does not hold tensors by name, so it is not a checkpoint.")
    return dict(content)
