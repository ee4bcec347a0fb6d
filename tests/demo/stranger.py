"""The page as a program of bad manners meets it: `python app.py` in a process of its own, and raw requests to it."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from threading import Event, Thread
from typing import Any

import httpx

ROOT = Path(__file__).parents[2]
PATIENCE = 120  # seconds for what takes one on an idle machine
USUAL = {
    "expression": "the red circle",
    "model": "",
    "first": 1,
    "last": None,
    "every": 1,
    "longest_side": None,
    "threshold": 0.5,
    "opacity": 0.4,
    "pattern": False,
    "without": [],
    "compare": True,
    "ground_truth": None,
    "object": None,
    "scored": "",
    "dtype": "auto",
    "dimmed": 0.8,
    "colours": [],
}
"""What `/segment` takes beside the clip, in its order."""


def fd(path: str | Path) -> dict[str, Any]:
    """A path as Gradio wants it."""
    return {"path": str(path), "meta": {"_type": "gradio.FileData"}}


def until(true: Callable[[], bool], told: str = "") -> None:
    """Wait for what must become true in the end, however slow the machine is."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, told
        time.sleep(0.05)


class App:
    """`python app.py`, with a folder for its temporary files that nothing else uses.

    Args:
        temporary: that folder.
        environment: more variables.
        before: what the process does first, such as setting limits.
    """

    def __init__(
        self, temporary: Path, environment: dict[str, str] | None = None, before: Callable[[], None] | None = None
    ) -> None:
        self.temporary = temporary
        temporary.mkdir(exist_ok=True)
        self.log = temporary.parent / f"{temporary.name}.log"
        variables = {**os.environ, "TMPDIR": str(temporary), "PYTHONUNBUFFERED": "1"}
        variables.pop("GRADIO_TEMP_DIR", None)
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "app.py"],
                cwd=ROOT,
                env=variables | {"GRADIO_SERVER_PORT": str(_free_port())} | (environment or {}),
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=before,
            )
        until(lambda: self.process.poll() is not None or "Running on local URL" in self.log.read_text(), "starts")
        self.url = re.search(r"http://\S+", self.log.read_text())[0].rstrip("/")

    def files(self) -> set[str]:
        """Everything that lies in the folder for temporary files, as paths below it."""
        found = set()
        for folder, folders, files in os.walk(self.temporary):  # which does not mind what goes meanwhile
            found |= {os.path.relpath(os.path.join(folder, name), self.temporary) for name in [*folders, *files]}
        return found

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and wait; the exit status."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@cache
def _config(url: str) -> dict[str, Any]:
    """What a page says of its endpoints, which is the same for all and long."""
    return httpx.get(f"{url}/config", timeout=PATIENCE).json()


class Stranger:
    """One session of a program that speaks to the page by hand.

    Args:
        url: of the page.
    """

    def __init__(self, url: str) -> None:
        self.session = uuid.uuid4().hex
        self.http = httpx.Client(base_url=url.rstrip("/"), timeout=PATIENCE)
        self._gone = Event()
        self._here: Thread | None = None

    def come(self) -> Stranger:
        """Open the heartbeat, as a page does as long as it is open."""
        here = Event()

        def stay() -> None:
            request = self.http.build_request("GET", f"/gradio_api/heartbeat/{self.session}")
            response = self.http.send(request, stream=True)
            here.set()
            self._gone.wait()
            response.close()

        self._here = Thread(target=stay, daemon=True)
        self._here.start()
        assert here.wait(PATIENCE)
        return self

    def leave(self) -> None:
        """Close the heartbeat."""
        self._gone.set()
        if self._here:
            self._here.join()

    def upload(self, file: Path | bytes, name: str | None = None) -> str:
        """Returns the path that the answer tells."""
        content = file if isinstance(file, bytes) else file.read_bytes()
        response = self.http.post("/gradio_api/upload", files={"files": (name or file.name, content)})
        assert response.status_code == 200, response.text
        (path,) = response.json()
        return path

    def close(self, event: str) -> None:
        """Cancel an event, as `Job.cancel` does."""
        asked = {"fn_index": self.segment_index(), "event_id": event, "session_hash": self.session}
        assert self.http.post("/gradio_api/cancel", json=asked).status_code == 200

    def dependencies(self) -> list[dict[str, Any]]:
        """All endpoints of the page, private ones too."""
        return _config(str(self.http.base_url))["dependencies"]

    def segment_index(self) -> int:
        """Of `/segment`."""
        return next(one["id"] for one in self.dependencies() if one["api_name"] == "segment")

    def look_index(self) -> int:
        """Of the private endpoint that tells which frames of a clip are used."""
        components = _config(str(self.http.base_url))["components"]
        clip = next(one["id"] for one in components if one["props"].get("elem_id") == "clip")
        changes = [one for one in self.dependencies() if [clip, "change"] in one["targets"]]
        return changes[0]["id"]

    def ask(self, clip: Any, **settings: Any) -> tuple[bool, Any]:
        """What comes of `/segment`, as of `call`."""
        return self.call(self.segment_index(), [clip, *(USUAL | settings).values()])

    def look(self, clip: Any, **settings: Any) -> tuple[bool, Any]:
        """What the page remarks on a clip's frames, as of `call`."""
        return self.call(self.look_index(), [clip, *(USUAL | settings).values()])

    def join(self, index: int, data: list[Any], **body: Any) -> httpx.Response:
        """Ask for an endpoint of the page."""
        asked = {"fn_index": index, "data": data, "session_hash": self.session} | body
        content = json.dumps(asked).encode("utf-8", "surrogatepass")
        return self.http.post("/gradio_api/queue/join", content=content, headers={"Content-Type": "application/json"})

    def begin(self, clip: Any, **settings: Any) -> str:
        """Ask for `/segment`; the event's id."""
        response = self.join(self.segment_index(), [clip, *(USUAL | settings).values()])
        assert response.status_code == 200, response.text
        return response.json()["event_id"]

    def messages(self) -> Iterator[dict[str, Any]]:
        """Everything that the server says to the session until all its events are through."""
        with self.http.stream("GET", "/gradio_api/queue/data", params={"session_hash": self.session}) as response:
            for line in response.iter_lines():
                if line.startswith("data:"):
                    yield json.loads(line[5:])

    def call(self, index: int, data: list[Any], **body: Any) -> tuple[bool, Any]:
        """Ask for an endpoint and wait: whether it was answered, and with what."""
        response = self.join(index, data, **body)
        if response.status_code != 200:
            return False, response.text
        event = response.json()["event_id"]
        for message in self.messages():
            if message["msg"] == "process_completed" and message["event_id"] == event:
                return message["success"], message["output"]
        return False, None


@contextmanager
def stranger(url: str) -> Iterator[Stranger]:
    """A session that comes, and leaves when the block ends."""
    one = Stranger(url).come()
    try:
        yield one
    finally:
        one.leave()
