"""The results of one run as files, written while it goes on.

    overlay.mp4        the clip with the object tinted and outlined
    prior.mp4          the mask prior over each frame
    masks.mp4          the mask's probability, before the threshold
    masks/00000.png …  the masks, 0 and 255, in the clip's own size
    result.json        what was run on what, the verdict, and per frame area, scores and the mask as COCO run lengths

A run that stops early leaves the same files for the frames it came to, and says so in result.json. Every file appears
under its name only when it is whole.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from importlib.metadata import packages_distributions, version
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from mpgsam2.render import PALETTE, Colour, mask_image, overlay, prior_heatmap, probability_map
from mpgsam2.verdict import Verdict, conclude
from mpgsam2.video import Clip, VideoWriter

if TYPE_CHECKING:
    from mpgsam2.results import FrameResult

RECORDED_MODULES = ("torch", "sam2", "transformers", "numpy", "cv2", "imageio_ffmpeg")


class Exporter:
    """Writes one run's results into a folder, frame by frame; nothing of the size of the clip is held.

    A context manager; leaving the block, by its end or by an exception, finishes the files with the frames so far:

        with Exporter(folder, clip, expression="the red circle", model="nano") as exporter:
            for frame, result in zip(clip, model.segment(clip, "the red circle")):
                exporter.add(frame, result)

    Args:
        folder: made if need be; results of an earlier run in it are replaced.
        clip: the clip of the run.
        expression: the sentence of the run.
        model: the model's name, never the path of a checkpoint on this machine.
        parameters: whatever else the run was given, as JSON can hold it.
        versions: versions beside those of Python and of the packages of RECORDED_MODULES.
        colour: RGB, of the object in the overlay.
    """

    def __init__(
        self,
        folder: str | PathLike[str],
        clip: Clip,
        *,
        expression: str,
        model: str,
        parameters: Mapping[str, Any] | None = None,
        versions: Mapping[str, str] | None = None,
        colour: Colour = PALETTE[0],
    ) -> None:
        self.folder = Path(folder)
        self.clip = clip
        self.colour = colour
        self._masks = self.folder / "masks"
        self._record = self.folder / "result.json"
        self._run = {
            "expression": expression,
            "clip": {
                "name": clip.name,
                "sha256": clip.sha256(),
                "width": clip.width,
                "height": clip.height,
                "frames": clip.frame_count,
                "fps": str(clip.fps),
                "variable_rate": clip.variable_rate,
            },
            "model": model,
            "parameters": dict(parameters or {}),
            "versions": {**(versions or {}), **installed_versions()},
        }
        self._frames: list[dict[str, Any]] = []
        self._masks.mkdir(parents=True, exist_ok=True)
        videos = [self.folder / name for name in ("overlay.mp4", "prior.mp4", "masks.mp4")]
        for earlier in [self._record, *videos, *self._masks.glob("[0-9]*.png")]:
            earlier.unlink(missing_ok=True)
        self._videos = [VideoWriter(path, clip.width, clip.height, clip.fps) for path in videos]

    def add(self, frame: np.ndarray, result: FrameResult) -> None:
        """Writes the result of the next frame.

        Args:
            frame: (H, W, 3) uint8 RGB, of the clip's size.
            result: its result, mask and probability (H, W) of the same size.
        """
        _write(self._masks / f"{result.index:05d}.png", cv2.imencode(".png", mask_image(result.mask))[1].tobytes())
        pictures = (
            overlay(frame, result.mask, self.colour),
            prior_heatmap(frame, result.prior),
            probability_map(result.probability),
        )
        for video, picture in zip(self._videos, pictures, strict=True):
            video.write(picture)
        self._frames.append(
            {
                "index": int(result.index),
                "area": int(result.mask.sum()),
                "object_score": round(float(result.object_score), 4),
                "iou": round(float(result.iou), 4),
                "rle": rle_encode(result.mask),
            }
        )

    @property
    def verdict(self) -> Verdict | None:
        """The conclusion from the frames so far; None before the first."""
        if not self._frames:
            return None
        found, scores = zip(*((entry["area"] > 0, entry["object_score"]) for entry in self._frames), strict=True)
        return conclude(found, scores)

    def close(self) -> None:
        """Finishes the videos and writes result.json, where `complete` says whether the whole clip is there."""
        for video in self._videos:
            video.close()
        record = {
            "complete": len(self._frames) == self.clip.frame_count,
            **self._run,
            "verdict": verdict_record(self.verdict),
            "frames": self._frames,
        }
        _write(self._record, json.dumps(record, ensure_ascii=False, indent=1).encode())

    def __enter__(self) -> Exporter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def installed_versions() -> dict[str, str]:
    """Versions of Python and of the packages that results depend on, by the name each was installed under."""
    packages = packages_distributions()
    names = sorted({name for module in RECORDED_MODULES for name in packages.get(module, [])})
    return {"python": platform.python_version(), **{name: version(name) for name in names}}


def verdict_record(verdict: Verdict | None) -> dict[str, Any] | None:
    """A verdict as JSON can hold it, None if there is none.

    The confidence is rounded to four digits. `found` lists the first and the last frame of each run with masks, counted
    from 0 like `index`; the sentence counts from 1.
    """
    if verdict is None:
        return None
    return {
        "sentence": verdict.sentence,
        "present": verdict.present,
        "confidence": round(verdict.confidence, 4),
        "found": [[run.start, run.stop - 1] for run in verdict.found],
    }


def _write(path: Path, content: bytes) -> None:
    """Writes a file that is either whole or not there."""
    unfinished = path.with_name(f".{path.name}.part")
    unfinished.write_bytes(content)
    unfinished.replace(path)


def rle_encode(mask: np.ndarray) -> dict[str, Any]:
    """A (H, W) bool mask as COCO's compressed run lengths, {"size": [H, W], "counts": str}, as pycocotools writes them.

    Runs go down the columns, off and on by turns, beginning with off. From the fourth on, a run is stored as its
    difference to the one two before; each number as groups of five bits, lowest first, in characters from "0" on whose
    sixth bit says that more follow (rleToString in COCO's maskApi.c).
    """
    pixels = np.asarray(mask, bool).ravel(order="F")
    changes = np.flatnonzero(np.diff(pixels, prepend=False))
    runs = np.diff(changes, prepend=0, append=pixels.size)
    runs[3:] -= runs[1:-2].copy()
    characters = bytearray()
    for number in runs.tolist():
        more = True
        while more:
            bits, number = number & 31, number >> 5
            more = number != (-1 if bits & 16 else 0)
            characters.append(48 + bits + 32 * more)
    return {"size": list(mask.shape), "counts": characters.decode("ascii")}


def rle_decode(rle: Mapping[str, Any]) -> np.ndarray:
    """The (H, W) bool mask of COCO's compressed run lengths, as `rle_encode` makes them.

    Raises:
        ValueError: the runs do not add up to the size.
    """
    runs: list[int] = []
    number = shift = 0
    for character in rle["counts"].encode("ascii"):
        bits = character - 48
        number |= (bits & 31) << shift
        shift += 5
        if not bits & 32:
            if bits & 16:
                number -= 1 << shift
            runs.append(number + (runs[-2] if len(runs) > 2 else 0))
            number = shift = 0
    height, width = rle["size"]
    if sum(runs) != height * width:
        raise ValueError(f"runs of {sum(runs)} pixels in a mask of {height} × {width}")
    return np.repeat(np.arange(len(runs)) % 2 == 1, runs).reshape((height, width), order="F")
