"""What a visitor is told when something goes wrong: a sentence, never a stack trace or a path."""

from __future__ import annotations

import html
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import gradio as gr

from mpgsam2.demo.quoting import sendable
from mpgsam2.errors import FrameError, InputError

FAULT = "Something went wrong on our side, not with your clip or sentence: please try again."

_log = logging.getLogger(__name__)


def message_of(error: InputError) -> str:
    """Return an error's sentence as the page says it: frames count from 1, and nothing in it cannot be sent."""
    return sendable(error.from_one if isinstance(error, FrameError) else str(error))


@contextmanager
def errors_for_visitors() -> Iterator[None]:
    """Turn errors into `gr.Error`, the only kind whose text reaches a page or a program.

    An `InputError` keeps its sentence (`told`), as HTML. Anything else goes to the server's log, and `FAULT` is told.
    """
    try:
        yield
    except gr.Error:
        raise
    except InputError as error:
        # Gradio shows the text as HTML, and it may quote the name of a visitor's file.
        raise gr.Error(html.escape(message_of(error), quote=False), print_exception=False) from None
    except Exception:
        _log.exception("A run failed")
        raise gr.Error(FAULT, print_exception=False) from None
