"""A hub on this machine, to which the hub's real client talks: folders are repositories."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha1
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

COMMIT = "c" * 40


class Hub(BaseHTTPRequestHandler):
    """The routes of the hub that listing, reading headers, downloading and uploading need."""

    root: Path
    requests: list[str]

    def do_HEAD(self) -> None:
        self.answer(with_body=False)

    def do_GET(self) -> None:
        self.answer(with_body=True)

    def do_POST(self) -> None:
        self.requests.append(f"POST {self.path}")
        body = self.rfile.read(int(self.headers["Content-Length"]))
        parts = self.path.strip("/").split("/")
        if self.path == "/api/repos/create":
            asked = json.loads(body)
            name = "/".join(filter(None, (asked.get("organization"), asked["name"])))
            (self.root / name).mkdir(parents=True, exist_ok=True)
            self.reply({"url": f"http://{self.headers['Host']}/{name}", "name": name})
        elif parts[-2] == "preupload":
            files = json.loads(body)["files"]
            self.reply({"files": [{"path": f["path"], "uploadMode": "regular", "shouldIgnore": False} for f in files]})
        elif parts[-2] == "commit":
            for line in map(json.loads, body.splitlines()):
                if line["key"] == "file":
                    file = self.root / "/".join(parts[2:4]) / line["value"]["path"]
                    file.write_bytes(base64.b64decode(line["value"]["content"]))
            self.reply(
                {
                    "commitUrl": f"http://{self.headers['Host']}/{parts[2]}/{parts[3]}/commit/{COMMIT}",
                    "commitOid": COMMIT,
                }
            )
        else:  # what a card may hold is checked there
            self.reply({"errors": [], "warnings": []})

    def answer(self, with_body: bool) -> None:
        self.requests.append(f"{self.command} {self.path}")
        path = unquote(self.path.partition("?")[0]).strip("/").removeprefix("api/models/")
        repository = "/".join(path.split("/")[:2])
        rest = path.removeprefix(repository).strip("/")
        folder = self.root / repository
        files = [file for file in sorted(folder.rglob("*")) if file.is_file()]
        paths = [file.relative_to(folder).as_posix() for file in files]
        headers, body = {"X-Repo-Commit": COMMIT}, b""
        if repository.startswith("down/"):
            status = 503
        elif not folder.is_dir():
            status, headers["X-Error-Code"] = 404, "RepoNotFound"
        elif repository.startswith("gated/") and rest.startswith("resolve/"):
            status, headers["X-Error-Code"] = 403, "GatedRepo"
        elif rest.startswith("resolve/") and rest.split("/", 2)[2] in paths:
            status, body = 200, (folder / rest.split("/", 2)[2]).read_bytes()
            headers["ETag"] = f'"{sha1(body).hexdigest()}"'
        elif rest.startswith("tree/"):
            sizes = zip(paths, files, strict=True)
            listing = [{"type": "file", "path": p, "size": f.stat().st_size, "oid": "0" * 40} for p, f in sizes]
            status, body = 200, json.dumps(listing).encode()
        elif rest == "" or rest.startswith("revision/"):
            siblings = [{"rfilename": path} for path in paths]
            status, body = 200, json.dumps({"id": repository, "sha": COMMIT, "siblings": siblings}).encode()
        else:
            status, headers["X-Error-Code"] = 404, "EntryNotFound"
        if status == 200 and (wanted := self.headers.get("Range")):
            first, last = wanted.removeprefix("bytes=").split("-")
            status, body = 206, body[int(first) : int(last) + 1 if last else None]
        self.send(status, headers, body, with_body)

    def reply(self, value: object) -> None:
        self.send(200, {"Content-Type": "application/json"}, json.dumps(value).encode(), True)

    def send(self, status: int, headers: dict[str, str], body: bytes, with_body: bool) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serve(root: Path) -> Iterator[tuple[str, list[str]]]:
    """Serve `root/owner/name` as repositories; yields the hub's address and its requests so far."""
    handler = type("Handler", (Hub,), {"root": root, "requests": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", handler.requests
        finally:
            server.shutdown()
            thread.join()


def run_with_hub(script: str, *arguments: str, home: Path, endpoint: str, **variables: str) -> tuple[object, str]:
    """Run a script that prints JSON, in another process, since the client reads the hub's address when it is imported.

    Returns:
        What it printed, and what went to stderr.
    """
    environment = {
        **os.environ,
        "HF_ENDPOINT": endpoint,
        "HF_HOME": str(home),
        "HF_HUB_OFFLINE": "0",
        "HF_HUB_DISABLE_PROGRESS_BARS": "0",
        "HF_HUB_DISABLE_XET": "1",
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")]),
        **variables,
    }
    for variable in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "HF_TOKEN", "MPGSAM2_VOCABULARY"):
        if variable not in variables:
            environment.pop(variable, None)
    command = [sys.executable, "-c", script, *arguments]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout), run.stderr
