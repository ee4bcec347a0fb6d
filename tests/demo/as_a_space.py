"""Runs app.py as a ZeroGPU Space does, on a machine without a GPU: `python as_a_space.py APP LOG`.

The client of ZeroGPU is the real one, with its patches of torch, its packing of weights and its forked workers. Stood
in for are the names that only a CUDA build of torch has, and the worker's way to the card: what was packed is read into
the host's memory instead. LOG gets a line for each frame that a worker has made ("frame 3"), for each wish that it may
stop ("stop"), for each tensor among what it sends ("tensor"), and for each message of which it could leave half behind
if it were killed ("long").
"""

from __future__ import annotations

import os
import pickle
import runpy
import select
import sys
import tempfile
from collections.abc import Callable, Generator
from itertools import chain
from pathlib import Path
from typing import Any

import torch

APP, LOG = Path(sys.argv[1]), Path(sys.argv[2])
WRONG = "what only the worker refuses"
"""A sentence for which it raises an InputError."""

if torch.version.cuda is None:
    torch.version.cuda = "12.8"
    torch._C._cuda_init = lambda: None
    torch.cuda._is_in_bad_fork = bool
    torch.cuda._exchange_device = torch.cuda._maybe_exchange_device = lambda device: -1

try:
    with tempfile.TemporaryDirectory(dir=Path(os.environ["ZEROGPU_OFFLOAD_DIR"]).parent) as folder:
        os.close(os.open(Path(folder, "direct"), os.O_CREAT | os.O_WRONLY | os.O_DIRECT))
except OSError:  # as on some file systems that live in memory
    os.O_DIRECT = 0

import spaces  # noqa: E402, F401
import spaces.zero.torch as zero  # noqa: E402
from spaces.zero import wrappers  # noqa: E402
from spaces.zero.torch import patching  # noqa: E402


def log(line: str) -> None:
    """Append a line; at once, since several processes do."""
    with LOG.open("a") as file:
        file.write(f"{line}\n")


def move(callback: Callable[[int], None] | None = None) -> None:
    """Put into the network's empty tensors what they stand for: from memory, or from the pack on the disk."""
    for fake, original in list(patching.cuda_aliases.items()):
        if original is not None:
            fake.data = original
    for pack in patching.tensor_packs:
        with open(pack.path(), "rb") as file:
            for tensor, size, aligned in chain(*pack.batches, pack.big_tensors):
                storage = torch.frombuffer(bytearray(file.read(aligned)[:size]), dtype=torch.uint8).untyped_storage()
                real = torch.tensor([], dtype=tensor.dtype).set_(storage, 0, tensor.shape, tensor.stride())
                for fake in pack.fakes[tensor]:
                    fake.data = real


class HeardEvent(wrappers.Event):
    """The wish that a worker may stop."""

    def set(self) -> None:
        log("stop")
        super().set()


class CheckedQueue(wrappers.Queue):
    """The way back from a worker."""

    def put(self, obj: Any) -> None:
        if isinstance(obj, wrappers.OkResult):
            if len(message := pickle.dumps(obj)) > select.PIPE_BUF - 8:  # less what is sent before it, its length
                log("long")
            if b"torch" in message:
                log("tensor")
        super().put(obj)


zero.init = lambda uuid: None
zero.move = move
wrappers.Event, wrappers.Queue = HeardEvent, CheckedQueue

from mpgsam2.demo import gpu  # noqa: E402
from mpgsam2.errors import InputError  # noqa: E402
from mpgsam2.inference.segmenter import Segmenter  # noqa: E402

_segment_several = Segmenter.segment_several


def segment_several(net: Segmenter, frames: Any, queries: Any, **settings: Any) -> Generator[Any]:
    if queries[0].expression == WRONG:
        raise InputError("The clip broke off while <it> was read.")
    for index, results in enumerate(_segment_several(net, frames, queries, **settings)):
        log(f"frame {index}")
        yield results


def hand_over(results: Any, folder: Path) -> str:
    if b"torch" in pickle.dumps(results):
        log("tensor")
    return _hand_over(results, folder)


Segmenter.segment_several = segment_several
gpu.hand_over, _hand_over = hand_over, gpu.hand_over

if __name__ == "__main__":
    sys.argv = [str(APP)]
    runpy.run_path(str(APP), run_name="__main__")
