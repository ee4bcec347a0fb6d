"""The folder into which a model's masks go, and from which a run that was stopped goes on."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from mpgsam2.datasets.results import Key
from mpgsam2.errors import InputError

_RECORD = "evaluation.json"
_FINISHED = ".finished"


class ResultsFolder:
    """A folder of masks that knows which videos are finished.

    A video's masks are written one by one, and when the last is on the disk the video is marked. After a run that was
    stopped the marked ones stay, and one that was half written is written again.

    Args:
        path: the folder; made if it is not there.
        record: what the masks are made with and of, as JSON can hold it. A folder goes on only with the same.

    Raises:
        InputError: the folder cannot be written, or holds something else, or masks that were made otherwise.
    """

    def __init__(self, path: Path, record: Mapping[str, Any]) -> None:
        self.path = path
        try:
            path.mkdir(parents=True, exist_ok=True)
            content = json.dumps(record, indent=2) + "\n"
            if (path / _RECORD).is_file():
                self._check_same((path / _RECORD).read_text(encoding="utf-8"), record)
            elif any(path.iterdir()):
                raise InputError(f"“{path.name}” holds other files: name a folder that is empty or not there yet.")
            else:
                _write(path / _RECORD, content.encode())
        except OSError as error:
            raise InputError(
                f"The results cannot be written to “{path.name}” ({error.strerror}): name another folder."
            ) from error

    def is_finished(self, video: str, keys: Iterable[Key]) -> bool:
        """Return whether all masks of a video were written, and are there still."""
        return (self.path / _FINISHED / video).is_file() and all((self.path / key.path).is_file() for key in keys)

    def write(self, video: str, masks: Iterable[tuple[Key, bytes]]) -> Iterator[Key]:
        """Write a video's masks as they come, then mark it as finished.

        Yields:
            The key of every mask that is written.

        Raises:
            InputError: they cannot be written, as on a full disk.
        """
        try:
            (self.path / _FINISHED / video).unlink(missing_ok=True)
            for key, content in masks:
                path = self.path / key.path
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
                yield key
            (self.path / _FINISHED).mkdir(exist_ok=True)
            (self.path / _FINISHED / video).touch()
        except OSError as error:
            raise InputError(
                f"The masks of “{video}” could not be written to “{self.path.name}” ({error.strerror}): make room on "
                "the disk and run again."
            ) from error

    def _check_same(self, found: str, record: Mapping[str, Any]) -> None:
        try:
            there = json.loads(found)
            differing = [name for name, value in record.items() if there.get(name) != value]
        except (ValueError, AttributeError):
            raise InputError(f"“{self.path.name}/{_RECORD}” is broken: name another folder.") from None
        if differing:
            raise InputError(
                f"“{self.path.name}” holds masks that were made with another {' and '.join(differing)}: name another "
                "folder."
            )


def _write(path: Path, content: bytes) -> None:
    """Write a file that is either whole or not there."""
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(content)
    part.replace(path)
