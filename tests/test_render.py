"""Pictures: what they must show, and what they must leave alone."""

from __future__ import annotations

import numpy as np
import pytest

from mpgsam2.render import (
    PALETTE,
    cut_out,
    mask_image,
    overlay,
    panels,
    prior_heatmap,
    probability_map,
    side_by_side,
    strip,
)


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
    picture = overlay(frame, mask)
    np.testing.assert_array_equal(picture[~mask], frame[~mask])
    assert (picture[mask] != frame[mask]).any(axis=1).mean() > 0.9
    np.testing.assert_array_equal(frame, before)
    assert picture.dtype == np.uint8


@pytest.mark.parametrize("level", [0, 128, 255])
@pytest.mark.parametrize("colour", [(255, 255, 255), (0, 0, 0), *PALETTE])
def test_the_tint_lies_between_frame_and_colour(level: int, colour: tuple[int, int, int], mask: np.ndarray) -> None:
    frame = np.full((60, 90, 3), level, np.uint8)
    centre = overlay(frame, mask, colour, opacity=0.25)[30, 40]
    np.testing.assert_allclose(centre, 0.75 * level + 0.25 * np.array(colour), atol=0.51)


def test_opacity_goes_from_nothing_to_full(frame: np.ndarray, mask: np.ndarray) -> None:
    np.testing.assert_array_equal(overlay(frame, mask, opacity=0)[25:35, 30:50], frame[25:35, 30:50])
    assert (overlay(frame, mask, opacity=1)[25:35, 30:50] == PALETTE[0]).all()


@pytest.mark.parametrize("level", range(0, 256, 15))
@pytest.mark.parametrize("colour", PALETTE)
def test_the_outline_stands_out_from_any_grey(level: int, colour: tuple[int, int, int], mask: np.ndarray) -> None:
    picture = overlay(np.full((60, 90, 3), level, np.uint8), mask, colour)
    outline = lightness(picture[30, 20:22])  # from the edge inwards: black or white, then the colour
    assert np.abs(outline - lightness(np.full(3, level))).max() > 25
    assert abs(outline[0] - outline[1]) > 25


def test_the_border_of_the_frame_is_no_outline() -> None:
    picture = overlay(np.zeros((60, 90, 3), np.uint8), np.ones((60, 90), bool), opacity=0.5)
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) == 1


@pytest.mark.parametrize("value", [False, True])
def test_empty_and_full_masks(frame: np.ndarray, value: bool) -> None:
    mask = np.full((60, 90), value)
    assert (overlay(frame, mask) != frame).any() == value
    assert (mask_image(mask) == 255 * value).all()


def test_a_mask_of_one_pixel_is_visible() -> None:
    mask = np.zeros((60, 90), bool)
    mask[30, 40] = True
    picture = overlay(np.full((60, 90, 3), 128, np.uint8), mask)
    assert (picture != 128).any(axis=2).sum() == 1


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
    np.testing.assert_array_equal(cut[mask][:, :3], frame[mask])
    assert (cut[~mask] == 0).all()


def test_images_side_by_side() -> None:
    row = side_by_side([np.full((20, width, 3), 7, np.uint8) for width in (30, 10, 5)], gap=2)
    assert row.shape == (20, 30 + 2 + 10 + 2 + 5, 3)
    np.testing.assert_array_equal(np.flatnonzero((row == 255).all(axis=(0, 2))), [30, 31, 42, 43])


def test_a_strip_has_a_column_per_frame_and_a_row_per_panel(frame: np.ndarray, mask: np.ndarray) -> None:
    prior = np.full((14, 14), 0.5, np.float32)
    figure = strip([panels(frame, prior, mask), panels(frame[::-1], prior, mask), panels(frame, prior, ~mask)], gap=4)
    assert figure.shape == (4 * 60 + 3 * 4, 3 * 90 + 2 * 4, 3)
    np.testing.assert_array_equal(figure[:60, 94:184], frame[::-1])
    np.testing.assert_array_equal(figure[128:188, :90], np.repeat(mask_image(mask)[..., None], 3, axis=2))
    np.testing.assert_array_equal(figure[192:, 188:], overlay(frame, ~mask))
    assert (figure[60:64] == 255).all() and (figure[:, 90:94] == 255).all()


def test_a_strip_scales_large_frames_down(frame: np.ndarray) -> None:
    assert strip([[frame], [frame]], tile_width=45, gap=4).shape == (30, 45 + 4 + 45, 3)
