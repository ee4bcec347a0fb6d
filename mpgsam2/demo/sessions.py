"""What a session owns: the files that it uploaded or chose, and those that its runs made. Nothing else deletes any.

Everything lies in the process's own folder (`home`):

- `<64 hex digits>/<name>` is an upload, in a folder of its own, whose name only the uploader is told;
- `run-…/` holds what one run made.
"""

from __future__ import annotations

import math
import re
import shutil
import stat
import tempfile
import time
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock, Timer

import gradio as gr

from mpgsam2.demo.home import home
from mpgsam2.demo.quoting import quoted
from mpgsam2.errors import InputError

_RUNS_KEPT = 3  # of a session, with their files: a program may fetch one run's while the next goes on
_LIFETIME_SECONDS = 3600.0  # for sessions whose end is never heard of, and for uploads that are never used
_UPLOAD = re.compile(r"[0-9a-f]{64}")


@dataclass(eq=False)
class _Run:
    folder: Path
    at_work: int = 0  # how many wait for their turn or write its files
    begun: float = field(default_factory=time.monotonic)


class Sessions:
    """Files by session.

    A file belongs to every session that has named it and to every run that still needs it, and goes with the last of
    them. What came with the page is nobody's to delete.

    Args:
        own: files that come with the page, which every visitor may choose.
    """

    def __init__(self, own: frozenset[Path] = frozenset()) -> None:
        self._own = own
        self._lock = Lock()
        self._runs: dict[str, list[_Run]] = defaultdict(list)
        self._owners: dict[Path, dict[Hashable, float]] = defaultdict(
            dict
        )  # with the time when they last named it, work with infinity
        self._sweep_hourly()

    def file(self, session: str, path: str | None) -> Path | None:
        """Return the file of a path that a visitor gives, which from now on is the session's too; None for none.

        Raises:
            InputError: it is neither an upload that is still there nor a file of the page.
        """
        if not path:
            return None
        file = self._checked(path)
        if file not in self._own:
            with self._lock:
                self._owners[file][session] = time.monotonic()
        return file

    @contextmanager
    def run(self, session: str, *files: Path | None) -> Iterator[Path]:
        """Lend an empty folder for one more run of a session, which works until the block ends.

        The files that it reads stay until then, and what it made stays until the session ends or has had some more
        runs. If the session has ended before the block does, that goes with the block, and so does an empty folder.
        """
        run = _Run(Path(tempfile.mkdtemp(prefix="run-", dir=home())))
        with self._lock:
            self._runs[session].append(run)
            work = self._begun(run, files)
        with self._ended(session, run, work):
            yield run.folder

    @contextmanager
    def again(self, session: str, folder: Path, *files: Path | None) -> Iterator[None]:
        """Lend the folder of an earlier run of a session, to which more is written until the block ends; see `run`.

        Raises:
            InputError: the session has no such run, or none any more.
        """
        with self._lock:
            run = next((run for run in self._runs.get(session, []) if run.folder == folder), None)
            if run is None:
                raise InputError("This result is not here any more: press Run to compute it again.")
            work = self._begun(run, files)
        with self._ended(session, run, work):
            yield

    def _begun(self, run: _Run, files: Iterable[Path | None]) -> object:
        """Work in a run's folder, which from now on owns the files that it reads."""
        work = object()
        run.at_work += 1
        for file in files:
            if file and file not in self._own:
                self._owners[file][work] = math.inf
        return work

    @contextmanager
    def _ended(self, session: str, run: _Run, work: object) -> Iterator[None]:
        """End that work when the block ends."""
        try:
            yield
        finally:
            with self._lock:
                run.at_work -= 1
                self._give_up(work)
                if run not in self._runs.get(session, []):
                    if not run.at_work:
                        _remove_run(run)
                elif not any(run.folder.glob("*")):  # it failed, and shall push nobody's results out
                    self._runs[session].remove(run)
                    _remove_run(run)
                self._remove_old()

    def ended(self, request: gr.Request) -> None:
        """Delete what the session of a request leaves; for the page's unload."""
        session = session_of(request)
        with self._lock:
            for run in self._runs.pop(session, []):
                if not run.at_work:
                    _remove_run(run)
            self._give_up(session)

    def sweep(self) -> None:
        """Delete what is older than an hour, unless a run needs it: sessions may end without a word."""
        with self._lock:
            self._remove_old()
            now = time.monotonic()
            for file, owners in list(self._owners.items()):
                for owner, named in list(owners.items()):
                    if now - named > _LIFETIME_SECONDS:
                        del owners[owner]
                self._remove_unowned(file)
            kept = {file.parent for file in self._owners}
            for folder in home().iterdir():
                unused = _UPLOAD.fullmatch(folder.name) and folder not in kept
                with suppress(OSError):
                    if unused and time.time() - folder.stat().st_mtime > _LIFETIME_SECONDS:
                        for file in folder.iterdir():
                            _remove_upload(file)

    def _checked(self, path: str) -> Path:
        given = Path(path)
        with suppress(OSError, ValueError):  # such as a name with half a character, or one that is far too long
            file = given.resolve(strict=True)
            upload = file.parent.parent == home() and _UPLOAD.fullmatch(file.parent.name)
            if stat.S_ISREG(file.stat().st_mode) and (upload or file in self._own):
                return file
        raise InputError(f"“{quoted(given.name)}” is not here, or not here any more: choose or upload it again.")

    def _give_up(self, owner: Hashable) -> None:
        for file in [file for file, owners in self._owners.items() if owners.pop(owner, None) is not None]:
            self._remove_unowned(file)

    def _remove_unowned(self, file: Path) -> None:
        if not self._owners[file]:
            del self._owners[file]
            _remove_upload(file)

    def _remove_old(self) -> None:
        """Remove the runs of every session but its last few, and those of long ago."""
        now = time.monotonic()
        for session, runs in list(self._runs.items()):
            latest = runs[-_RUNS_KEPT:]
            stays = [run for run in runs if run.at_work or (run in latest and now - run.begun < _LIFETIME_SECONDS)]
            for run in runs:
                if run not in stays:
                    _remove_run(run)
            self._runs[session] = stays
            if not stays:
                del self._runs[session]

    def _sweep_hourly(self) -> None:
        timer = Timer(_LIFETIME_SECONDS, self._sweep_hourly)
        timer.daemon = True
        timer.start()
        self.sweep()


def session_of(request: gr.Request) -> str:
    """Return the session of a request; those that name none share one."""
    return request.session_hash or ""


def _remove_run(run: _Run) -> None:
    """Remove a folder that `Sessions.run` made, with all that was written to it."""
    shutil.rmtree(run.folder, ignore_errors=True)


def _remove_upload(file: Path) -> None:
    """Remove one file, and the folder that was made for it; a folder that holds anything else stays."""
    with suppress(OSError):
        file.unlink()
        file.parent.rmdir()
