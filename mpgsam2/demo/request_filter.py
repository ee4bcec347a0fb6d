"""The gate before Gradio: only the routes that the page and its HTTP API need, only bodies of a sound size and form.

Gradio serves far more than this page uses: conversion of recordings by an ffmpeg that reads what a playlist names,
links that store a session's settings, a proxy, a monitor. A route that is not listed here answers 404, one that a newer
Gradio brings too. It also fetches whatever address stands in the place of a file, whole and into memory: here none is.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from contextlib import suppress
from typing import Any

from gradio.route_utils import CustomCORSMiddleware
from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mpgsam2.demo.frames import LIMITS
from mpgsam2.demo.mcp import mcp_wanted
from mpgsam2.demo.quoting import sendable
from mpgsam2.demo.request_parsing import ADDRESS
from mpgsam2.demo.uploads import receive_upload
from mpgsam2.errors import InputError

_API = "/gradio_api"
_ROUTES: list[tuple[str, str, str]] = [
    # The page itself: its HTML, looks and scripts.
    ("GET HEAD", "/", "the page"),
    ("GET", "/(assets|static|svelte)/.+", "scripts, fonts and pictures"),
    ("GET", "/config/?", "what stands on the page; programs ask for it first"),
    ("GET", f"({_API})?/theme.css", "colours"),
    ("GET", "/(favicon.ico|robots.txt|manifest.json)", "what browsers and crawlers look for"),
    ("GET", f"{_API}/startup-events", "asked by `launch` itself"),
    ("GET", f"{_API}/app_id", "whether a page that lost its connection still talks to the same server"),
    ("GET", f"{_API}/heartbeat/[^/]+", "held as long as the page is open"),
    # Files in and out.
    ("POST", f"{_API}/upload", "clips and ground truth"),
    ("GET", f"{_API}/upload_progress", "how far an upload is"),
    ("GET HEAD", f"{_API}/file=(?!https?:).+", "clips, results and examples; no other host's"),
    # Events, of the page and of programs.
    ("GET", f"{_API}/info/?", "what /segment takes"),
    ("POST", f"{_API}/queue/join", "asks for a run, or for a look at a clip"),
    ("GET", f"{_API}/queue/data", "what becomes of it"),
    ("POST", f"{_API}/(cancel|reset/?)", "gives it up"),
    ("POST", f"{_API}/run/predict/?", "buttons that run no model: Gradio keeps what has to queue out of here"),
    ("POST", f"{_API}/call/(v2/)?[^/]+/?", "the same for programs without a client"),
    ("GET", f"{_API}/call/(v2/)?[^/]+/[^/]+", "what becomes of it"),
    ("GET HEAD POST DELETE", f"{_API}/mcp(/.*)?", "the tool of the same name, where MPGSAM2_MCP is 1"),
]
"""Methods, path as a regular expression, and what it is for."""

_UPLOAD = f"{_API}/upload"
_CANCEL = f"{_API}/cancel"
_JSON = re.compile(f"{_API}/(queue/join|run/|call/|cancel|reset)")
_JSON_BYTES = 1_000_000  # of a request that is not a file; the page's own have a thousandth of that
_MCP = f"{_API}/mcp"
_MCP_BYTES = LIMITS.bytes * 4 // 3 + _JSON_BYTES  # a clip as a data URI
_SESSION = re.compile(r"[0-9A-Za-z-]{1,64}")  # Gradio takes names of tasks apart that hold it
_SCHEME = re.compile(r"\s*[a-z][a-z0-9+.-]*:", re.IGNORECASE)  # of http, https, data and the like

_log = logging.getLogger(__name__)


def allowed(method: str, path: str) -> bool:
    """Return whether a request goes on to Gradio."""
    if path.startswith(_MCP) and not mcp_wanted():
        return False
    return any(method in methods.split() and re.fullmatch(route, path, re.DOTALL) for methods, route, _ in _ROUTES)


class RequestFilter:
    """ASGI middleware; see the module.

    Args:
        app: Gradio's, of a page whose `sessions` own its visitors' files.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._origins = CustomCORSMiddleware(app)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or let the application do it."""
        if scope["type"] == "lifespan":
            return await self.app(scope, receive, send)
        if scope["type"] != "http":
            return await send({"type": "websocket.close", "code": 1000})
        path = scope["path"].removeprefix(scope.get("root_path", "")) or "/"
        if not allowed(scope["method"], path):
            return await JSONResponse({"detail": "Not Found"}, 404)(scope, receive, send)
        if scope["method"] == "POST" and not self._same_site(Headers(scope=scope)):
            return await JSONResponse({"detail": "Another site may not send this."}, 403)(scope, receive, send)
        if path == _UPLOAD:
            response = await receive_upload(scope, receive)
            return await response(scope, receive, send)
        if scope["method"] == "POST":
            body = await _body(receive, _MCP_BYTES if path.startswith(_MCP) else _JSON_BYTES)
            try:
                body = _checked(path, body)
                _name_files(scope, body)
            except _Refused as refused:
                return await JSONResponse({"detail": refused.args[0]}, refused.args[1])(scope, receive, send)
            if path == _CANCEL:
                body = await _cancelled(body)
            receive = _again(body, receive)
        return await self._answer(scope, receive, send)

    def _same_site(self, headers: Headers) -> bool:
        """Return whether the sender may read the answer, as Gradio rules: no other site may use a local page."""
        return "origin" not in headers or self._origins.is_valid_origin(headers)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let Gradio answer; where it fails before it begins, answer with a sentence."""
        begun = False

        async def sending(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self.app(scope, receive, sending)
        except Exception:
            if begun:
                raise
            _log.warning("Gradio could not answer a request", exc_info=True)
            await JSONResponse({"detail": "The request asks for what is not here."}, 400)(scope, receive, send)


async def _body(receive: Receive, most: int) -> bytes | None:
    """Return a request's body; None if it has more bytes than `most` or is broken off."""
    body = bytearray()
    while (message := await receive())["type"] == "http.request":
        body += message.get("body", b"")
        if len(body) > most:
            return None
        if not message.get("more_body"):
            return bytes(body)
    return None


class _Refused(Exception):
    """With a sentence and a status."""


def _checked(path: str, body: bytes | None) -> bytes:
    """Return a body that Gradio can take: of an event, JSON without halves of characters, which it cannot send back."""
    if body is None:
        raise _Refused("The request is too large.", 413)
    if not _JSON.match(path):
        return body
    try:
        event = json.loads(body or b"{}", object_hook=_unfetched)
        text = json.dumps(event, ensure_ascii=False)
    except (ValueError, RecursionError):
        raise _Refused("The request is not JSON.", 400) from None
    session = event.get("session_hash") if isinstance(event, dict) else None
    if session is not None and not (isinstance(session, str) and _SESSION.fullmatch(session)):
        raise _Refused("The session's name must be 1 to 64 letters, digits and hyphens.", 400)
    return sendable(text).encode()


def _unfetched(given: dict[str, Any]) -> dict[str, Any]:
    """Turn a file that is given by an address into one that Gradio hands on unread, and that `parse_file` refuses."""
    path = given.get("path")
    address = isinstance(path, str) and _SCHEME.match(path)
    return given | {"path": ADDRESS, "url": None, "is_stream": True} if address else given


def _name_files(scope: Scope, body: bytes) -> None:
    """Let a session have the files that its event names, before the event itself waits anywhere."""
    try:
        event = json.loads(body)
        session, data = event["session_hash"], list(event["data"])
    except (ValueError, LookupError, TypeError):
        return
    paths = [given["path"] for given in data if isinstance(given, dict) and "path" in given] if session else []
    for path in paths:
        if isinstance(path, str):
            with suppress(InputError):  # of which the event itself tells
                scope["app"].get_blocks().sessions.file(session, path)


async def _cancelled(body: bytes) -> bytes:
    """End the one event that a request names, and leave the rest to Gradio, which would end its siblings too.

    Gradio ends all that a session has asked of an endpoint, and those of them that nobody gave up would never hear of
    it. Its tasks bear the names of session, endpoint and event.
    """
    event = json.loads(body)
    if not isinstance(event, dict):
        return body
    name = f"{event.get('session_hash')}_{event.get('fn_index')}<gradio-sep>{event.get('event_id')}"
    tasks = [task for task in asyncio.all_tasks() if task.get_name() == name]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return json.dumps(event | {"fn_index": -1}).encode()


def _again(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives the body once more, and then what comes after it."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def received() -> Message:
        return messages.pop() if messages else await receive()

    return received
