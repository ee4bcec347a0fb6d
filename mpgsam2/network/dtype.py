"""The dtype in which a network computes, as people choose it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mpgsam2.errors import InputError

if TYPE_CHECKING:
    import torch

DTYPES = ("auto", "bfloat16", "float32")
"""What can be chosen."""

_AMPERE = (8, 0)  # the first GPUs that compute in bfloat16


def choose_dtype(name: str, device: torch.device | str) -> torch.dtype:
    """Return the dtype that somebody chose, for `MPGSAM2.dtype`.

    Args:
        name: one of `DTYPES`. "auto" is bfloat16 on a GPU that has it, which is faster than TF32 there, and float32
            elsewhere: not every processor has bfloat16, and small networks gain nothing from it.
        device: where the network is.

    Raises:
        InputError: there is no such dtype.
    """
    import torch  # only here: `--help` and wrong arguments answer at once

    if name not in DTYPES:
        raise InputError(f"There is no dtype {name!r} here: choose {', '.join(DTYPES[:-1])} or {DTYPES[-1]}.")
    if name != "auto":
        return getattr(torch, name)
    gpu = str(device).startswith("cuda") and torch.cuda.is_available()
    return torch.bfloat16 if gpu and torch.cuda.get_device_capability(device) >= _AMPERE else torch.float32
