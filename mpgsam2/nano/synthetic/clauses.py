"""What can be said of things beyond their looks: every clause is clearly true, clearly false, or unclear of each thing.

Sets of things are integers with a bit per thing.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from mpgsam2.nano.synthetic.motion import DIRECTIONS
from mpgsam2.nano.synthetic.noun_phrases import SIZE_RATIO
from mpgsam2.nano.synthetic.scene import Scene
from mpgsam2.nano.synthetic.view import View
from mpgsam2.nano.synthetic.world import World

HOLDING_SHARE = 0.75  # of the frames in which a clause must hold; in the others it may be unclear, never the contrary
NEAR_SIDE, FAR_SIDE = 0.42, 0.55  # of the frame, from the left: what is nearer is on the left, what is farther is not
MIDDLE, NOT_MIDDLE = 0.11, 0.2  # of the frame, largest and smallest distance from its middle
EXTREME_MARGIN = 0.1  # of the frame, by which "the leftmost" lies beyond the others
BESIDE, NOT_BESIDE = 0.12, 0.02  # of the side, by which a thing must be and must not be left of another
MIN_STRAIGHTNESS = 1.2  # how much farther left than up or down a thing must lie to be left of another
NEXT, NOT_NEXT = 0.1, 0.28  # of the side, largest and smallest gap between things next and not next to each other
NOT_LARGER = 1.1  # ratio of radii up to which a thing is not larger
OUT, IN = 0.1, 0.6  # part inside the frame, of what is outside at most, of what has come in at least
SAME_INSIDE_SHARE = 0.1  # by which more or less of a thing may be inside the frame while it neither comes in nor leaves
HIDDEN, FREE = 0.1, 0.75  # part not hidden by others, of what is hidden at most, of what never is at least

SIDES = ("left", "right", "top", "bottom")


class Clause(NamedTuple):
    """A statement. name: key of its wording in `words`; anchor: the thing that it relates to.

    true, false: of which things it clearly is. extreme: it says "leftmost" and the
    like, which can be said of one of several only.
    """

    name: str
    true: int
    false: int
    anchor: int | None = None
    extreme: bool = False


def _bits(flags: np.ndarray) -> Any:
    """Turn (N,) bools into a number with a bit per thing, and (..., N) bools into (nested) lists of such numbers."""
    return (flags @ (1 << np.arange(flags.shape[-1]))).tolist()


def _judge(holds: np.ndarray, fails: np.ndarray, seen: np.ndarray) -> tuple[Any, Any]:
    """Turn (T, ..., N) bools, per frame true, false and visible, into the things clearly true and false."""
    enough = HOLDING_SHARE * np.maximum(seen.sum(0), 1)
    holds, fails = holds & seen, fails & seen
    true, false = holds.sum(0), fails.sum(0)
    return _bits((true >= enough) & (false == 0)), _bits((false >= enough) & (true == 0))


def position_clauses(view: View) -> list[Clause]:
    """Judge what is on one side, in the middle or extreme: true of one thing, false of all clearly beyond it."""
    place = view.centres / (view.width, view.height)  # (T, N, 2)
    along = np.stack((place[..., 0], 1 - place[..., 0], place[..., 1], 1 - place[..., 1]), axis=1)  # (T, 4, N)
    away = np.abs(place - 0.5).max(-1)[:, None]
    holds = np.concatenate((along < NEAR_SIDE, away < MIDDLE), axis=1)
    fails = np.concatenate((along > FAR_SIDE, away > NOT_MIDDLE), axis=1)
    true, false = _judge(holds, fails, view.visible[:, None])
    clauses = [Clause(name, true[i], false[i]) for i, name in enumerate((*SIDES, "middle"))]
    lead = along[..., None, :] - along[..., None]  # (T, 4, N, N): how far the first lies beyond the second
    both = view.visible[:, None, :, None] & view.visible[:, None, None]
    beyond, _ = _judge(lead >= EXTREME_MARGIN, lead < 0, both)
    return clauses + [
        Clause(name, 1 << k, behind, extreme=True) for i, name in enumerate(SIDES) for k, behind in enumerate(beyond[i])
    ]


def relation_clauses(view: View) -> list[Clause]:
    """Judge how things lie to others, and how large they are beside them; nothing is so related to itself."""
    side = min(view.height, view.width)
    away = (view.centres[:, None] - view.centres[:, :, None]) / side  # (T, anchor, N, 2)
    x, y = away[..., 0], away[..., 1]
    gap = np.hypot(x, y) - (view.radii[:, None] + view.radii[:, :, None]) / side
    ratio = view.radii[:, None] / view.radii[:, :, None]
    flat, steep = np.abs(x) >= MIN_STRAIGHTNESS * np.abs(y), np.abs(y) >= MIN_STRAIGHTNESS * np.abs(x)
    rules = {
        "left": ((x < -BESIDE) & flat, x > -NOT_BESIDE),
        "right": ((x > BESIDE) & flat, x < NOT_BESIDE),
        "top": ((y < -BESIDE) & steep, y > -NOT_BESIDE),
        "bottom": ((y > BESIDE) & steep, y < NOT_BESIDE),
        "near": (gap < NEXT, gap > NOT_NEXT),
        "larger": (ratio > SIZE_RATIO, ratio < NOT_LARGER),
        "smaller": (ratio < 1 / SIZE_RATIO, ratio > 1 / NOT_LARGER),
    }
    itself = np.eye(view.visible.shape[1], dtype=bool)
    holds = np.stack([holds & ~itself for holds, _ in rules.values()], axis=1)  # (T, rules, anchor, N)
    fails = np.stack([fails | itself for _, fails in rules.values()], axis=1)
    true, false = _judge(holds, fails, (view.visible[:, None] & view.visible[:, :, None])[:, None])
    return [
        Clause(name, true[i][anchor], false[i][anchor], anchor)
        for i, name in enumerate(rules)
        for anchor in range(view.visible.shape[1])
    ]


def _entering(visible: np.ndarray, inside: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (N,) bools, which things clearly come in and which do not, from (T, N) as in View.

    What is outside at first and inside at last does; what is never more inside than before, nor appears again, does
    not.
    """
    true = (inside[0] <= OUT) & (inside[-1] >= IN) & visible[-1]
    rise = (inside - np.minimum.accumulate(inside)).max(0)
    appears = (visible[1:] & ~visible[:-1]).any(0)
    return true, (rise <= SAME_INSIDE_SHARE) & ~appears


def _hidden(view: View) -> tuple[np.ndarray, np.ndarray]:
    """Return (N,) bools, which things are clearly hidden for a while and which never are.

    Hidden for a while is what others hide for two frames on end and can be seen before and afterwards.
    """
    whole = view.inside >= 1 - SAME_INSIDE_SHARE
    gone = whole & (view.seen <= HIDDEN)
    before = np.logical_or.accumulate(view.visible)
    after = np.logical_or.accumulate(view.visible[::-1])[::-1]
    true = np.any(before[:-1] & gone[:-1] & gone[1:] & after[1:], axis=0)
    return true, np.all(whole & (view.seen >= FREE), axis=0)


def _returning(visible: np.ndarray, inside: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (N,) bools, which things clearly leave and come back and which do not, from (T, N) as in View."""
    out = inside <= OUT
    true = (inside[0] >= IN) & visible[0] & (out[:-1] & out[1:]).any(0) & (inside[-1] >= IN) & visible[-1]
    whole = (inside >= 1 - SAME_INSIDE_SHARE).all(0)
    _, stays_out = _entering(visible, inside)
    return true, whole | stays_out


def event_clauses(world: World, view: View) -> list[Clause]:
    """Judge what comes in, leaves, and is hidden for a while, as far as the world knows that."""
    verdicts = {
        "entering": _entering(view.visible, view.inside),
        "leaving": _entering(view.visible[::-1], view.inside[::-1]),
        "hidden": _hidden(view),
        "returning": _returning(view.visible, view.inside),
    }
    return [Clause(name, _bits(verdicts[name][0]), _bits(verdicts[name][1])) for name in world.clip_events]


def motion_clauses(world: World, scene: Scene, view: View) -> list[Clause]:
    """Judge what things do. Unclear is: whether what grows or turns also rests, and whether what enters also grows."""
    motions = [body.thing.motion for body in scene.bodies]

    def bits(*names: str) -> int:
        return sum(1 << k for k, motion in enumerate(motions) if motion in names)

    crossing = sum(1 << k for k, body in enumerate(scene.bodies) if body.crossing)
    turning = sum(1 << k for k, body in enumerate(scene.bodies) if body.turning)
    changing = bits("growing", "shrinking") | turning & ~bits(*DIRECTIONS)
    mirrored, bouncing = bits("turning_round"), bits("bouncing")
    returning = sum(c.true for c in event_clauses(world, view) if c.name == "returning")
    unclear = {
        "still": changing | mirrored,
        "growing": crossing,
        "shrinking": crossing,
        "spinning": turning & ~bits("spinning") | mirrored,
        "turning_round": turning,
        "up": bouncing | returning,
        "down": bouncing | returning,
        "left": returning,
        "right": returning,
    }
    clear = {name: ((1 << len(motions)) - 1) & ~unclear.get(name, 0) for name in (*world.motions, *motions)}
    clauses = [Clause(name, bits(name) & sure, ~bits(name) & sure) for name, sure in clear.items()]
    moving = Clause("moving", bits(*DIRECTIONS), bits("still") & ~turning & ~mirrored)
    return [*clauses, moving, *event_clauses(world, view)]
