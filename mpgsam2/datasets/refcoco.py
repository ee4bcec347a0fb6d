"""RefCOCO, RefCOCO+ and RefCOCOg (Yu et al., ECCV 2016; Mao et al., CVPR 2016): sentences on objects in single images.

{refcoco,refcoco+,refcocog}/instances_…_{train,val,…}.json      COCO's form, one `caption` an image record
train2014/COCO_train2014_….jpg
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from mpgsam2.datasets.json_file import read_json_object
from mpgsam2.datasets.names import checked_name
from mpgsam2.datasets.pictures import read_frame
from mpgsam2.datasets.polygons import polygons_mask
from mpgsam2.datasets.video import plain_sentence
from mpgsam2.errors import InputError
from mpgsam2.export.rle import rle_decode

PARTS = ("refcoco", "refcoco+", "refcocog")


@dataclass(frozen=True)
class Referral:
    """A sentence that names an object in an image.

    Attributes:
        image: the name of its file.
        size: (H, W) in pixels.
        text: in lower case, with single spaces.
        segmentation: the object's outline as COCO's JSON, which takes a tenth of the memory of what it holds.
        source: the file that tells all this.
    """

    image: str
    size: tuple[int, int]
    text: str
    segmentation: bytes
    source: str


@dataclass(frozen=True)
class RefCOCO:
    """A split of one or several of the three, in their order.

    Attributes:
        root: the folder `coco`.
        referrals: the index; images are read when they are asked for.
    """

    root: Path
    referrals: tuple[Referral, ...]

    @classmethod
    def open(cls, data: str | PathLike[str], split: str = "train", parts: Iterable[str] = PARTS) -> RefCOCO:
        """Read the index.

        Args:
            data: the folder `coco`, or the one in which it lies.
            split: how the names of the files end, such as "train" or "val".
            parts: some of `PARTS`.

        Raises:
            InputError: a folder or file is missing or broken.
        """
        data = Path(data)
        root = next((root for root in (data, data / "coco") if (root / "train2014").is_dir()), None)
        if root is None:
            raise InputError(f"“train2014” is missing in “{data.absolute().name}”: give the folder of COCO's images.")
        return cls(root, tuple(referral for part in parts for referral in _read(root, _index(root, part, split))))

    def frame(self, referral: Referral) -> np.ndarray:
        """Return the image, (H, W, 3) uint8 RGB.

        Raises:
            InputError: it is missing, broken, or of another size than its record says.
        """
        name = f"train2014/{referral.image}"
        frame = read_frame(self.root / name, name)
        if frame.shape[:2] != referral.size:
            raise InputError(
                f"“{name}” is {frame.shape[1]} × {frame.shape[0]}, and “{referral.source}” says {referral.size[1]} × "
                f"{referral.size[0]}: download them again."
            )
        return frame

    def mask(self, referral: Referral) -> np.ndarray:
        """Return what the sentence names, (H, W) bool.

        Raises:
            InputError: its outline is broken.
        """
        segmentation = json.loads(referral.segmentation)
        try:
            if isinstance(segmentation, list):
                return polygons_mask(segmentation, referral.size)
            mask = rle_decode(segmentation)
            if mask.shape == referral.size:
                return mask
        except (AttributeError, IndexError, KeyError, OverflowError, TypeError, ValueError):
            pass
        raise InputError(f"“{referral.source}” has a broken outline in “{referral.image}”: download it again.")


def _index(root: Path, part: str, split: str) -> str:
    """Return the file of a split, from the root on."""
    found = sorted((root / part).glob(f"instances_*_{split}.json"))
    if not found:
        raise InputError(f"“{part}/instances_{part}_{split}.json” is missing: give the folder as it was released.")
    return f"{part}/{found[0].name}"


def _read(root: Path, file: str) -> Iterator[Referral]:
    content = read_json_object(root / file, file)
    try:
        outlines = {entry["image_id"]: entry["segmentation"] for entry in content["annotations"]}
        for record in content["images"]:
            yield _referral(record, outlines, file)
    except (AttributeError, KeyError, TypeError):
        raise InputError(f"“{file}” lacks what COCO's form needs: download it again.") from None


def _referral(record: dict[str, Any], outlines: dict[Any, Any], file: str) -> Referral:
    size = record["height"], record["width"]
    if not all(isinstance(side, int) and side > 0 for side in size):
        raise TypeError
    return Referral(
        image=checked_name(record["file_name"], "image", file),
        size=size,
        text=plain_sentence(record["caption"]),
        segmentation=json.dumps(outlines[record["id"]]).encode(),
        source=file,
    )
