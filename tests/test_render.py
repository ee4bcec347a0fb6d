"""Pictures: what they must show, and what they must leave alone."""

from __future__ import annotations

from itertools import combinations

import cv2
import numpy as np
import pytest

from mpgsam2.errors import InputError
from mpgsam2.export.drawing import Look, cut_out, mask_image, overlay, prior_heatmap, probability_map, side_by_side
from mpgsam2.palette import PALETTE


@pytest.fixture
def frame() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (60, 90, 3), dtype=np.uint8)


@pytest.fixture
def mask() -> np.ndarray:
    mask = np.zeros((60, 90), bool)
    mask[15:45, 20:60] = True
    return mask


def lightness(pixels: np.ndarray) -> np.ndarray:
    """CIE L* of (..., 3) uint8 sRGB, 0 to 100."""
    linear = np.where(pixels <= 10, pixels / 255 / 12.92, ((pixels / 255 + 0.055) / 1.055) ** 2.4)
    luminance = linear @ [0.2126, 0.7152, 0.0722]
    return np.where(luminance > 0.008856, 116 * np.cbrt(luminance) - 16, 903.3 * luminance)


def deuteranope(colour: np.ndarray) -> np.ndarray:
    """How (..., 3) linear-light RGB looks without green cones (Viénot, Brettel and Mollon, 1999)."""
    return colour @ np.array([[0.29275, 0.29275, -0.02234], [0.70725, 0.70725, 0.02234], [0, 0, 1]])


def test_the_overlay_leaves_all_but_the_object_alone(frame: np.ndarray, mask: np.ndarray) -> None:
    before = frame.copy()
    picture = overlay(frame, [mask])
    np.testing.assert_array_equal(picture[~mask], frame[~mask])
    assert (picture[mask] != frame[mask]).any(axis=1).mean() > 0.9
    np.testing.assert_array_equal(frame, before)
    assert picture.dtype == np.uint8


@pytest.mark.parametrize("level", [0, 128, 255])
@pytest.mark.parametrize("colour", [(255, 255, 255), (0, 0, 0), *PALETTE])
def test_the_tint_lies_between_frame_and_colour(level: int, colour: tuple[int, int, int], mask: np.ndarray) -> None:
    frame = np.full((60, 90, 3), level, np.uint8)
    centre = overlay(frame, [mask], Look(opacity=0.25, colours=(colour,)))[30, 40]
    np.testing.assert_allclose(centre, 0.75 * level + 0.25 * np.array(colour), atol=0.51)


def test_opacity_goes_from_nothing_to_full(frame: np.ndarray, mask: np.ndarray) -> None:
    np.testing.assert_array_equal(overlay(frame, [mask], Look(opacity=0))[25:35, 30:50], frame[25:35, 30:50])
    assert (overlay(frame, [mask], Look(opacity=1))[25:35, 30:50] == PALETTE[0]).all()


@pytest.mark.parametrize("level", range(0, 256, 15))
@pytest.mark.parametrize("colour", PALETTE)
def test_the_outline_stands_out_from_any_grey(level: int, colour: tuple[int, int, int], mask: np.ndarray) -> None:
    picture = overlay(np.full((60, 90, 3), level, np.uint8), [mask], Look(colours=(colour,)))
    outline = lightness(picture[30, 20:22])  # from the edge inwards: black or white, then the colour
    assert np.abs(outline - lightness(np.full(3, level))).max() > 25
    assert abs(outline[0] - outline[1]) > 25


@pytest.mark.parametrize("under", [*PALETTE, (255, 255, 255), (0, 0, 0), (127, 63, 191)])
@pytest.mark.parametrize("colour", PALETTE)
def test_dimmed_surroundings_let_the_object_stand_out_in_its_own_colours(
    under: tuple[int, int, int], colour: tuple[int, int, int], mask: np.ndarray
) -> None:
    """Whatever lies under object and ground alike: a bright line on a dark grey, and a coloured one within it."""
    frame = np.full((60, 90, 3), under, np.uint8)
    picture = overlay(frame, [mask], Look(opacity=0, colours=(colour,), dimmed=0.8))
    assert (picture[25:35, 30:50] == under).all()
    ground = picture[~mask]
    assert (ground == ground[0]).all() and lightness(ground[0]) <= 65
    assert (picture[30, 20] == 255).all() and (picture[30, 21] == colour).all()
    assert lightness(picture[30, 20]) - lightness(ground[0]) > 30
    assert int(ground[0].max()) - int(ground[0].min()) <= 0.2 * (max(under) - min(under)) + 2


def test_without_a_mask_all_is_dimmed_and_the_frame_itself_stays(frame: np.ndarray, mask: np.ndarray) -> None:
    before = frame.copy()
    picture = overlay(frame, [None, ~mask & mask], Look(dimmed=1))
    assert (picture[..., 0] == picture[..., 2]).all() and picture.max() <= 128
    np.testing.assert_array_equal(frame, before)
    np.testing.assert_array_equal(overlay(frame, [mask], Look(dimmed=0)), overlay(frame, [mask]))
    with pytest.raises(InputError, match="dimming"):
        Look(dimmed=1.5)


def test_the_border_of_the_frame_is_no_outline() -> None:
    picture = overlay(np.zeros((60, 90, 3), np.uint8), [np.ones((60, 90), bool)], Look(opacity=0.5))
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) == 1


@pytest.mark.parametrize("value", [False, True])
def test_empty_and_full_masks(frame: np.ndarray, value: bool) -> None:
    mask = np.full((60, 90), value)
    assert (overlay(frame, [mask]) != frame).any() == value
    assert (mask_image(mask) == 255 * value).all()


def test_a_mask_of_one_pixel_is_visible() -> None:
    mask = np.zeros((60, 90), bool)
    mask[30, 40] = True
    picture = overlay(np.full((60, 90, 3), 128, np.uint8), [mask])
    assert (picture != 128).any(axis=2).sum() == 1


def test_every_query_has_its_colour_and_the_later_is_on_top(frame: np.ndarray, mask: np.ndarray) -> None:
    other = np.zeros_like(mask)
    other[30:58, 40:88] = True
    full = Look(opacity=1)
    picture = overlay(frame, [mask, other], full)
    assert (picture[20:28, 25:38] == PALETTE[0]).all()
    assert (picture[35:53, 45:83] == PALETTE[1]).all()
    np.testing.assert_array_equal(picture[~mask & ~other], frame[~mask & ~other])
    alone = overlay(frame, [None, other], full)
    np.testing.assert_array_equal(alone[other], picture[other])
    np.testing.assert_array_equal(alone[~other], frame[~other])


def test_colours_that_are_left_open_are_the_palette_s(frame: np.ndarray, mask: np.ndarray) -> None:
    for look in (Look(colours=()), Look(colours=(PALETTE[5], None))):
        picture = overlay(frame, [None, mask], look)
        np.testing.assert_array_equal(picture, overlay(frame, [None, mask], Look(colours=PALETTE)))
    again = overlay(frame, [None] * len(PALETTE) + [mask])
    assert (again == PALETTE[0]).all(axis=2).any()


@pytest.mark.parametrize(
    "mask", [np.eye(60, 90, 7, bool), np.fliplr(np.tri(60, 90, dtype=bool)), np.ones((60, 90), bool)]
)
def test_an_outline_is_one_dark_pixel_and_two_coloured_ones_whatever_the_shape(mask: np.ndarray) -> None:
    frame = np.full((200, 200, 3), 90, np.uint8)
    moved = np.zeros((200, 200), bool)
    moved[70:130, 50:140] = mask
    picture = overlay(frame, [moved])
    np.testing.assert_array_equal(picture[~moved], frame[~moved])
    lines = (picture == PALETTE[0]).all(axis=2)
    edge = moved & ~eroded(moved, 1)
    assert (picture[edge] == 0).all() and not lines[edge].any()
    np.testing.assert_array_equal(lines, eroded(moved, 1) & ~eroded(moved, 3))


def eroded(mask: np.ndarray, radius: int) -> np.ndarray:
    """(H, W) bool, the pixels of a mask with no other within a disk of so many pixels."""
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1,) * 2).astype(bool)
    kept = mask.copy()
    for row, column in np.argwhere(disk):
        kept &= np.roll(mask, (row - radius, column - radius), (0, 1))
    return kept


def hatched(index: int, level: int = 200) -> np.ndarray:
    """(H, W) bool, where the hatching of a query changes the middle of a large mask."""
    frame, mask = np.full((120, 120, 3), level, np.uint8), np.zeros((120, 120), bool)
    mask[10:110, 10:110] = True
    plain, patterned = (overlay(frame, [None] * index + [mask], Look(pattern=pattern)) for pattern in (False, True))
    np.testing.assert_array_equal(patterned[~mask], frame[~mask])
    changed = (plain != patterned).any(axis=2)
    assert not changed[mask & ~eroded(mask, 3)].any()
    return changed[20:100, 20:100]


def test_hatching_rises_falls_lies_level_or_is_dots() -> None:
    rising, falling, level, dots = map(hatched, range(4))
    for lines in (rising, falling, level, dots):
        assert 0.05 < lines.mean() < 0.3
    np.testing.assert_array_equal(rising[1:, :-1], rising[:-1, 1:])
    np.testing.assert_array_equal(falling[1:, 1:], falling[:-1, :-1])
    np.testing.assert_array_equal(level[:, 1:], level[:, :-1])
    assert dots.any(axis=0).mean() < 0.7 and dots.any(axis=1).mean() < 0.7
    for one, other in combinations((rising, falling, level, dots), 2):
        assert (one != other).mean() > 0.05


@pytest.mark.parametrize("level", range(0, 256, 51))
@pytest.mark.parametrize("index", range(4))
def test_hatching_stands_out_from_any_grey(level: int, index: int) -> None:
    assert hatched(index, level).any()
    frame, mask = np.full((120, 120, 3), level, np.uint8), np.ones((120, 120), bool)
    shades = lightness(overlay(frame, [None] * index + [mask], Look(opacity=1, pattern=True)))
    assert np.ptp(shades) > 25


def test_hatching_stays_where_it_is_while_a_mask_moves() -> None:
    frame = np.full((120, 120, 3), 200, np.uint8)
    pictures, masks = [], []
    for left in (10, 15):
        mask = np.zeros((120, 120), bool)
        mask[10:90, left : left + 90] = True
        pictures.append(overlay(frame, [mask], Look(pattern=True)))
        masks.append(eroded(mask, 3))
    both = masks[0] & masks[1]
    np.testing.assert_array_equal(pictures[0][both], pictures[1][both])


def test_the_palette_is_told_apart_with_and_without_green_cones() -> None:
    colours = (np.array(PALETTE) / 255) ** 2.2
    for seen in (colours, deuteranope(colours)):
        seen = np.clip(seen, 0, 1) ** (1 / 2.2) * 255
        distances = np.linalg.norm(seen[:, None] - seen[None], axis=2) + 1e3 * np.eye(len(PALETTE))
        assert distances.min() > 25


def test_probabilities_rise_in_lightness_evenly() -> None:
    ramp = lightness(probability_map(np.linspace(0, 1, 256, dtype=np.float32)[None])[0])
    assert ramp[0] < 2 and ramp[-1] > 95
    steps = np.diff(ramp[::8])
    assert steps.min() > 0
    assert steps.max() < 3 * np.median(steps)


def test_probabilities_beyond_the_range_do_not_wrap_around() -> None:
    picture = probability_map(np.float32([[-0.3, 0, 1, 1.3]]))[0]
    np.testing.assert_array_equal(picture[0], picture[1])
    np.testing.assert_array_equal(picture[2], picture[3])


@pytest.mark.parametrize("opacity", [0.3, 0.85, 1.0])
def test_the_prior_is_brightest_where_it_is_highest(opacity: float) -> None:
    prior = np.zeros((14, 14), np.float32)
    prior[3, 10] = 1
    picture = prior_heatmap(np.full((140, 280, 3), 60, np.uint8), prior, opacity)
    assert picture.shape == (140, 280, 3) and picture.dtype == np.uint8
    row, column = np.unravel_index(lightness(picture).argmax(), (140, 280))
    assert (row // 10, column // 20) == (3, 10)


def test_the_prior_is_absolute(frame: np.ndarray) -> None:
    faint = prior_heatmap(frame, np.full((14, 14), 0.1, np.float32))
    strong = prior_heatmap(frame, np.full((14, 14), 0.9, np.float32))
    assert lightness(strong).mean() > lightness(faint).mean() + 30


def test_the_frame_shows_through_an_empty_prior_in_grey(frame: np.ndarray) -> None:
    frame[:, :45], frame[:, 45:] = (200, 40, 40), (40, 200, 200)
    picture = prior_heatmap(frame, np.zeros((14, 14), np.float32)).astype(int)
    assert np.ptp(picture, axis=2).max() <= 4
    assert abs(picture[:, 45:].mean() - picture[:, :45].mean()) > 20
    np.testing.assert_array_equal(np.ptp(prior_heatmap(frame, np.zeros((14, 14)), opacity=0), axis=2), 0)


def test_mask_image_and_cut_out(frame: np.ndarray, mask: np.ndarray) -> None:
    image = mask_image(mask)
    assert image.dtype == np.uint8 and set(np.unique(image)) == {0, 255}
    assert ((image == 255) == mask).all()
    cut = cut_out(frame, mask)
    assert cut.shape == (60, 90, 4)
    np.testing.assert_array_equal(cut[..., 3], image)
    near = np.zeros_like(mask)
    near[11:49, 16:64] = True  # four pixels around
    np.testing.assert_array_equal(cut[near][:, :3], frame[near])
    assert (cut[~near] == 0).all()


def test_images_side_by_side() -> None:
    row = side_by_side([np.full((20, width, 3), 7, np.uint8) for width in (30, 10, 5)], gap=2)
    assert row.shape == (20, 30 + 2 + 10 + 2 + 5, 3)
    np.testing.assert_array_equal(np.flatnonzero((row == 255).all(axis=(0, 2))), [30, 31, 42, 43])


@pytest.mark.parametrize(
    "wrong",
    [
        *({"opacity": opacity} for opacity in (2, -0.1, float("nan"), float("inf"), None, "0.4")),
        *({"colours": colours} for colours in (((256, 0, 0),), ((1, 2),), ((0.5, 0, 0),), ((-1, 0, 0),))),
    ],
)
def test_a_look_that_cannot_be_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InputError, match="from 0 to"):
        Look(**wrong)


def test_the_ends_of_opacity_can_be() -> None:
    assert (Look(opacity=0).opacity, Look(opacity=np.float32(1)).opacity) == (0, 1)
