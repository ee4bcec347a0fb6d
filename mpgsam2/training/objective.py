"""The paper's objective (benchmarks.md 2)."""

from __future__ import annotations

from dataclasses import asdict

import torch
import torch.nn.functional as F
from torch import Tensor

from mpgsam2.network.model import MPGSAM2
from mpgsam2.network.prior import ClipContext
from mpgsam2.network.tracker import NO_OBJECT_LOGIT
from mpgsam2.training.clip_batches import ClipBatch
from mpgsam2.training.forward import encode, track
from mpgsam2.training.losses import clip_losses, object_score_loss
from mpgsam2.training.recipes import PAPER_LOSSES, LossWeights
from mpgsam2.training.trainer import Trainee


class PaperTrainee(Trainee):
    """The network, whose forward pass is the paper's objective.

    Of a frame's candidate masks the one of the highest predicted IoU is compared with the truth, whatever the object
    score says: where a mask is blanked nothing could be learned from the frame. Predicted IoU has no loss of its own,
    and neither has the object score in the paper's recipes.

    Args:
        network: the network.
        weights: of the losses.
        checkpointing: whether activations are computed again on the way back, see `forward`.
    """

    def __init__(self, network: MPGSAM2, weights: LossWeights = PAPER_LOSSES, checkpointing: bool = True) -> None:
        super().__init__()
        self.net, self.weights, self.checkpointing = network, weights, checkpointing

    def forward(self, batch: ClipBatch) -> dict[str, Tensor]:
        """Return scalar losses by name, weighted; those of weight 0 are left out."""
        logits, sentence, object_score = self.answer(batch)
        logits = F.interpolate(logits, batch.masks.shape[-2:], mode="bilinear", align_corners=False)
        logits = logits.masked_fill(~batch.counts, NO_OBJECT_LOGIT)  # rightly nothing, for what is undecided
        masks = batch.masks & batch.counts
        shown, known = masks.flatten(2).any(dim=2), batch.counts.flatten(2).any(dim=2)
        losses = clip_losses(logits, masks.float(), sentence, _count(shown))
        if self.weights.object_score:
            losses["object_score"] = object_score_loss(object_score, shown, known, _count(known))
        return {name: weight * losses[name] for name, weight in asdict(self.weights).items() if weight}

    def answer(self, batch: ClipBatch) -> tuple[Tensor, Tensor, Tensor]:
        """Return mask logits (B × T × h × w), the sentences' numbers for the similarity loss and object scores (B × T).

        All of them are in float32.
        """
        clips, frames = batch.small.shape[:2]
        of_pair = torch.arange(clips, device=batch.small.device)
        encoded = encode(self.net, batch.small, of_pair, batch.input_ids, self.checkpointing)
        _, context = self.net.generate_prior(encoded, frames)
        context = ClipContext(*(field.float() for field in context))
        words = None if batch.words.all() else batch.words
        outputs = track(self.net, batch.large, of_pair, context, words, self.checkpointing)
        logits = [output.candidate_logits[of_pair, output.iou.argmax(dim=1)] for output in outputs]
        sentence = self.net.text2one_linear(context.text_features[:, :, 0]).squeeze(-1)
        object_score = torch.stack([output.object_score_logit for output in outputs], dim=1)
        return torch.stack(logits, dim=1).float(), sentence.float(), object_score.float()


def _count(frames: Tensor) -> Tensor:
    """Return how many of the frames are true (B × T bool), as the mean over all processes."""
    from accelerate.utils import reduce

    return reduce(frames.sum().float(), "mean")
