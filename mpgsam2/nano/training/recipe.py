"""The stages of nano's training: everything that decides what comes out, in one place."""

from __future__ import annotations

from dataclasses import dataclass, replace

from mpgsam2.nano.synthetic import EASY, FULL, HALFWAY, THINGS, World


@dataclass(frozen=True)
class Stage:
    """One stage.

    Attributes:
        trains: "prior" (encoder and prior generator), "tracker" (SAM 2 branch, told the true mask as prior), "joint" or
            "answers" (SAM 2 branch and what it reads of the encoder's tokens; these and the prior stay as they are).
        easy, full: the worlds at the beginning and at the end of the stage.
        blend: shares of the stage, before which every clip is easy and after which every clip is full.
        kept: share of clips that stay of the easy world all the same.
        steps: optimiser steps.
        lengths: lengths of clips in frames; every step draws one of them.
        frames: frames a step; as many clips as fit.
        sentences: sentences a clip, at most.
        true_priors: share of the pairs whose tracker is given the true mask in place of the network's own prior.
        presence: weight of the object score's loss.
        rate: AdamW's learning rate after the warm-up; it falls linearly to zero over the stage's last quarter.
        seed: where this stage's clips begin; every stage sees its own.
        starts_from: stages whose weights it takes over.
        frozen: modules that do not learn.
        refit: clips of the easy world on which, at the end of a stage that trains the prior, the tracker's inputs are
            fitted to what they were before, see `refit.refit`.
        alike: whether the frame-joint layer begins with every patch attending to those like it, see `attend_alike`.
    """

    trains: str
    easy: World
    full: World
    blend: tuple[float, float]
    steps: int
    lengths: tuple[int, ...]
    frames: int
    sentences: int
    rate: float
    seed: int
    starts_from: tuple[str, ...] = ()
    frozen: tuple[str, ...] = ()
    alike: bool = False
    kept: float = 0.0
    refit: int = 0
    true_priors: float = 0.3
    presence: float = 1.0


_JOINT = Stage(
    trains="joint",
    easy=replace(HALFWAY, height=(160, 224)),
    full=replace(HALFWAY, height=(160, 224)),
    blend=(0.0, 0.0),
    steps=500,
    lengths=(4, 8, 12),
    frames=24,
    sentences=2,
    rate=5e-4,
    seed=200_000_000,
    starts_from=("prior", "tracker"),
    frozen=("visual_model.image_encoder.trunk",),  # as the paper does
)

# Motion is the hardest to learn, and what a sentence that names nothing asks is learned from every clip.
_WIDE = replace(FULL, kinds=(("appearance", 1.0), ("position", 1.0), ("relation", 0.7), ("motion", 2.0)), absent=1.0)
_ASKING = replace(_WIDE, sentences=2, absent=2.0)  # as many sentences that name nothing as others
_HARD = (("appearance", 1.0), ("position", 1.0), ("relation", 1.6), ("motion", 2.2))  # what is missed most counts more
_MOSTLY_MOTION = (("appearance", 1.0), ("position", 1.0), ("relation", 0.7), ("motion", 4.0))

# Everyday things, on a machine without ffmpeg; as many sentences that name nothing as make absence worth knowing.
_THINGS = replace(THINGS, height=(144, 240), sentences=4, absent=1.5, empty=0.06, h264=0.0)
_SHAPES_TOO = replace(_ASKING, height=(144, 240), sentences=3, kinds=_HARD, h264=0.0)

_TO_THE_PRIOR = ("mm_extractor", "visual_ifi", "frame_position_linear", "vmtoken", "mask_linear", "mask_product")
_MOSTLY_NAMES = (("name", 2.2), ("appearance", 1.0), ("position", 0.9), ("relation", 0.9), ("motion", 1.3))

STAGES: dict[str, Stage] = {
    "prior": Stage(
        trains="prior",
        easy=replace(EASY, height=(128, 160)),
        full=replace(HALFWAY, height=(128, 192)),
        blend=(0.15, 0.5),
        steps=3000,
        lengths=(1,),
        frames=16,
        sentences=4,
        rate=1e-3,
        seed=0,
    ),
    "tracker": Stage(
        trains="tracker",
        easy=replace(EASY, height=(160, 200)),
        full=replace(HALFWAY, height=(160, 224)),
        blend=(0.0, 0.3),
        steps=1000,
        lengths=(4,),
        frames=32,
        sentences=1,
        rate=1e-3,
        seed=100_000_000,
    ),
    "joint": _JOINT,
    "polish": replace(_JOINT, steps=600, rate=2e-4, seed=300_000_000, starts_from=("joint",)),
    "full_prior": Stage(
        trains="prior",
        easy=replace(HALFWAY, height=(128, 192), kinds=_WIDE.kinds),
        full=replace(_WIDE, height=(128, 192)),
        blend=(0.25, 0.5),
        steps=3000,
        lengths=(1, 1, 8, 12, 16),
        frames=32,
        sentences=4,
        rate=6e-4,
        seed=500_000_000,
        starts_from=("polish",),
    ),
    "full_tracker": Stage(
        trains="tracker",
        easy=replace(HALFWAY, height=(160, 256)),
        full=replace(_WIDE, height=(160, 256)),
        blend=(0.25, 0.5),
        steps=2000,
        lengths=(4,),
        frames=32,
        sentences=1,
        rate=6e-4,
        seed=400_000_000,
        starts_from=("polish",),
    ),
    "full_joint": replace(
        _JOINT,
        easy=replace(_WIDE, height=(160, 256)),
        full=replace(_WIDE, height=(160, 256)),
        steps=500,
        lengths=(6, 12),
        rate=2e-4,
        seed=600_000_000,
        frozen=(),
        starts_from=("full_prior", "full_tracker"),
    ),
    "motion": Stage(
        trains="prior",
        easy=replace(_WIDE, height=(128, 192), kinds=_MOSTLY_MOTION),
        full=replace(_WIDE, height=(128, 192), kinds=_MOSTLY_MOTION),
        blend=(0.0, 0.0),
        steps=1000,
        lengths=(6, 10, 16),
        frames=64,
        sentences=2,
        rate=1e-3,
        seed=700_000_000,
        starts_from=("full_prior",),
        frozen=("mm_extractor",),  # it has no part in what only time tells
        alike=True,
    ),
    "motion_words": Stage(
        trains="prior",
        easy=replace(_WIDE, height=(128, 192), sentences=2),
        full=replace(_WIDE, height=(128, 192), sentences=2),
        blend=(0.0, 0.0),
        steps=1000,
        lengths=(6, 10, 16),
        frames=64,
        sentences=2,
        rate=5e-4,
        seed=900_000_000,
        starts_from=("motion",),
    ),
    "motion_joint": replace(
        _JOINT,
        easy=replace(_WIDE, height=(160, 256), sentences=1),  # and one that names nothing
        full=replace(_WIDE, height=(160, 256), sentences=1),
        steps=400,
        lengths=(6, 12),
        rate=2e-4,
        seed=800_000_000,
        starts_from=("full_joint", "motion_words"),
        frozen=(),
    ),
    "wording": Stage(
        trains="prior",
        easy=replace(_ASKING, height=(128, 192)),
        full=replace(_ASKING, height=(128, 192)),
        blend=(0.0, 0.0),
        steps=2400,
        lengths=(1, 1, 8, 12, 16),
        frames=32,
        sentences=4,
        rate=6e-4,
        seed=1_000_000_000,
        starts_from=("motion_joint",),
    ),
    "small_things": replace(
        _JOINT,
        easy=replace(_WIDE, height=(160, 256), sentences=2, absent=0.3, tiny=0.6),
        full=replace(_WIDE, height=(160, 256), sentences=2, absent=0.3, tiny=0.6),
        steps=500,
        lengths=(4, 6),
        rate=4e-4,
        seed=1_100_000_000,
        starts_from=("motion_joint",),
        frozen=("mm_extractor",),
    ),
    "wording_joint": replace(
        _JOINT,
        easy=replace(_ASKING, height=(160, 256), sentences=1, absent=1.0),
        full=replace(_ASKING, height=(160, 256), sentences=1, absent=1.0),
        steps=600,
        lengths=(6, 12),
        rate=2e-4,
        seed=1_200_000_000,
        starts_from=("small_things", "wording"),
        frozen=(),
    ),
    "absence_joint": replace(
        _JOINT,
        easy=replace(_ASKING, height=(160, 256), sentences=1, absent=1.0),
        full=replace(_ASKING, height=(160, 256), sentences=1, absent=1.0),
        steps=500,
        lengths=(6, 12),
        rate=2e-4,
        seed=1_300_000_000,
        starts_from=("wording_joint",),
        frozen=(),
    ),
    "comparing": Stage(
        trains="prior",
        easy=replace(_ASKING, height=(128, 192), kinds=_HARD),
        full=replace(_ASKING, height=(128, 192), kinds=_HARD),
        blend=(0.0, 0.0),
        steps=3000,
        lengths=(1, 1, 8, 12, 16),
        frames=32,
        sentences=4,
        rate=6e-4,
        seed=1_400_000_000,
        starts_from=("absence_joint",),
    ),
    "comparing_joint": replace(
        _JOINT,
        easy=replace(_ASKING, height=(160, 256), sentences=1, absent=1.0, kinds=_HARD),
        full=replace(_ASKING, height=(160, 256), sentences=1, absent=1.0, kinds=_HARD),
        steps=600,
        lengths=(6, 12),
        rate=2e-4,
        seed=1_500_000_000,
        starts_from=("absence_joint", "comparing"),
        frozen=(),
    ),
    "things_prior": Stage(
        trains="prior",
        easy=_SHAPES_TOO,
        full=_THINGS,
        blend=(0.0, 0.0),
        kept=0.25,
        refit=60,
        steps=4000,
        lengths=(1, 1, 1, 8, 16),
        frames=256,
        sentences=5,
        rate=1.2e-3,
        seed=2_000_000_000,
        starts_from=("comparing_joint",),
    ),
    "things_answers": Stage(
        trains="answers",
        easy=replace(_SHAPES_TOO, empty=0.05),
        full=replace(_THINGS, kinds=_MOSTLY_NAMES, absent=2.0, empty=0.1),
        blend=(0.0, 0.0),
        kept=0.3,
        steps=1600,
        lengths=(4, 6, 8, 12),
        frames=24,
        sentences=2,
        rate=5e-4,
        seed=2_100_000_000,
        starts_from=("things_prior",),
        frozen=(*_TO_THE_PRIOR, "visual_model.image_encoder.trunk"),
        true_priors=0.2,
        presence=1.5,
    ),
}
