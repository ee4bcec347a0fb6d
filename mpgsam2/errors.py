"""The one error that a user's own input can cause, and what ends work that is no longer wanted."""

from __future__ import annotations


class InputError(ValueError):
    """Something the user gave cannot be used; the message is one sentence that says what is wrong and what to do.

    The message is shown to the user as it stands, so it never holds a path of the machine or a stack trace.
    """


class Stopped(Exception):
    """Work was given up before it had a result, because somebody asked to stop."""
