"""The files of visitors: every run has a folder of its own, and what a session left is gone when it ends."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

import gradio as gr
from gradio.utils import get_upload_folder

_KEPT = 3  # runs of a session whose files remain: a program may fetch one run's while the next goes on
_LIFETIME = 3600.0  # seconds, for sessions whose end is never heard of


@dataclass
class _Run:
    folder: Path
    working: bool = True  # whether files are still being written
    begun: float = field(default_factory=time.monotonic)


class Sessions:
    """Folders of runs and uploaded files by session.

    The folders lie within Gradio's own, from which files are served without being copied; their names cannot be
    guessed. An upload is named by its content, so two visitors may share one: it goes with the last of them.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._runs: dict[str, list[_Run]] = defaultdict(list)
        self._uploads: dict[Path, set[str]] = defaultdict(set)

    @contextmanager
    def folder(self, session: str) -> Iterator[Path]:
        """An empty folder for one more run of a session, which works until the block ends.

        The files stay until the session ends or has had some more runs. If it has ended before the block does, they go
        with the block.
        """
        parent = Path(get_upload_folder())
        parent.mkdir(parents=True, exist_ok=True)
        run = _Run(Path(tempfile.mkdtemp(prefix="run-", dir=parent)))
        with self._lock:
            self._runs[session].append(run)
        try:
            yield run.folder
        finally:
            with self._lock:
                run.working = False
                unused = self._unused(session, run)
            for folder in unused:
                shutil.rmtree(folder, ignore_errors=True)

    def keep(self, session: str, path: str | None) -> None:
        """Note that a session uses an uploaded file; anything else, such as an example, is nobody's to delete."""
        if path and Path(path).is_relative_to(get_upload_folder()):
            with self._lock:
                self._uploads[Path(path)].add(session)

    def ended(self, request: gr.Request) -> None:
        """Delete what the session of a request leaves; for the page's unload."""
        session = request.session_hash
        with self._lock:
            unused = [run.folder for run in self._runs.pop(session, []) if not run.working]
            mine = [path for path, users in self._uploads.items() if session in users]
            for path in mine:
                self._uploads[path].discard(session)
                if not self._uploads[path]:
                    del self._uploads[path]
                    unused.append(path.parent)  # Gradio makes one for each upload
        for folder in unused:
            shutil.rmtree(folder, ignore_errors=True)

    def _unused(self, session: str, run: _Run) -> list[Path]:
        """Folders to delete when a run of a session is through: its own if the session has ended, and all old ones."""
        unused = [] if run in self._runs.get(session, []) else [run.folder]
        now = time.monotonic()
        for name, runs in list(self._runs.items()):
            latest = runs[-_KEPT:]
            stays = [one for one in runs if one.working or (one in latest and now - one.begun < _LIFETIME)]
            unused += [one.folder for one in runs if one not in stays]
            self._runs[name] = stays
            if not stays:
                del self._runs[name]
        return unused
