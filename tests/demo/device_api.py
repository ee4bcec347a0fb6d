"""A stand-in for the API from which ZeroGPU's client asks for GPUs: it lends or refuses, and logs what was asked."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

GPU = {"nvidiaIndex": 0, "nvidiaUUID": "GPU-0"}
REFUSALS: dict[str, tuple[int, dict[str, float], str]] = {
    "quota": (429, {"wait": 600}, "quota-exceeded"),
    "runs": (429, {"left": 0, "wait": 0}, "runs-exceeded"),
    "too long": (429, {"left": 0, "wait": -1}, "illegal-duration"),
    "other runs": (429, {"left": 0, "wait": 60}, "pending-overquota-exceeded"),
}
"""What the API answers: status, what is left and when there is more (seconds), and why. Of a quota 1 s is missing."""


class DeviceAPI:
    """The API, on this machine.

    Attributes:
        address: for SPACES_ZERO_DEVICE_API_URL.
        mood: what the next one who asks gets: "lend", "lend later", "never" (no GPU within a minute), "down", or one of
            `REFUSALS`.
        kept: whether a worker stays after its run, for the next one. If not it is killed, as ZeroGPU does when others
            want the GPU.
        log: every request, its path and its parameters.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self._lent, self._worker = 0, None
        self.start_over()

    def start_over(self) -> None:
        """Lend, with an empty log and no worker."""
        self.mood, self.kept = "lend", False
        self.release()
        self.log: list[tuple[str, dict[str, str]]] = []
        self._lent_before = self._lent

    def wait_until_all_is_back(self) -> None:
        """Return when every GPU that was lent has been given back."""
        if lent := self._lent - self._lent_before:
            self.wait_for("/release", lent)

    def requests(self, path: str) -> list[dict[str, str]]:
        """The parameters of all requests to a path."""
        return [parameters for asked, parameters in self.log if asked == path]

    def wait_for(self, path: str, number: int, seconds: float = 120) -> dict[str, str]:
        """The parameters of the n-th request to a path, counted from 1, once it has come."""
        deadline = time.monotonic() + seconds
        while len(self.requests(path)) < number:
            assert time.monotonic() < deadline, (path, number, self.log)
            time.sleep(0.02)
        return self.requests(path)[number - 1]

    def lend(self) -> dict[str, Any]:
        """What somebody gets who may have the GPU."""
        self._lent += 1
        return {**GPU, "idle": self._worker is not None, "allowToken": f"token-{self._lent}"}

    def allow(self, worker: int) -> None:
        """Take note of a new worker."""
        self._worker = worker

    def release(self) -> None:
        """Take the GPU back."""
        if self._worker is not None and not self.kept:
            with suppress(ProcessLookupError):
                os.kill(self._worker, signal.SIGKILL)
            self._worker = None


@contextmanager
def device_api() -> Iterator[DeviceAPI]:
    """Serve the API while the block lasts."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            asked = urlsplit(self.path)
            api.log.append((asked.path, dict(parse_qsl(asked.query))))
            if asked.path != "/schedule":
                if asked.path == "/allow":
                    api.allow(int(dict(parse_qsl(asked.query))["pid"]))
                elif asked.path == "/release":
                    api.release()
                self._answer(200, {})
            elif api.mood in REFUSALS:
                status, body, result = REFUSALS[api.mood]
                left = {"left": int(api.log[-1][1]["durationSeconds"]) - 1}
                self._answer(status, left | body, {"X-Approve-Result": result})
            elif api.mood == "down":
                self._answer(503, {})
            elif api.mood == "lend":
                self._answer(200, api.lend())
            else:
                end = "event: failed" if api.mood == "never" else f"event: succeeded\ndata: {json.dumps(api.lend())}"
                self._stream("event: ping", end)

        def _answer(self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def _stream(self, *events: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for event in (*events, None):
                content = b"" if event is None else f"{event}\n\n".encode()
                self.wfile.write(b"%x\r\n%s\r\n" % (len(content), content))
                self.wfile.flush()
                time.sleep(0.1)  # so that events come one by one

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        api = DeviceAPI(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield api
        api.start_over()
        server.shutdown()
        thread.join()
