"""The published losses on masks (network.md 8; benchmarks.md 2), and SAM 2's on the object score."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def focal(logits: Tensor, target: Tensor, alpha: float = 0.25, gamma: float = 2.0) -> Tensor:
    """Return the focal loss (Lin et al., 2017) of every mask: … × h × w to …; `target` in 0..1."""
    crossed = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    probability = logits.sigmoid()
    correct = probability * target + (1 - probability) * (1 - target)
    weight = alpha * target + (1 - alpha) * (1 - target)
    return (weight * (1 - correct) ** gamma * crossed).mean(dim=(-2, -1))


def dice(logits: Tensor, target: Tensor) -> Tensor:
    """Return the Dice loss of every mask: … × h × w to … in 0..1."""
    probability = logits.sigmoid()
    overlap = (probability * target).sum(dim=(-2, -1))
    total = probability.sum(dim=(-2, -1)) + target.sum(dim=(-2, -1))
    return 1 - (2 * overlap + 1) / (total + 1)


def similarity(logits: Tensor, target: Tensor, sentence: Tensor) -> Tensor:
    """Return the mask-text similarity loss of every mask (paper, section 3.5).

    Args:
        logits, target: … × h × w.
        sentence: …, the number that `text2one_linear` makes of the sentence; repeated over the mask, it is compared
            with the prediction and with the truth by cosine.

    Returns:
        The squared difference of the two cosines, ….
    """
    row = sentence[..., None].expand(*sentence.shape, logits.shape[-2] * logits.shape[-1])
    predicted = F.cosine_similarity(logits.sigmoid().flatten(-2), row, dim=-1)
    true = F.cosine_similarity(target.flatten(-2), row, dim=-1)
    return (predicted - true) ** 2


def clip_losses(logits: Tensor, target: Tensor, sentence: Tensor, visible: Tensor) -> dict[str, Tensor]:
    """Return the paper's losses, before they are weighted; the pixels of a whole clip count as one mask.

    Args:
        logits, target: B × T × h × w; target in 0..1.
        sentence: B × T, see `similarity`.
        visible: scalar, the number of frames in which the object is to be seen, the mean over all processes.

    Returns:
        Scalars: "focal" and "dice", sums over the clips divided by `visible` or 1, and "similarity", the mean over all
        frames.
    """
    frames, visible = (logits.flatten(1, 2), target.flatten(1, 2)), visible.clamp(min=1)
    return {
        "focal": focal(*frames).sum() / visible,
        "dice": dice(*frames).sum() / visible,
        "similarity": similarity(logits, target, sentence).mean(),
    }


def object_score_loss(logits: Tensor, shown: Tensor, known: Tensor, count: Tensor) -> Tensor:
    """Return the binary cross-entropy of the object score with “the frame shows the object”, as in SAM 2's training.

    Args:
        logits: B × T.
        shown: B × T bool, whether the frame shows the object.
        known: B × T bool, whether that is known; other frames do not count.
        count: scalar, how many are known, the mean over all processes.

    Returns:
        A scalar, the sum over the frames divided by `count` or 1.
    """
    crossed = F.binary_cross_entropy_with_logits(logits, shown.float(), reduction="none")
    return (crossed * known).sum() / count.clamp(min=1)
