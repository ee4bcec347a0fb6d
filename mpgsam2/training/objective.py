"""The paper's objective (benchmarks.md 2)."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from mpgsam2.network.model import MPGSAM2
from mpgsam2.network.prior import ClipContext
from mpgsam2.network.tracker import NO_OBJECT_LOGIT
from mpgsam2.training.clip_batches import ClipBatch
from mpgsam2.training.forward import encode, track
from mpgsam2.training.losses import clip_losses
from mpgsam2.training.trainer import Trainee


@dataclass(frozen=True)
class LossWeights:
    """What the losses are multiplied with."""

    focal: float = 2.0
    dice: float = 5.0
    similarity: float = 2.0


class PaperTrainee(Trainee):
    """The network, whose forward pass is the paper's objective.

    Of a frame's candidate masks the one of the highest predicted IoU is compared with the truth, whatever the object
    score says: where a mask is blanked nothing could be learned from the frame. Predicted IoU and object score have no
    loss of their own.

    Args:
        net: the network.
        weights: of the losses.
        checkpointing: whether activations are computed again on the way back, see `forward`.
    """

    def __init__(self, net: MPGSAM2, weights: LossWeights = LossWeights(), checkpointing: bool = True) -> None:
        super().__init__()
        self.net, self.weights, self.checkpointing = net, weights, checkpointing

    def forward(self, batch: ClipBatch) -> dict[str, Tensor]:
        """Scalar losses by name, weighted."""
        logits, sentence = self.answer(batch)
        logits = F.interpolate(logits, batch.masks.shape[-2:], mode="bilinear", align_corners=False)
        logits = logits.masked_fill(~batch.counts, NO_OBJECT_LOGIT)  # rightly nothing, for what is undecided
        masks = batch.masks & batch.counts
        losses = clip_losses(logits, masks.float(), sentence, _visible(masks))
        return {name: weight * losses[name] for name, weight in asdict(self.weights).items()}

    def answer(self, batch: ClipBatch) -> tuple[Tensor, Tensor]:
        """Mask logits (B × T × h × w) and the sentences' numbers for the similarity loss (B × T), in float32."""
        clips, frames = batch.small.shape[:2]
        of_pair = torch.arange(clips, device=batch.small.device)
        encoded = encode(self.net, batch.small, of_pair, batch.input_ids, self.checkpointing)
        _, context = self.net.generate_prior(encoded, frames)
        context = ClipContext(*(field.float() for field in context))
        words = None if batch.words.all() else batch.words
        outputs = track(self.net, batch.large, of_pair, context, words, self.checkpointing)
        logits = [output.candidate_logits[of_pair, output.iou.argmax(dim=1)] for output in outputs]
        sentence = self.net.text2one_linear(context.text_features[:, :, 0]).squeeze(-1)
        return torch.stack(logits, dim=1).float(), sentence.float()


def _visible(masks: Tensor) -> Tensor:
    """The number of frames that show their object, as the mean over all processes."""
    from accelerate.utils import reduce

    return reduce(masks.flatten(2).any(dim=2).sum().float(), "mean")
