"""Which frames of a video make a clip to train on (benchmarks.md 2)."""

from __future__ import annotations

import random

_MAX_DISTANCE = 3  # frames to the neighbours of a clip's first choice


def choose_frames(count: int, at: int, length: int, rng: random.Random) -> list[int]:
    """Return a clip around a frame: it, one a few frames before, one a few after, and the rest from the whole video.

    Args:
        count: frames of the video.
        at: the frame, 0…count - 1.
        length: of the clip; 1 or at least 3.
        rng: draws the others.

    Returns:
        Sorted numbers of frames; some come twice at a video's ends and where it is short.
    """
    if length == 1:
        return [at]
    near = [max(at - rng.randint(1, _MAX_DISTANCE), 0), at, min(at + rng.randint(1, _MAX_DISTANCE), count - 1)]
    more = length - len(near)
    outside = [*range(near[0]), *range(near[-1] + 1, count)]
    pool = outside if len(outside) >= more else range(count)
    times, rest = divmod(more, len(pool)) if more else (0, 0)
    return sorted([*near, *times * list(pool), *rng.sample(pool, rest)])
