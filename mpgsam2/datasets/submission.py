"""The zip that the servers of Ref-YouTube-VOS and MeViS take.

`Annotations/VIDEO/EXPRESSION/FRAME.png` at the top: 0 and 255, in the frames' own size, for every frame that the index
lists. The same masks give the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile, ZipInfo

import numpy as np

from mpgsam2.datasets.data_set import DataSet
from mpgsam2.datasets.frame_scores import check_size
from mpgsam2.datasets.pictures import read_values
from mpgsam2.datasets.results import Results
from mpgsam2.datasets.sentence_masks import keys
from mpgsam2.datasets.video import Video
from mpgsam2.errors import InputError

_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)  # the first date that a zip can tell


def write_submission(
    data_set: DataSet,
    folder: Path,
    path: Path,
    progress: Callable[[Iterable[Video]], Iterable[Video]] = iter,
) -> None:
    """Zip a folder of masks, once each of them was looked at.

    Args:
        data_set: whose masks they are.
        folder: as `evaluate` writes it.
        path: the zip; an older one is replaced when the new one is whole.
        progress: goes through the videos, and may show how far it is.

    Raises:
        InputError: a mask is missing, broken, of another size than its video, or holds something but 0 and 255.
    """
    part = path.with_name(f".{path.name}.part")
    with Results(folder) as results:
        results.check(key for video in data_set.videos for key in keys(video))
        try:
            with ZipFile(part, "w", ZIP_STORED) as archive:  # PNG files are compressed already
                for video in progress(data_set.videos):
                    size = data_set.frame_size(video)
                    for key in keys(video):
                        content = results.read(key)
                        values = read_values(content, results.shown(key))
                        check_size(values, size, results.shown(key))
                        if not np.isin(values, (0, 255)).all():
                            raise InputError(f"“{results.shown(key)}” holds something but 0 and 255.")
                        entry = ZipInfo(f"Annotations/{key.path}", _ZIP_EPOCH)
                        entry.external_attr = 0o644 << 16
                        entry.create_system = 3  # wherever it is written
                        archive.writestr(entry, content)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
