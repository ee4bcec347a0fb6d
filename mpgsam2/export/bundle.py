"""All files of a run in one, to take home."""

from __future__ import annotations

from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

from mpgsam2.errors import InputError
from mpgsam2.export.files import BUNDLE, unfinished
from mpgsam2.export.ownership import bundle_mark, is_bundle, results_in


def bundle(folder: Path) -> Path:
    """Zip a finished run's files, and nothing else that lies in its folder.

    Args:
        folder: of the run.

    Returns:
        `results.zip` in the folder; its entries are named as the files are, relative to the folder.

    Raises:
        InputError: another `results.zip` lies there.
        OSError: it cannot be written, as on a full disk.
    """
    path = folder / BUNDLE
    if (path.exists() or path.is_symlink()) and not is_bundle(folder):
        raise InputError(f"“{BUNDLE}” in “{folder.resolve().name}” is not this run's: move it away.")
    try:
        with ZipFile(unfinished(path), "w") as archive:
            archive.comment = bundle_mark(folder)
            for file in results_in(folder):
                # Videos and pictures are compressed already.
                method = ZIP_DEFLATED if file.suffix == ".json" else ZIP_STORED
                archive.write(file, file.relative_to(folder), compress_type=method)
        unfinished(path).replace(path)
    finally:
        unfinished(path).unlink(missing_ok=True)
    return path
