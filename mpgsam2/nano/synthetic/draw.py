"""Drawing things: anti-aliased coverage inside their bounding box, label maps from it, and paint."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

import cv2
import numpy as np

from mpgsam2.nano.drawings.atlas import RADIUS
from mpgsam2.nano.synthetic.motion_blur import is_smeared, smear
from mpgsam2.nano.synthetic.scene import Scene
from mpgsam2.nano.synthetic.shapes import SHAPES
from mpgsam2.nano.synthetic.textures import TEXTURES
from mpgsam2.nano.synthetic.things import Body
from mpgsam2.nano.synthetic.world import World

SUPERSAMPLING = 4  # subpixels per pixel and axis
FIXED_POINT = 4  # fractional bits of polygon corners, in subpixels
SMALLEST_PERIOD = 5.0  # px, of a texture


@dataclass(frozen=True)
class Patch:
    """A thing's box in one frame, and its coverage: (h, w) uint8, 255 where it covers a pixel wholly."""

    rows: slice
    columns: slice
    coverage: np.ndarray

    def smear(self, way: np.ndarray, height: int, width: int) -> Patch:
        """Return the patch of the thing moving by `way`, (2,) px x, y, around here, in a frame of height and width."""
        x, y = np.ceil(np.abs(way) / 2).astype(int).tolist()
        rows = slice(max(self.rows.start - y, 0), min(self.rows.stop + y, height))
        columns = slice(max(self.columns.start - x, 0), min(self.columns.stop + x, width))
        coverage = cv2.copyMakeBorder(
            self.coverage,
            self.rows.start - rows.start,
            rows.stop - self.rows.stop,
            self.columns.start - columns.start,
            columns.stop - self.columns.stop,
            cv2.BORDER_CONSTANT,
            value=0,
        )
        return Patch(rows, columns, smear(coverage, way))


def cover(body: Body, frame: int, height: int, width: int, offset: np.ndarray) -> Patch | None:
    """Return the patch of a body, the picture shifted by `offset` (x, y) px; None where it is wholly outside."""
    cosine, sine = math.cos(body.angles[frame]), math.sin(body.angles[frame])
    rotation = np.array([[cosine, sine], [-sine, cosine]]) * body.radii[frame]
    drawing = body.thing.drawing
    flip = 1 if body.flips is None else int(body.flips[frame])
    outline = drawing.outline * (flip, 1) if drawing else SHAPES[body.thing.shape].outline
    corners = outline @ rotation + (body.centres[frame] + offset)
    (left, top), (right, bottom) = corners.min(0).tolist(), corners.max(0).tolist()
    x0, y0 = max(math.floor(left), 0), max(math.floor(top), 0)
    x1, y1 = min(math.ceil(right), width), min(math.ceil(bottom), height)
    if x0 >= x1 or y0 >= y1:
        return None
    if drawing:
        patch = Patch(slice(y0, y1), slice(x0, x1), np.empty((y1 - y0, x1 - x0), np.uint8))
        opacity = drawing.copy_for(body.radii[frame])[1]
        _warp(opacity, RADIUS * len(opacity), body, frame, patch, offset, patch.coverage, cv2.BORDER_CONSTANT)
        return patch
    # a subpixel's centre has integer coordinates in OpenCV, and its fill takes in the edge: hence the half
    corners = (corners - (x0, y0)) * SUPERSAMPLING - 0.5
    fine = np.zeros(((y1 - y0) * SUPERSAMPLING, (x1 - x0) * SUPERSAMPLING), np.uint8)
    cv2.fillPoly(fine, [np.rint(corners * 2**FIXED_POINT).astype(np.int32)], 255, shift=FIXED_POINT)
    coverage = cv2.resize(fine, (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA)
    return Patch(slice(y0, y1), slice(x0, x1), coverage)


def cover_all(scene: Scene, offsets: np.ndarray) -> list[list[Patch | None]]:
    """Return the patches, [frame][body]; offsets: (T, 2) px by which the camera shifts the frames."""
    return [
        [cover(body, frame, scene.height, scene.width, offset) for body in scene.bodies]
        for frame, offset in enumerate(offsets)
    ]


def label(patches: list[list[Patch | None]], height: int, width: int) -> np.ndarray:
    """Return (T, height, width) uint8: k + 1 where body k is the topmost to cover half of the pixel, else 0."""
    labels = np.zeros((len(patches), height, width), np.uint8)
    for frame, bodies in zip(labels, patches, strict=True):
        for k, patch in enumerate(bodies):
            if patch is not None:
                frame[patch.rows, patch.columns][patch.coverage >= 128] = k + 1
    return labels


class Painter:
    """Paints the bodies of one scene: draws textures, light and shadow once, then puts them into every frame."""

    def __init__(self, rng: random.Random, world: World, scene: Scene) -> None:
        lit = rng.random() < world.shading
        light = rng.uniform(-0.75 * math.pi, -0.25 * math.pi)  # from above
        self._bodies = scene.bodies
        self._tiles = [_draw_tile(rng, body, light if lit else None, world.highlight) for body in scene.bodies]
        side = min(scene.height, scene.width)
        self._shadow_strength = rng.uniform(0.2, 0.5) if rng.random() < world.shadow else 0.0
        self._shadow_offset = -np.array([math.cos(light), math.sin(light)]) * rng.uniform(0.01, 0.035) * side
        self._shadow_blur = rng.uniform(0.006, 0.02) * side

    def paint(
        self, picture: np.ndarray, frame: int, patches: list[Patch | None], offset: np.ndarray, ways: np.ndarray
    ) -> None:
        """Paint all bodies into `picture`, (H, W, 3) uint8 RGB, in place; patches and offset are those of the frame.

        ways: (N, 2) px x, y by which the bodies move while the frame is exposed.
        """
        for body, tile, patch, way in zip(self._bodies, self._tiles, patches, ways, strict=True):
            if patch is None:
                continue
            smeared = is_smeared(way)
            if smeared:
                patch = patch.smear(way, *picture.shape[:2])
            if self._shadow_strength:
                self._paint_shadow(picture, patch)
            opacity = patch.coverage.astype(np.float32) / 255
            target = picture[patch.rows, patch.columns]
            paint = np.empty_like(target)
            if body.thing.drawing:
                colours = body.thing.drawing.copy_for(body.radii[frame])[0]
                _warp(colours, RADIUS * len(colours), body, frame, patch, offset, paint)
            elif tile is None:
                paint[:] = body.rgb
            else:
                per_radius = (len(tile) - 1) / (2 * SHAPES[body.thing.shape].extent * 1.05)
                _warp(tile, per_radius, body, frame, patch, offset, paint)
            if smeared and (body.thing.drawing or tile is not None):
                paint = smear(paint, way)
            picture[patch.rows, patch.columns] = cv2.blendLinear(paint, target, opacity, 1 - opacity)

    def _paint_shadow(self, picture: np.ndarray, patch: Patch) -> None:
        """Darken the picture beside a body: the blurred coverage, shifted away from the light."""
        height, width = picture.shape[:2]
        pad = math.ceil(3 * self._shadow_blur)
        soft = cv2.copyMakeBorder(patch.coverage, pad, pad, pad, pad, cv2.BORDER_CONSTANT, value=0)
        soft = cv2.GaussianBlur(soft, (0, 0), self._shadow_blur)
        x, y = np.rint(self._shadow_offset).astype(int).tolist()
        top, left = patch.rows.start - pad + y, patch.columns.start - pad + x
        y0, x0 = max(top, 0), max(left, 0)
        y1, x1 = min(top + soft.shape[0], height), min(left + soft.shape[1], width)
        if y0 >= y1 or x0 >= x1:
            return
        shade = soft[y0 - top : y1 - top, x0 - left : x1 - left]
        kept = cv2.convertScaleAbs(shade, alpha=-self._shadow_strength, beta=255)
        picture[y0:y1, x0:x1] = cv2.multiply(picture[y0:y1, x0:x1], cv2.merge([kept] * 3), scale=1 / 255)


def _draw_tile(rng: random.Random, body: Body, light: float | None, highlight: float) -> np.ndarray | None:
    """Return (S, S, 3) uint8 RGB, a thing's looks on [-e, e]², e its extent at radius 1; None where it is flat.

    light: the direction that it comes from, radians. highlight: the strongest that may be drawn, 0.2..1.
    """
    if body.thing.drawing:
        return None
    pattern = TEXTURES[body.thing.texture].pattern
    if pattern is None and light is None:
        return None
    extent, radius = SHAPES[body.thing.shape].extent * 1.05, float(body.radii.max())
    size = max(16, math.ceil(2 * extent * radius))
    axis = np.linspace(-extent, extent, size, dtype=np.float32)
    x, y = np.broadcast_to(axis[None], (size, size)), np.broadcast_to(axis[:, None], (size, size))
    tile = np.empty((size, size, 3), np.float32)
    tile[:] = body.rgb
    if pattern is not None:
        second = np.array(body.second, np.float32)
        period = max(rng.uniform(0.42, 0.7), SMALLEST_PERIOD / radius)
        inside = np.clip(pattern(x, y, period, rng) * radius + 0.5, 0, 1)[..., None]  # one pixel of transition
        tile += inside * (second - tile)
    if light is not None:
        direction = light - body.angles[0]  # the tile turns with the thing
        towards = x * np.float32(math.cos(direction)) + y * np.float32(math.sin(direction))
        tile *= (1 - rng.uniform(0.05, 0.3) * (0.5 - 0.5 * towards / extent))[..., None]
        if rng.random() < 0.5:
            spot_x, spot_y = 0.45 * math.cos(direction), 0.45 * math.sin(direction)
            distance = (x - np.float32(spot_x)) ** 2 + (y - np.float32(spot_y)) ** 2
            shine = np.exp(distance * np.float32(-1 / rng.uniform(0.04, 0.12))) * np.float32(
                rng.uniform(0.2, highlight)
            )
            tile += shine[..., None] * (255 - tile)
    return np.clip(tile, 0, 255).astype(np.uint8)


def _warp(
    tile: np.ndarray,
    per_radius: float,
    body: Body,
    frame: int,
    patch: Patch,
    offset: np.ndarray,
    out: np.ndarray,
    beyond: int = cv2.BORDER_REPLICATE,
) -> None:
    """Turn, mirror, scale and shift a tile to where the body is, into `out`, the size of the patch.

    per_radius: tile pixels in a radius. beyond: what is taken to lie beyond its edge, a border type of OpenCV.
    """
    scale = per_radius / body.radii[frame]  # tile pixels per frame pixel
    cosine, sine = math.cos(body.angles[frame]) * scale, math.sin(body.angles[frame]) * scale
    flip = 1 if body.flips is None else int(body.flips[frame])
    middle = (tile.shape[0] - 1) / 2
    x, y = body.centres[frame] + offset - (patch.columns.start + 0.5, patch.rows.start + 0.5)
    to_tile = np.array(
        [
            [flip * cosine, flip * sine, middle - flip * (cosine * x + sine * y)],
            [-sine, cosine, middle + sine * x - cosine * y],
        ]
    )
    cv2.warpAffine(
        tile,
        to_tile,
        (out.shape[1], out.shape[0]),
        dst=out,
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=beyond,
    )
