"""A clip of the synthetic world, from a seed."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, replace

import cv2
import numpy as np

from mpgsam2.errors import InputError
from mpgsam2.nano.drawings.atlas import load_atlas
from mpgsam2.nano.synthetic.background import draw_background, draw_photograph
from mpgsam2.nano.synthetic.camera import Camera, draw_camera_path
from mpgsam2.nano.synthetic.draw import Painter, Patch, cover_all, label
from mpgsam2.nano.synthetic.motion_blur import is_smeared, smear
from mpgsam2.nano.synthetic.scene import Scene, compose
from mpgsam2.nano.synthetic.sentences import Expression, write_sentences
from mpgsam2.nano.synthetic.things import Thing
from mpgsam2.nano.synthetic.view import look
from mpgsam2.nano.synthetic.world import FULL, World

ATTEMPTS = 200  # scenes drawn for one clip before it is given up


@dataclass(frozen=True)
class SyntheticClip:
    """frames: (T, H, W, 3) uint8 RGB. labels: (T, H, W) uint8, k + 1 where thing k is the topmost, 0 on the background.

    seen: (T, K) float32 0..1, part of the thing inside the frame that no other thing hides, 0 where it is outside.
    things and expressions are never empty; fps: frames per second.
    """

    frames: np.ndarray
    labels: np.ndarray
    seen: np.ndarray
    things: tuple[Thing, ...]
    expressions: tuple[Expression, ...]
    fps: float

    def mask(self, target: int | None) -> np.ndarray:
        """Return (T, H, W) bool, where the thing of this index (as in `Expression.target`) is visible.

        Nowhere where it is None.
        """
        return np.zeros(self.labels.shape, bool) if target is None else self.labels == target + 1


def render_clip(seed: int, world: World = FULL) -> SyntheticClip:
    """Return the clip of a seed: the same seed and world give the same bytes.

    Scenes in which nothing can be said without doubt are drawn anew; raises InputError where a world has no others.
    """
    for attempt in range(ATTEMPTS):
        rng = random.Random(f"{seed}/{attempt}")
        scene = compose(rng, world)
        if scene is None:
            continue
        offsets = draw_camera_path(rng, world, min(scene.height, scene.width))
        patches = cover_all(scene, offsets)
        labels = label(patches, scene.height, scene.width)
        view = look(scene, labels, patches)
        expressions = write_sentences(rng, world, scene, view)
        if not expressions:
            continue
        if world.empty and rng.random() < world.empty:
            patches = [[None] * len(scene.bodies)] * world.frames
            labels = label(patches, scene.height, scene.width)
            view = look(scene, labels, patches)
            expressions = tuple(replace(expression, target=None) for expression in expressions)
        frames = _shoot(rng, world, scene, offsets, patches)
        things = tuple(body.thing for body in scene.bodies)
        return SyntheticClip(frames, labels, view.seen.astype(np.float32), things, expressions, world.fps)
    raise InputError(
        "Nothing in this world can be named without doubt; allow more kinds of sentence, or fewer or smaller objects."
    )


def _shoot(
    rng: random.Random, world: World, scene: Scene, offsets: np.ndarray, patches: list[list[Patch | None]]
) -> np.ndarray:
    """Return (T, H, W, 3) uint8 RGB, the frames of a scene."""
    height, width = scene.height, scene.width
    margin = math.ceil(np.abs(offsets).max()) + 1 if offsets.any() else 0
    background = _draw_background(rng, world, scene, height + 2 * margin, width + 2 * margin)
    painter = Painter(rng, world, scene)
    camera = Camera(rng, world, height, width)
    camera_ways = camera.way(offsets)
    ways = np.stack([camera.way(body.centres + offsets) for body in scene.bodies], axis=1)  # (T, N, 2)
    frames = np.empty((world.frames, height, width, 3), np.uint8)
    for t, offset in enumerate(offsets):
        if margin:
            middle = (width / 2 + margin - 0.5 - offset[0], height / 2 + margin - 0.5 - offset[1])
            picture = cv2.getRectSubPix(background, (width, height), middle)
        else:
            picture = background.copy()
        if is_smeared(camera_ways[t]):
            picture = smear(picture, camera_ways[t])
        painter.paint(picture, t, patches[t], offset, ways[t])
        frames[t] = camera.take(picture)
    return camera.store(frames)


def _draw_background(rng: random.Random, world: World, scene: Scene, height: int, width: int) -> np.ndarray:
    """Return (height, width, 3) uint8 RGB, a photograph or a background of some family."""
    if world.photographed and rng.random() < world.photographed:
        atlas = load_atlas()
        names = [name for name in world.photographs if name in atlas.photographs]
        if names:
            return draw_photograph(rng, atlas.photograph(rng.choice(names)), height, width)
    worn = [rgb for body in scene.bodies for rgb in (body.rgb, body.second) if rgb]
    return draw_background(rng, rng.choice(world.backgrounds), height, width, worn, world.contrast)
