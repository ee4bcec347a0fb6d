"""Make a model's scores mean what they say: Platt scaling (Platt, 1999) of object score, predicted IoU and verdict.

A calibrated score is the sigmoid of (logit - shift) / temperature. The shift goes into the bias that makes the logit,
so that the network's own rule, no mask where the object's logit is not above 0, blanks what is improbable; the
temperature goes into the configuration. The verdict's logit is `verdict.mean_logit` of the calibrated object scores,
which no bias makes: both its numbers go into the configuration.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from mpgsam2.errors import InputError
from mpgsam2.inference.config import CalibrationConfig
from mpgsam2.inference.query import Query
from mpgsam2.inference.segmenter import Segmenter
from mpgsam2.inference.verdict import mean_logit
from mpgsam2.metrics import region_similarity
from mpgsam2.nano.evaluation import sentences
from mpgsam2.nano.synthetic import SyntheticClip

_TEMPERATURE_PENALTY = 1e-3  # without it, what separates perfectly would have a temperature of 0


class Platt(NamedTuple):
    """probability = sigmoid((logit - shift) / temperature)."""

    shift: float
    temperature: float


class FrameAnswer(NamedTuple):
    """What the network says of one frame, and what is true."""

    object_logit: float
    visible: float  # 1 where what is named is to be seen, else 0
    iou_logit: float
    iou: float  # of the mask that the object's logit may blank; NaN where that is empty by itself


class Answer(NamedTuple):
    """The frames of a clip for one sentence."""

    present: bool  # the sentence names something in the clip
    frames: list[FrameAnswer]


def calibrate(model: Segmenter, clips: Iterable[SyntheticClip]) -> Segmenter:
    """Fit the scores and the verdict on clips.

    The object score is fitted on all frames, to whether what is named is to be seen; the predicted IoU on the frames
    in which a mask then remains, to the mask's true IoU; the verdict on all sentences, to whether they name something.
    Which mask is taken does not change.

    Args:
        model: stays as it is.
        clips: such as `evaluation.calibration_clips`, of the kind and balance that are to be met later.

    Returns:
        A copy of the model with other biases of the two scores and another calibration.

    Raises:
        InputError: no frame, or every frame, shows what is named, every sentence names something, or there is no mask.
    """
    return calibrate_on(model, [answer for clip in clips for answer in answers_to(model, clip)])


def calibrate_on(model: Segmenter, answers: Sequence[Answer]) -> Segmenter:
    """Calibrate as `calibrate` does, from answers that were collected before; raises the same."""
    frames = torch.tensor([frame for answer in answers for frame in answer.frames], dtype=torch.float64)
    object_logit, visible, iou_logit, iou = frames.reshape(-1, 4).unbind(1)
    if not 0 < visible.sum() < len(visible):
        raise InputError("Calibration needs frames that show what is named and frames that do not.")
    present = torch.tensor([answer.present for answer in answers], dtype=torch.float64)
    if present.all():
        raise InputError("Calibration needs sentences that name nothing in their clip.")
    presence = fit(object_logit, visible)
    masked = (object_logit > presence.shift) & ~iou.isnan()
    if not masked.any():
        raise InputError("Calibration needs frames with a mask: this model finds nothing in any.")
    quality = fit(iou_logit[masked], iou[masked])
    object_score = ((object_logit - presence.shift) / presence.temperature).sigmoid()
    lengths = [len(answer.frames) for answer in answers]
    by_sentence = zip(masked.split(lengths), object_score.split(lengths), strict=True)
    evidence = [mean_logit(found.tolist(), scores.tolist()) for found, scores in by_sentence]
    verdict = fit(torch.tensor(evidence, dtype=torch.float64), present)

    network = copy.deepcopy(model.network)
    decoder = network.visual_model.sam_mask_decoder
    with torch.no_grad():
        decoder.pred_obj_score_head.layers[-1].bias -= presence.shift
        decoder.iou_prediction_head.layers[-1].bias -= quality.shift  # all candidates': the best stays the best
    calibration = CalibrationConfig(presence.temperature, quality.temperature, verdict.shift, verdict.temperature)
    return Segmenter(network, model.tokenizer, model.name, replace(model.inference, calibration=calibration))


def fit(logits: Tensor, truth: Tensor) -> Platt:
    """Return the shift and temperature of the smallest mean log loss.

    Args:
        logits: (N,) float64.
        truth: (N,) float64 in 0..1: true or not, or a share.
    """
    shift, log_temperature = (torch.zeros((), dtype=torch.float64, requires_grad=True) for _ in range(2))
    optimiser = torch.optim.LBFGS([shift, log_temperature], max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimiser.zero_grad()
        loss = F.binary_cross_entropy_with_logits((logits - shift) / log_temperature.exp(), truth)
        loss = loss + _TEMPERATURE_PENALTY * log_temperature**2
        loss.backward()
        return loss

    optimiser.step(loss)
    return Platt(float(shift.detach()), float(log_temperature.detach().exp()))


def answers_to(model: Segmenter, clip: SyntheticClip) -> Iterator[Answer]:
    """Yield one answer to each sentence that the clip is asked."""
    for expression in sentences(clip):
        truth = clip.mask(expression.target)
        frames = []
        for t, (answer,) in enumerate(model.answers(clip.frames, [Query(expression.text)])):
            output = answer.output
            shown = output._replace(low_res_logits=output.candidate_logits[output.iou.argmax()])
            mask = model.result(replace(answer, output=shown)).mask
            frames.append(
                FrameAnswer(
                    object_logit=float(output.object_score_logit),
                    visible=float(truth[t].any()),
                    iou_logit=float(output.iou.max().double().logit(eps=1e-6)),
                    iou=float(region_similarity(mask, truth[t])) if mask.any() else float("nan"),
                )
            )
        yield Answer(expression.target is not None, frames)
