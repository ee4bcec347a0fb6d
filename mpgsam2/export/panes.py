"""The three videos that the page's panes show."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from mpgsam2.export.drawn import DrawnFrame
from mpgsam2.export.files import lettered
from mpgsam2.video import Clip, VideoWriter


class PaneVideos:
    """Writes the overlay of all queries, and the mask prior and the mask's probability of each, frame by frame.

    A context manager: leaving the block finishes the videos, or removes them if the block raises.

    Args:
        folder: of the run, which is there.
        clip: of the run.
        letters: of its queries in the files' names; [""] where there is only one.
    """

    def __init__(self, folder: Path, clip: Clip, letters: Sequence[str]) -> None:
        def video(name: str) -> VideoWriter:
            return open_videos.enter_context(
                VideoWriter(folder / name, clip.width, clip.height, clip.fps, clip.varying_times)
            )

        with ExitStack() as open_videos:
            self._overlay = video("overlay.mp4")
            self._priors = [video(lettered("prior.mp4", letter)) for letter in letters]
            self._probabilities = [video(lettered("masks.mp4", letter)) for letter in letters]
            self._videos = open_videos.pop_all()

    def add(self, drawn: DrawnFrame) -> None:
        """Write the next frame."""
        videos = [*self._priors, *self._probabilities, self._overlay]
        for video, picture in zip(videos, [*drawn.priors, *drawn.probabilities, drawn.overlay], strict=True):
            video.write(picture)

    def no_more(self) -> None:
        """See `VideoWriter.no_more`."""
        for video in (*self._priors, *self._probabilities, self._overlay):
            video.no_more()

    def __enter__(self) -> PaneVideos:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._videos.__exit__(kind, error, traceback)
