"""What a run's masks show, in words: the alternative text of a picture or a video for who cannot see it."""

from __future__ import annotations

import cv2
import numpy as np

from mpgsam2.video.wording import frames_in_words

_STATIONS = 5  # of a clip, one after the other; each is a median of its frames
_LEAST_MOTION = 0.08  # of the picture's shorter side
_LEAST_SHARE_OF_OTHER_AXIS = 0.5  # of the way along the other axis, for a direction to be told too
_LEAST_STRAIGHTNESS = 0.6  # distance from start to end over the whole way gone, for a direction to be told
_LEAST_GROWTH = 1.4  # last area over the first


class Description:
    """The description of one query's masks, fed frame by frame: "red circle, found in 60 of 60 frames, moves upwards".

    Nothing of a mask is kept but its centre, its area and whether it touches the picture's border.

    Args:
        expression: the sentence of the query.
        frames: of the whole run; a run that stops early has fewer masks.
        understood: whether the masks can be said to be what the sentence names.
    """

    def __init__(self, expression: str, frames: int, *, understood: bool = True) -> None:
        self.expression = " ".join(expression.split()).rstrip(" .!")
        self.frames = frames
        self._verb = "found" if understood else "marked"
        self._masks = 0
        self._centres: list[tuple[float, float]] = []  # x, y in shorter sides of the picture
        self._areas: list[float] = []
        self._whole: list[bool] = []  # whether the border does not cut the object

    def add(self, mask: np.ndarray) -> None:
        """Take in the next frame's mask, (H, W) bool."""
        self._masks += 1
        moments = cv2.moments(mask.view(np.uint8), binaryImage=True)
        area = moments["m00"]
        if area:
            side = min(mask.shape)
            self._centres.append((moments["m10"] / area / side, moments["m01"] / area / side))
            self._areas.append(area)
            self._whole.append(not (mask[[0, -1]].any() or mask[:, [0, -1]].any()))

    @property
    def sentence(self) -> str:
        """The description of the frames so far."""
        found = len(self._centres)
        frames = ("the first " if self._masks < self.frames else "") + frames_in_words(self._masks)
        parts = [self.expression, f"{self._verb} in {found} of {frames}" if found else f"not {self._verb} in {frames}"]
        if found > 1:
            parts.append(self._change())
        return ", ".join(parts)

    def _change(self) -> str:
        motion = self._motion()
        areas = np.array(self._areas)
        if motion:  # what comes into the picture does not grow
            areas = areas[self._whole]
        words = [motion or "stays in place", _growth(areas)]
        return " and ".join(filter(None, words))

    def _motion(self) -> str | None:
        stations = _stations(np.array(self._centres))
        way = stations[-1] - stations[0]
        gone = np.hypot(*np.diff(stations, axis=0).T).sum()
        if np.hypot(*way) < _LEAST_STRAIGHTNESS * gone:
            return "moves about" if gone >= 2 * _LEAST_MOTION else None
        across, along = np.abs(way)
        words = []
        if across >= max(_LEAST_MOTION, _LEAST_SHARE_OF_OTHER_AXIS * along):
            words.append("left to right" if way[0] > 0 else "right to left")
        if along >= max(_LEAST_MOTION, _LEAST_SHARE_OF_OTHER_AXIS * across):
            words.append("downwards" if way[1] > 0 else "upwards")
        return f"moves {' and '.join(words)}" if words else None


def _growth(areas: np.ndarray) -> str | None:
    if len(areas) < 2:
        return None
    stations = _stations(areas)
    change = stations[-1] / stations[0]
    return "grows" if change >= _LEAST_GROWTH else "shrinks" if change <= 1 / _LEAST_GROWTH else None


def _stations(values: np.ndarray) -> np.ndarray:
    """Return values (T, …) as their medians over at most _STATIONS consecutive parts: a stray one is no matter."""
    return np.array([np.median(part, axis=0) for part in np.array_split(values, min(_STATIONS, len(values)))])
