"""Each object's colour stands out from what lies within and around it, and from the other objects' colours."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
import pytest

from mpgsam2.export.colours import settle_colours
from mpgsam2.export.drawing import Look
from mpgsam2.palette import PALETTE, Colour


def lab(colour: Colour) -> np.ndarray:
    return cv2.cvtColor(np.float32([[colour]]) / 255, cv2.COLOR_RGB2LAB)[0, 0]


def apart(first: Colour, second: Colour) -> float:
    return float(np.linalg.norm(lab(first) - lab(second)))


def box(left: int, right: int) -> np.ndarray:
    mask = np.zeros((60, 90), bool)
    mask[20:40, left:right] = True
    return mask


def painted(ground: Colour, *things: tuple[np.ndarray, Colour]) -> np.ndarray:
    frame = np.full((60, 90, 3), ground, np.uint8)
    for mask, colour in things:
        frame[mask] = colour
    return frame


GROUNDS = [*PALETTE, (255, 255, 255), (0, 0, 0), (127, 63, 191), (120, 120, 120)]


@pytest.mark.parametrize(("under", "around"), [*itertools.product(GROUNDS, GROUNDS)])
def test_a_colour_is_the_farthest_from_what_lies_under_and_around(under: Colour, around: Colour) -> None:
    mask = box(30, 50)
    (chosen,) = settle_colours(Look(), painted(around, (mask, under)), [mask]).colours
    least = {colour: min(apart(colour, under), apart(colour, around)) for colour in PALETTE}
    assert least[chosen] == pytest.approx(max(least.values()), abs=0.01)
    assert least[chosen] > 38  # twice what the usual sky blue keeps from violet


@pytest.mark.parametrize("ground", GROUNDS)
def test_objects_never_share_a_colour(ground: Colour) -> None:
    mask = box(30, 50)
    frame = painted(ground)
    for masks in ([mask] * 4, [box(5, 15), box(25, 35), box(45, 55), box(65, 75)], [mask, ~mask, mask & ~mask, mask]):
        colours = settle_colours(Look(), frame, masks).colours
        assert len(set(colours)) == 4 and set(colours) <= set(PALETTE)
        assert settle_colours(Look(), frame, masks).colours == colours


def test_what_was_chosen_stays_and_is_left_to_its_owner() -> None:
    mask = box(30, 50)
    frame = painted((120, 120, 120))
    (first,) = settle_colours(Look(), frame, [mask]).colours
    given = settle_colours(Look(opacity=0.25, pattern=True, colours=(None, first)), frame, [mask] * 3)
    assert given.colours[1] == first and len(set(given.colours)) == 3
    assert (given.opacity, given.pattern) == (0.25, True)
    own = (first, (1, 2, 3), first)  # twice the same, if that is what somebody wants
    assert settle_colours(Look(colours=own), frame, [mask] * 3).colours == own
    assert settle_colours(Look(colours=own), frame, [mask]).colours == (first,)


def test_only_the_neighbourhood_counts() -> None:
    """Not what lies far off; of an object that is not there yet, nothing else is known than the frame."""
    mask, blue, yellow = box(30, 50), PALETTE[0], PALETTE[4]
    frame = painted((120, 120, 120), (mask, yellow))
    elsewhere = frame.copy()
    elsewhere[:10] = elsewhere[50:] = blue
    expected = settle_colours(Look(), frame, [mask]).colours
    assert settle_colours(Look(), elsewhere, [mask]).colours == expected != (yellow,)
    nothing, everything = mask & ~mask, mask | ~mask
    for ground in GROUNDS:
        hidden, whole = (settle_colours(Look(), painted(ground), [one]).colours for one in (nothing, everything))
        assert hidden == whole
