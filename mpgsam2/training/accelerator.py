"""The processes and devices that train together, by Hugging Face's accelerate."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from mpgsam2.errors import InputError

if TYPE_CHECKING:
    from accelerate import Accelerator

_PROCESS_TIMEOUT = timedelta(days=1)  # for the slowest process, which may be scoring a validation set


def make_accelerator(device: str, folder: Path, dtype: torch.dtype = torch.float32) -> Accelerator:
    """Join the other processes that `accelerate launch` has started; without it this one is alone.

    What `accelerate config` says about FSDP or ZeRO holds.

    Args:
        device: "cpu" or "cuda"; of several GPUs every process has its own.
        folder: TensorBoard's files go into its subfolder `tensorboard`.
        dtype: of matrix products, torch.float32 or torch.bfloat16; weights and optimiser stay in float32.

    Raises:
        InputError: accelerate or TensorBoard is not installed, or there is no such device.
    """
    try:
        import tensorboard  # noqa: F401
        from accelerate import Accelerator
        from accelerate.utils import DistributedDataParallelKwargs, InitProcessGroupKwargs
    except ImportError as error:
        raise InputError("Training needs accelerate and TensorBoard: pip install accelerate tensorboard.") from error
    if device == "cuda" and not torch.cuda.is_available():
        raise InputError("There is no device 'cuda' on this machine: use --device cpu.")
    return Accelerator(
        cpu=device == "cpu",
        mixed_precision="bf16" if dtype == torch.bfloat16 else "no",
        log_with="tensorboard",
        project_dir=folder,
        kwargs_handlers=[
            DistributedDataParallelKwargs(find_unused_parameters=True),  # SAM 2 and BEiT-3 have some
            InitProcessGroupKwargs(timeout=_PROCESS_TIMEOUT),
        ],
    )
