"""Uploads, each to a folder of its own that nobody can guess.

Gradio names the folder after the content, so that whoever brings the same file shares it, and anybody can find out
whether a file has been here. Here no two visitors share an upload.
"""

from __future__ import annotations

import errno
import logging
import secrets
import shutil
import tempfile
from pathlib import Path

from gradio.route_utils import upload_fn
from gradio.routes import file_upload_statuses
from python_multipart.exceptions import FormParserError
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import Message, Receive, Scope

from mpgsam2.demo.frames import LIMITS
from mpgsam2.demo.home import home

TOO_LARGE = (
    f"The file is too large: at most {LIMITS.bytes / 1e6:.0f} MB are taken; shorten the clip or compress it more."
)
NO_ROOM = "There is no room for the file on our disk at the moment: please try again later, or with a smaller one."
BROKEN = "The upload is broken: please try again."

_SPARE_BYTES = 100_000  # of a request beside its files
_FREE_BYTES = 2 * LIMITS.bytes  # of the disk that uploads leave to the runs, or a twentieth of a small one

_log = logging.getLogger(__name__)


class _TooLarge(Exception):
    pass


async def receive_upload(scope: Scope, receive: Receive) -> Response:
    """Take the files of a multipart request; the answer lists their paths, as Gradio's own route does.

    A refusal is one sentence of plain text, and nothing is left of what had come.
    """
    request = Request(scope, _counted(receive, LIMITS.bytes + _SPARE_BYTES))
    upload_id = request.query_params.get("upload_id")
    progress = file_upload_statuses if upload_id else None
    try:
        disk = shutil.disk_usage(home())
        if disk.free < min(disk.total // 20, _FREE_BYTES):
            raise OSError(errno.ENOSPC, "nearly full")
        with tempfile.TemporaryDirectory(prefix="upload-", dir=home(), ignore_cleanup_errors=True) as folder:
            files, *_ = await upload_fn(request, folder, LIMITS.bytes, upload_id, upload_progress=progress)
            moved = {file: str(_moved(Path(file))) for file in dict.fromkeys(files)}  # twins share Gradio's folder
            return JSONResponse([moved[file] for file in files])
    except _TooLarge:
        refusal = PlainTextResponse(TOO_LARGE, 413)
    except MultiPartException as error:
        large = "File size exceeded" in error.message
        refusal = PlainTextResponse(TOO_LARGE if large else BROKEN, 413 if large else 400)
    except (FormParserError, HTTPException, ClientDisconnect, TypeError, ValueError):
        refusal = PlainTextResponse(BROKEN, 400)
    except OSError:
        _log.exception("An upload could not be kept")
        refusal = PlainTextResponse(NO_ROOM, 507)
    if progress and upload_id:
        progress.set_done(upload_id)
    return refusal


def _moved(file: Path) -> Path:
    folder = home() / secrets.token_hex(32)
    folder.mkdir()
    return file.replace(folder / file.name)


def _counted(receive: Receive, most: int) -> Receive:
    """Return a `receive` that raises `_TooLarge` once more bytes have come than `most`."""
    left = most

    async def counted() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        if left < 0:
            raise _TooLarge
        return message

    return counted
