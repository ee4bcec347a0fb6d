"""What a run leaves beside its record and the panes' videos: cut-outs, masks, the video of all panes, a figure."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

import cv2

from mpgsam2.export.drawing import Look, cut_out, mask_image
from mpgsam2.export.drawn import DrawnFrame
from mpgsam2.export.files import MASKS, lettered, mask_name, write_whole
from mpgsam2.export.masks import MaskFile
from mpgsam2.export.ownership import letters_of
from mpgsam2.export.side_by_side import SideBySide
from mpgsam2.export.strip import Strip
from mpgsam2.inference.query import LETTERS, Query
from mpgsam2.video import Clip, CutOutWriter


class Extras:
    """Writes them frame by frame.

    A context manager: leaving the block finishes the files. If the block raises there are only the mask pictures.

    Args:
        folder: of the run, which is there.
        clip: of the run.
        queries: 1 to 4.
        look: of the overlay.
    """

    def __init__(self, folder: Path, clip: Clip, queries: Sequence[Query], look: Look) -> None:
        self._folder, self._letters = folder, LETTERS[: len(queries)]
        suffixes = letters_of(len(queries))
        self._mask_folders = [folder / MASKS / suffix for suffix in suffixes]
        headings = [
            (_heading(query, queries, letter), look.colour(index))
            for index, (query, letter) in enumerate(zip(queries, self._letters, strict=True))
        ]
        rows = [f"{name} {suffix}".rstrip() for suffix in suffixes for name in ("Mask prior", "Mask")]
        self._strip = Strip(clip.frame_count, headings, ["Input", *rows, "Overlay"])
        for masks in self._mask_folders:
            masks.mkdir(parents=True, exist_ok=True)
        with ExitStack() as writers:
            self._cutouts = [
                writers.enter_context(
                    CutOutWriter(
                        folder / lettered("cutout.webm", suffix), clip.width, clip.height, clip.fps, clip.varying_times
                    )
                )
                for suffix in suffixes
            ]
            self._side_by_side = writers.enter_context(SideBySide(folder / "side-by-side.mp4", clip, headings))
            self._mask_file = writers.enter_context(MaskFile(folder / "masks.json"))
            self._writers = writers.pop_all()

    def add(self, drawn: DrawnFrame) -> None:
        """Write the next frame."""
        for folder, cutout, mask in zip(self._mask_folders, self._cutouts, drawn.masks, strict=True):
            write_whole(folder / mask_name(drawn.index), cv2.imencode(".png", mask_image(mask))[1].tobytes())
            cutout.write(cut_out(drawn.frame, mask))
        self._mask_file.add(drawn.index, drawn.source_index, dict(zip(self._letters, drawn.masks, strict=True)))
        rows = zip(drawn.priors, drawn.probabilities, drawn.own_overlays, strict=True)
        self._side_by_side.add(list(rows))
        if self._strip.wants(drawn.index):
            whites = [cv2.cvtColor(mask_image(mask), cv2.COLOR_GRAY2RGB) for mask in drawn.masks]
            middle = [row for pair in zip(drawn.priors, whites, strict=True) for row in pair]
            self._strip.add(drawn.index, [drawn.frame, *middle, drawn.overlay])

    def no_more(self) -> None:
        """See `VideoWriter.no_more`."""
        self._side_by_side.no_more()
        for cutout in self._cutouts:
            cutout.no_more()

    def __enter__(self) -> Extras:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is not None:
            self._writers.__exit__(kind, error, traceback)
            return
        with self._writers:  # the encoders come to their ends meanwhile
            self._strip.write(self._folder / "strip.png", self._folder / "strip.pdf")


def _heading(query: Query, queries: Sequence[Query], letter: str) -> str:
    """Return its sentence, of several after its letter; if another has the same, also what is switched off for it."""
    if len(queries) == 1:
        return query.expression
    same = sum(other.expression == query.expression for other in queries) > 1
    parts = ", ".join(part.replace("_", " ") for part in sorted(query.without))
    switched_off = f" (without {parts})" if same and parts else ""
    return f"{letter}: {query.expression}{switched_off}"
