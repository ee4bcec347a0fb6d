"""Nano's objective: the published losses, and what helps a small encoder to ground words."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mpgsam2.nano.training.targets import ATTRIBUTES
from mpgsam2.network.config import EncoderConfig
from mpgsam2.training.losses import dice, focal, similarity

_WEIGHTS = {"motion": 1.5, "shape": 0.6}  # of the questions that are hardest to answer


def prior_loss(logits: Tensor, covered: Tensor) -> Tensor:
    """Return cross-entropy with the covered share of every patch, and dice; P × T × g × g each, a scalar."""
    crossed = F.binary_cross_entropy_with_logits(logits, covered)
    there = covered.sum(dim=(-2, -1)) > 0
    return 4 * crossed + (dice(logits, covered) * there).sum() / there.sum().clamp(min=1)


def mask_loss(
    candidates: Tensor, iou: Tensor, object_score: Tensor, target: Tensor, sentence: Tensor, presence: float = 1.0
) -> Tensor:
    """Return the answers' loss: only the best candidate of a frame learns its mask, all learn their IoU (SAM 2).

    Args:
        candidates: P × T × 3 × h × w logits; compared at the target's size, as they are enlarged for the user.
        iou: P × T × 3 predicted IoU.
        object_score: P × T logits.
        target: P × T × h' × w' in 0..1.
        sentence: P × T, see `similarity`.
        presence: weight of the object score's part.
    """
    candidates = F.interpolate(candidates.flatten(0, 1), target.shape[-2:], mode="bilinear", align_corners=False)
    candidates = candidates.unflatten(0, target.shape[:2])
    present = (target.amax(dim=(-2, -1)) >= 0.5).float()
    truth = target[:, :, None].expand_as(candidates)
    each = 2 * 10 * focal(candidates, truth) + 5 * dice(candidates, truth)
    each = each + 2 * similarity(candidates, truth, sentence[..., None].expand(*candidates.shape[:3]))
    best = each.min(dim=-1).values + 0.1 * each.mean(dim=-1)
    with torch.no_grad():
        predicted, true = candidates > 0, truth > 0.5
        overlap = (predicted & true).sum(dim=(-2, -1)).float()
        true_iou = overlap / (predicted | true).sum(dim=(-2, -1)).clamp(min=1)
    known = (iou - true_iou).abs().mean(dim=-1)
    mask = ((best + known) * present).sum() / present.sum().clamp(min=1)
    return mask + presence * F.binary_cross_entropy_with_logits(object_score, present)


class AuxiliaryHeads(nn.Module):
    """Heads of training only.

    They ask every patch what it shows and where it is, every word its place, and every class token whether its frame
    shows what the sentence names.
    """

    xy: Tensor

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        d = config.width
        self.answers = nn.ModuleDict({name: nn.Linear(d, len(values)) for name, values in ATTRIBUTES.items()})
        self.there = nn.Linear(d, 1)
        self.named = nn.Linear(d, 1)
        self.position = nn.Linear(d, 2)
        self.patch_key = nn.Linear(d, d)
        self.word_key = nn.Linear(d, d)
        self.bias = nn.Parameter(torch.tensor(-2.0))
        ticks = (torch.arange(config.grid) + 0.5) / config.grid * 2 - 1
        self.register_buffer("xy", torch.stack(torch.meshgrid(ticks, ticks, indexing="xy"), dim=-1).flatten(0, 1))

    def forward(
        self,
        classes: Tensor,
        patches: Tensor,
        joint: Tensor,
        words: Tensor,
        shown: Tensor,
        attributes: dict[str, Tensor],
        places: Tensor,
    ) -> Tensor:
        """Return one scalar.

        Args:
            classes: P × T × 1 × d, the class tokens.
            patches: P × T × N × d, as the encoder leaves them.
            joint: the same after the layer in which frames talk to each other: these are asked about motion.
            words: P × T × L × d.
            shown: P × T, 1 where the frame shows what the sentence names, else 0.
            attributes: by name, P × T × g × g int64, -1 where no thing is.
            places: P × L × T × g × g, -1 where a word has none.
        """
        owned = (next(iter(attributes.values())) >= 0).flatten(2).float()
        loss = F.binary_cross_entropy_with_logits(self.there(patches).squeeze(-1), owned)
        loss = loss + F.binary_cross_entropy_with_logits(self.named(classes).flatten(2).squeeze(-1), shown)
        for name, head in self.answers.items():
            answer, right = head(joint if name == "motion" else patches).flatten(0, 2), attributes[name].flatten()
            crossed = F.cross_entropy(answer, right, reduction="sum", ignore_index=-1)
            loss = loss + _WEIGHTS.get(name, 0.3) * crossed / (right >= 0).sum().clamp(min=1)
        loss = loss + F.mse_loss(self.position(patches), self.xy.expand(*patches.shape[:2], -1, -1))
        scale = patches.shape[-1] ** -0.5
        lit = torch.einsum("ptld,ptnd->pltn", self.word_key(words), self.patch_key(patches)) * scale + self.bias
        target = places.flatten(3)
        placed = (target[..., 0] >= 0).float()
        crossed = F.binary_cross_entropy_with_logits(lit, target.clamp(min=0), reduction="none").mean(dim=-1)
        return loss + 2 * (crossed * placed).sum() / placed.sum().clamp(min=1)
