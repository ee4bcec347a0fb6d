"""Frames as the two branches take them (network.md 2)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import cv2
import numpy as np
import torch
from PIL import Image
from torch import Tensor

from mpgsam2.errors import InputError

_MEAN = (0.485, 0.456, 0.406)  # ImageNet, for both branches
_DEVIATION = (0.229, 0.224, 0.225)


def resize(frame: np.ndarray, side: int) -> Tensor:
    """Resize an H × W × 3 uint8 RGB frame to 3 × side × side uint8, aspect ratio not kept.

    With Pillow, since its antialiased bilinear is what the network was trained on; torch's is off by a level in places.

    Raises:
        InputError: the frame has another shape or type.
    """
    if not isinstance(frame, np.ndarray):
        raise InputError(f"A frame must be an array of (height, width, 3) uint8 RGB, not {type(frame).__name__}.")
    if frame.ndim != 3 or frame.shape[2] != 3 or frame.dtype != np.uint8 or 0 in frame.shape:
        raise InputError(f"A frame must be (height, width, 3) uint8 RGB; this one is {frame.shape} {frame.dtype}.")
    image = Image.fromarray(frame).resize((side, side), Image.Resampling.BILINEAR)
    return torch.from_numpy(np.array(image)).permute(2, 0, 1)


def of_one_size(frames: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Yield a clip's frames as they come, until one is larger or smaller than the first.

    Raises:
        InputError: that one is; a mask of it would have the first one's size.
    """
    size = None
    for index, frame in enumerate(frames):
        shape = frame.shape[:2] if isinstance(frame, np.ndarray) else size
        size = size or shape
        if shape != size:
            raise InputError(
                f"Frame {index} has height and width {shape}, and those before it {size}: give frames of one size."
            )
        yield frame


def normalise(images: Tensor) -> Tensor:
    """Turn B × 3 × H × W uint8 into float32 with the ImageNet mean and deviation."""
    if images.device.type != "cpu":
        return _normalise(images)
    pixels = images.permute(0, 2, 3, 1).contiguous()
    levels = torch.arange(256).view(256, 1, 1, 1).expand(-1, 3, -1, -1)
    # Looking 256 numbers up takes a tenth of the time of computing all of them.
    normal = cv2.LUT(pixels.flatten(0, 1).numpy(), _normalise(levels).permute(0, 2, 3, 1).flatten(0, 1).numpy())
    return torch.from_numpy(normal).view(pixels.shape).permute(0, 3, 1, 2)


def _normalise(images: Tensor) -> Tensor:
    mean = torch.tensor(_MEAN, device=images.device).view(3, 1, 1)
    deviation = torch.tensor(_DEVIATION, device=images.device).view(3, 1, 1)
    return (images.float() / 255 - mean) / deviation
