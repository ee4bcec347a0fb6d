"""How a network is asked: what a checkpoint says besides weights and words, and what a user may change of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch

from mpgsam2.errors import InputError

MOST_INTERLEAVED = 16
"""Clips to which the frames of a longer one are dealt out, at most."""


@dataclass(frozen=True)
class CalibrationConfig:
    """How logits become probabilities, sigmoid((logit - shift) / temperature); `calibration.calibrate` fits it.

    The shifts of the object score and of the predicted IoU are in the network's biases. The verdict's logit is
    `verdict.mean_logit`.
    """

    object_temperature: float = 1.0
    iou_temperature: float = 1.0
    verdict_shift: float = 0.0
    verdict_temperature: float = 1.0


@dataclass(frozen=True)
class InferenceConfig:
    """How clips are cut, in what dtype the network computes, and what its scores mean.

    Attributes:
        window: longest clip in frames whose frames are encoded together; None: any, as far as memory holds it.
        interleaved: what becomes of longer clips. False: they are cut in windows of that length, each its own clip.
            True: their frames are dealt out in turn to as many clips as it takes, 16 at most, so that each spans the
            whole time; the tracker walks through all of them without a break.
        span: longest part of a clip in frames that is encoded and tracked without a break; the window may cut it
            shorter. None: the window says it or, where there is none, the memory that is free when a run begins.
        calibration: of the scores.
        dtype: in which the image encoder and the memory attention compute, see `MPGSAM2.dtype`.

    Raises:
        InputError: window or span is no number of frames.
    """

    window: int | None = None
    interleaved: bool = False
    span: int | None = None
    calibration: CalibrationConfig = CalibrationConfig()
    dtype: torch.dtype = torch.float32

    def __post_init__(self) -> None:
        for name, frames in (("window", self.window), ("span", self.span)):
            if frames is not None and (not isinstance(frames, int) or isinstance(frames, bool) or frames < 1):
                raise InputError(f"The {name} is {frames!r}: it must be a number of frames, 1 or more.")

    @property
    def longest_span(self) -> int | None:
        """Longest span of a clip in frames that is encoded and tracked without a break; None: nothing here says it."""
        if self.window is None:
            return self.span
        own = self.window * (MOST_INTERLEAVED if self.interleaved else 1)
        return own if self.span is None else min(own, self.span)

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any], dtype: torch.dtype = torch.float32) -> InferenceConfig:
        """Read what `config.json` says: `window`, `interleaved` and `calibration`, each as above where it is missing.

        Raises:
            InputError: a value is none that it can have.
        """
        try:
            calibration = CalibrationConfig(**settings.get("calibration", {}))
        except TypeError as error:
            raise InputError(f"The checkpoint's config.json does not describe this network: {error}.") from None
        return cls(
            window=settings.get("window"),
            interleaved=bool(settings.get("interleaved", False)),
            calibration=calibration,
            dtype=dtype,
        )

    def to_settings(self) -> dict[str, Any]:
        """Return what `config.json` says of it, as plain values; span and dtype are a run's, not the checkpoint's."""
        return {"calibration": asdict(self.calibration), "window": self.window, "interleaved": self.interleaved}
