"""Memory that a run may use: of a GPU, of the machine, or of the container that it is in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import torch

_CGROUPS = Path("/sys/fs/cgroup")
_OWN_CGROUPS = Path("/proc/self/cgroup")


def free_memory(device: torch.device) -> int:
    """Return the bytes that are free for tensors on a device.

    Of a GPU, what torch holds of it and lets nobody else use counts too, as far as no tensor is in it. A processor has
    the machine's memory, or what is left of a container's share.
    """
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return min([psutil.virtual_memory().available, *_left_to_containers()])


def _left_to_containers() -> Iterator[int]:
    """Yield the bytes left of the limit of every control group that this process is in, as far as it has one."""
    with suppress(OSError):
        for line in _OWN_CGROUPS.read_text().splitlines():
            _, kinds, own = line.split(":", 2)
            if kinds == "":  # version 2
                yield from _left(_CGROUPS, own, "memory.max", "memory.current", "inactive_file")
            elif "memory" in kinds.split(","):
                names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
                yield from _left(_CGROUPS / "memory", own, *names)


def _left(root: Path, own: str, limit: str, usage: str, cached: str) -> Iterator[int]:
    """Yield the bytes left to a group and those it is in; file pages that the kernel would give up count as left."""
    group = root / own.lstrip("/")
    for folder in (group, *group.parents):
        if folder.is_relative_to(root):
            with suppress(OSError, ValueError):  # no such file, as at the top, or the word "max" for no limit
                most = int((folder / limit).read_text())
                statistics = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
                used = int((folder / usage).read_text()) - int(statistics.get(cached, 0))
                yield max(0, most - used)
