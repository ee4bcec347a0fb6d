"""The one error that a user's own input can cause, and what ends work that is no longer wanted."""

from __future__ import annotations


class InputError(ValueError):
    """Something the user gave cannot be used; the message is one sentence that says what is wrong and what to do.

    The message is shown to the user as it stands, so it never holds a path of the machine or a stack trace.
    """


class Stopped(Exception):
    """Work was given up before it had a result, because somebody asked to stop."""


class FrameError(InputError):
    """An `InputError` that names frames, counted from 0 as in Python, or from 1 as on the page.

    Args:
        sentence: with the frames counted from 0; the message.
        from_one: the same with the frames counted from 1.
    """

    def __init__(self, sentence: str, from_one: str) -> None:
        super().__init__(sentence, from_one)
        self.from_one = from_one

    def __str__(self) -> str:
        return self.args[0]
