"""Pictures of a high dynamic range (HDR) brought into that of ordinary screens, by a table from colours to colours.

What is white on paper, 203 cd/m² (ITU-R BT.2408), becomes nearly the brightest white; what is brighter is pressed into
what is left above it, hue kept. The wider primaries of BT.2020 become those of BT.709, and the result is coded as sRGB.
"""

from __future__ import annotations

import numpy as np

PQ, HLG = 16, 18
"""The transfer functions of SMPTE ST 2084 and ARIB STD-B67, by their numbers in ITU-T H.273."""

_TABLE_POINTS = 33  # along each axis
_WHITE_LUMINANCE = 203.0  # cd/m²
_PEAK_LUMINANCE = 1000.0  # cd/m², of the screen that HLG is made for
_KNEE = 0.8  # of the white, above which brightness is pressed together
_TO_709 = np.array(  # ITU-R BT.2087
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]]
)
_LUMINANCE = np.array([0.2627, 0.6780, 0.0593])  # of BT.2020's primaries


def cube(transfer: int) -> str:
    """Return the table for a transfer function, PQ or HLG, as a .cube file, which ffmpeg's `lut3d` reads."""
    points = np.linspace(0, 1, _TABLE_POINTS)
    blue, green, red = np.meshgrid(points, points, points, indexing="ij")  # red changes fastest
    colours = to_sdr(np.stack([red, green, blue], -1).reshape(-1, 3), transfer)
    rows = "\n".join("{:.5f} {:.5f} {:.5f}".format(*colour) for colour in colours)
    return f"LUT_3D_SIZE {_TABLE_POINTS}\n{rows}\n"


def to_sdr(colours: np.ndarray, transfer: int) -> np.ndarray:
    """Return colours of a high dynamic range as an ordinary screen shows them.

    Args:
        colours: (N, 3) float, R'G'B' of BT.2020 in 0..1, coded with the transfer function.
        transfer: PQ or HLG.

    Returns:
        (N, 3) float, sRGB in 0..1.
    """
    light = _from_pq(colours) if transfer == PQ else _from_hlg(colours)
    light = np.maximum(light / _WHITE_LUMINANCE @ _TO_709.T, 0)
    brightest = light.max(axis=1, keepdims=True)
    over = np.maximum(brightest - _KNEE, 0)
    pressed = np.minimum(brightest, _KNEE) + (1 - _KNEE) * -np.expm1(-over / (1 - _KNEE))
    light *= pressed / np.maximum(brightest, 1e-9)
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055).clip(0, 1)


def _from_pq(coded: np.ndarray) -> np.ndarray:
    """Return cd/m² (SMPTE ST 2084)."""
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 107 / 128, 2413 / 128, 2392 / 128
    power = coded ** (1 / m2)
    return 10_000 * (np.maximum(power - c1, 0) / (c2 - c3 * power)) ** (1 / m1)


def _from_hlg(coded: np.ndarray) -> np.ndarray:
    """Return cd/m² on a screen of 1000 cd/m² (ITU-R BT.2100)."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(coded <= 0.5, coded**2 / 3, (np.exp((coded - c) / a) + b) / 12)
    return _PEAK_LUMINANCE * (scene @ _LUMINANCE)[:, None] ** 0.2 * scene
