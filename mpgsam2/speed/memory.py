"""The most memory that a run held."""

from __future__ import annotations

import resource
import sys
from contextlib import suppress
from pathlib import Path

import torch

_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024  # bytes


def forget_peak(device: torch.device) -> None:
    """Count from now; where the system cannot, the host's peak stays that of the whole process."""
    with suppress(OSError):
        _RESET.write_text("5")
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)


def host_peak() -> int:
    """Return the bytes of this process in the host's memory, at most, the program and the weights included."""
    with suppress(OSError, StopIteration):
        line = next(line for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _MAXRSS_UNIT


def device_peak(device: torch.device) -> int | None:
    """Return the bytes allocated on a GPU, at most; None for a device that has no memory of its own."""
    return torch.cuda.max_memory_allocated(device) if device.type == "cuda" else None
