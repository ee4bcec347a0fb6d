"""Which frames of a visitor's clip are used, said in a sentence: nothing is cut silently."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from threading import Event

from mpgsam2.demo.clips import LookedOver
from mpgsam2.demo.estimate import LENT_SECONDS
from mpgsam2.video import Clip, Limits, SelectedClip, Selection, select

LIMITS = Limits(frames=6000, seconds=600, bytes=200_000_000)
"""The largest clip that a visitor may bring."""

MOST_FRAMES = 900
"""Of a clip that one run uses; a longer one is used from its first chosen frame on."""

LONGEST_SIDE = 1920
"""Of the frames that one run uses, in pixels; larger ones are scaled down."""


_clips = LookedOver()


def choose_frames(
    path: str | None,
    selection: Selection,
    stop: Event | None = None,
    fitting: Callable[[Clip], int] | None = None,
) -> tuple[SelectedClip, str]:
    """Return the frames of a clip that a run uses, and a sentence that says which and why.

    The clip is looked over when it is asked for first, in a process of its own.

    Args:
        path: of the clip.
        selection: the frames that are wanted.
        stop: once it is set, the look is given up within a second.
        fitting: how many of a clip's frames can be done in the time for which a GPU is lent; None where it is not lent.

    Raises:
        InputError: the clip cannot be read or is beyond `LIMITS`, or the selection does not fit it.
        Stopped: `stop` was set before the clip had been looked over.
    """
    clip = _clips.clip(path, LIMITS, stop)
    wanted = select(clip, selection)
    cut, large = wanted.frame_count > MOST_FRAMES, max(wanted.width, wanted.height) > LONGEST_SIDE
    if large:
        selection = replace(selection, longest_side=LONGEST_SIDE)
    used = _first(MOST_FRAMES, clip, selection)
    late = fitting is not None and (most := fitting(used)) < used.frame_count
    if late:
        used = _first(most, clip, selection)
    seconds = f"{float(clip.duration):.1f} s at {float(clip.fps):.4g} frames/s"
    remark = f"{_frames(clip.frame_count)} of {clip.width} × {clip.height}, {seconds}."
    if used.frame_count == clip.frame_count:
        remark += " All frames are used" if used.frame_count > 1 else " It is used"
    else:
        last = selection.first + (used.frame_count - 1) * selection.every
        nth = "" if selection.every == 1 else f", every {_ordinal(selection.every)}"
        if used.frame_count == 1:
            remark += f" 1 is used: {last + 1}"
        else:
            remark += f" {used.frame_count} are used: {selection.first + 1} to {last + 1}{nth}"
        cause = f"because one run takes at most {MOST_FRAMES}" if cut else "as chosen"
        remark += f", because no more fit into the {LENT_SECONDS} s for which a GPU is lent" if late else f", {cause}"
    if (used.width, used.height) != (clip.width, clip.height):
        remark += f", scaled to {used.width} × {used.height}"
        remark += f", because one run takes at most {LONGEST_SIDE} px" if large else ""
    if clip.variable_rate:
        remark += "; their spacing in time varies, and so it does in the results"
    if clip.hdr:
        remark += "; their high dynamic range (HDR) is brought into that of ordinary screens"
    return used, f"{remark}."


def _first(number: int, clip: Clip, selection: Selection) -> SelectedClip:
    """Return the first frames of a selection, at most that many."""
    used = select(clip, selection)
    if used.frame_count <= number:
        return used
    return select(clip, replace(selection, last=selection.first + (number - 1) * selection.every))


def _frames(number: int) -> str:
    return f"{number} frame" if number == 1 else f"{number} frames"


def _ordinal(number: int) -> str:
    ending = "th" if 11 <= number % 100 <= 13 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
