"""Folders in the style of YouTube-VOS become data of one's own."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

from mpgsam2.datasets.data_set import find_root
from mpgsam2.datasets.expressions import read_expressions
from mpgsam2.datasets.own_index import INDEX
from mpgsam2.datasets.video import Video
from mpgsam2.errors import InputError


def convert(
    source: Path, split: str, folder: Path, progress: Callable[[Iterable[Video]], Iterable[Video]] = iter
) -> None:
    """Copy a split with its sentences, frames and masks; see `own` for what it becomes.

    Args:
        source: holds `meta_expressions/SPLIT/meta_expressions.json`, `SPLIT/JPEGImages/VIDEO/FRAME.jpg` and
            `SPLIT/Annotations/VIDEO/FRAME.png`; a frame without an annotation has no mask.
        split: which one.
        folder: for the data; it must be empty or not there yet.
        progress: goes through the videos, and may show how far it is.

    Raises:
        InputError: something is missing or broken, a sentence names no object, or the folder cannot be written to.
    """
    index = f"meta_expressions/{split}/meta_expressions.json"
    root = find_root(source, "ref-youtube-vos", index)
    videos = read_expressions(root, index, "obj_id")
    for video in videos:
        for sentence in video.sentences:
            if not sentence.objects:
                raise InputError(
                    f"“{index}” gives no “obj_id” to expression “{sentence.id}” of the video “{video.name}”, so that "
                    "nobody knows what it names."
                )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise InputError(f"“{folder.name}” holds other files: name a folder that is empty or not there yet.")
        for video in progress(videos):
            _copy(root / split, video, folder / video.name)
        content = {
            video.name: [{"sentence": s.text, "objects": list(s.objects)} for s in video.sentences] for video in videos
        }
        (folder / INDEX).write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    except FileNotFoundError as error:
        raise InputError(f"“{Path(error.filename).relative_to(root)}” is missing.") from error
    except OSError as error:
        raise InputError(f"“{folder.name}” cannot be written to ({error.strerror}): name another folder.") from error


def _copy(source: Path, video: Video, folder: Path) -> None:
    for kind in ("frames", "masks"):
        (folder / kind).mkdir(parents=True)
    for frame in video.frames:
        shutil.copyfile(source / "JPEGImages" / video.name / f"{frame}.jpg", folder / "frames" / f"{frame}.jpg")
        annotation = source / "Annotations" / video.name / f"{frame}.png"
        if annotation.is_file():
            shutil.copyfile(annotation, folder / "masks" / annotation.name)
