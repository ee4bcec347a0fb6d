"""The paper's recipes (benchmarks.md 2): everything that decides what comes out of them, in one place."""

from __future__ import annotations

from dataclasses import dataclass

from mpgsam2.training.optimisation import Optimisation

NEW_PARTS = (
    "mask_linear",
    "mask_product",
    "vmtoken",
    "mmfusion_module",
    "objfusion_module",
    "vtlfusion_module",
)
"""What stands in the names of the parameters that learn faster."""

FROZEN = (
    "visual_model.image_encoder",
    "visual_model.memory_attention",
    "visual_model.memory_encoder",
    "visual_model.mask_downsample",
    "visual_model.obj_ptr_proj",
    "visual_model.maskmem_tpos_enc",
    "visual_model.no_mem_embed",
    "visual_model.no_mem_pos_enc",
    "visual_model.no_obj_ptr",
)
"""SAM 2's image encoder and memory, which keep their weights."""


@dataclass(frozen=True)
class LossWeights:
    """What the losses are multiplied with.

    Attributes:
        focal, dice, similarity: the paper's, on masks.
        object_score: of the binary cross-entropy that tells the object score whether a frame shows the object. The
            paper has no such loss (0), and where a start wrongly scores an object as absent, its mask stays empty.
    """

    focal: float = 2.0
    dice: float = 5.0
    similarity: float = 2.0
    object_score: float = 0.0


PAPER_LOSSES = LossWeights()
"""The paper's weights."""


@dataclass(frozen=True)
class Recipe:
    """One of the paper's stages, or what is done with data of one's own.

    Attributes:
        frames: of a clip.
        epochs: how often every sentence and part of a video is seen.
        batch: clips a step and process.
        rate: learning rate of what was trained before.
        new_rate: of `NEW_PARTS`.
        window: frames that the trained network encodes at once; None: whole clips.
        keeps_window: leave the network's window as it was, instead.
        held_out: part of the videos or images that is scored on and not trained on.
        losses: their weights.
        draws_absent: train on clips that never show their object, too, instead of drawing others in their place.
    """

    frames: int
    epochs: int
    batch: int = 1
    rate: float = 2e-6
    new_rate: float = 5e-5
    window: int | None = None
    keeps_window: bool = False
    held_out: float = 0.02
    losses: LossWeights = PAPER_LOSSES
    draws_absent: bool = False

    @property
    def optimisation(self) -> Optimisation:
        """AdamW's settings."""
        return Optimisation(
            rate=self.rate,
            new=NEW_PARTS,
            new_rate=self.new_rate,
            weight_decay=5e-4,
            clip_norm=0.1,
            frozen=FROZEN,
        )


RECIPES: dict[str, Recipe] = {
    "refcoco": Recipe(frames=1, epochs=10, batch=8, rate=1e-5, held_out=0.005),
    "ref-youtube-vos": Recipe(frames=5, epochs=6),
    "mevis": Recipe(frames=8, epochs=6, window=24),
    "own": Recipe(
        frames=5,
        epochs=6,
        keeps_window=True,
        held_out=0.1,
        losses=LossWeights(object_score=1.0),
        draws_absent=True,
    ),
}
"""By the names that the command line has for them."""
