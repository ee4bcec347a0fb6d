"""The sound of a clip, put under a video made from it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from mpgsam2.errors import InputError
from mpgsam2.video.clip import Clip
from mpgsam2.video.guard import Failed, ask

Sound = Literal["kept", "none", "unreadable"]

_TIMEOUT_SECONDS = 60.0  # beside a tenth of the sound's length; real sound takes a hundredth


def add_sound(video: Path, clip: Clip, start: float, duration: float) -> Sound:
    """Put a stretch of a clip's sound under a video, as AAC in stereo; the pictures are left as they are.

    What was seen and heard together stays together, wherever the clip's sound begins and however its clock jumps.

    Args:
        video: the mp4, replaced when all went well and left alone otherwise.
        clip: whose sound it is; of a selection, the clip that it was made from.
        start, duration: of the stretch, in seconds since the clip's first frame.

    Returns:
        "kept"; "none" if the clip has no sound there; "unreadable" if it has some that cannot be read. Nothing is
        ever raised because of the clip.
    """
    if not clip.stretches:
        return "none"
    unfinished = video.with_name(f".{video.name}.sound.part")
    files = {"video": str(video), "out": str(unfinished), "source": str(clip.path)}
    asked = {"task": "sound", **files, "stretches": clip.stretches, "start": start, "duration": duration}
    patience = _TIMEOUT_SECONDS + duration / 10
    try:
        sound = ask(asked, seconds=patience, silence=patience)
        if sound == "kept":
            unfinished.replace(video)
        return sound
    except (Failed, InputError):
        return "unreadable"
    finally:
        unfinished.unlink(missing_ok=True)
