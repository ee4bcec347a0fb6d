"""Scores that mean what they say: fitted shifts and temperatures, and where they are kept."""

from __future__ import annotations

import copy
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest
import torch

import mpgsam2
from mpgsam2 import InputError
from mpgsam2.checkpoint import save_checkpoint
from mpgsam2.inference.config import CalibrationConfig, InferenceConfig
from mpgsam2.inference.verdict import conclude, mean_logit
from mpgsam2.nano import synthetic
from mpgsam2.nano.calibration import calibrate, fit
from mpgsam2.nano.evaluation import EVALUATION_SEED_OFFSET
from mpgsam2.nano.synthetic import Expression
from mpgsam2.network.config import NANO, ModelConfig


@pytest.fixture(scope="module")
def clips() -> list[synthetic.SyntheticClip]:
    """Small clips, of each one sentence and one about something that none of them holds."""
    world = replace(synthetic.EASY, frames=3, height=(64, 72))
    rendered = [synthetic.render_clip(EVALUATION_SEED_OFFSET + seed, world) for seed in range(6)]
    return [
        replace(clip, expressions=(clip.expressions[0], Expression("a dotted star", "appearance", None)))
        for clip in rendered
    ]


def biases(model: mpgsam2.Segmenter) -> list[torch.Tensor]:
    """Those of the object score and of the predicted IoU."""
    decoder = model.network.visual_model.sam_mask_decoder
    return [head.layers[-1].bias for head in (decoder.pred_obj_score_head, decoder.iou_prediction_head)]


def off_by(model: mpgsam2.Segmenter, *amounts: float) -> mpgsam2.Segmenter:
    """A copy whose biases are that much too high."""
    model = copy.deepcopy(model)
    with torch.no_grad():
        for bias, amount in zip(biases(model), amounts, strict=True):
            bias += amount
    return model


def test_fit_finds_the_shift_and_temperature_that_made_the_truth() -> None:
    logits = torch.linspace(-8, 12, 401, dtype=torch.float64)
    share = ((logits - 2) / 3).sigmoid()
    shift, temperature = fit(logits, share)
    assert shift == pytest.approx(2, abs=0.05) and temperature == pytest.approx(3, rel=0.02)


def test_what_separates_perfectly_keeps_a_temperature() -> None:
    logits = torch.tensor([-3.0, -2.0, 4.0, 5.0], dtype=torch.float64)
    shift, temperature = fit(logits, (logits > 0).double())
    assert -2 < shift < 4 and 0.01 < temperature < 1


def test_biases_that_are_off_come_back(model: mpgsam2.Segmenter, clips: list[synthetic.SyntheticClip]) -> None:
    # High enough that no mask is blanked, which would change what the next frames remember.
    reference, off = off_by(model, 20.0, 0.0), off_by(model, 23.0, 1.5)
    assert (biases(off)[0] - biases(reference)[0]).abs().min() > 2.9
    before = biases(off)[0].clone()
    reference, given, off = calibrate(reference, clips), off, calibrate(off, clips)
    assert torch.equal(biases(given)[0], before)
    for bias, expected in zip(biases(off), biases(reference), strict=True):
        torch.testing.assert_close(bias, expected, atol=0.05, rtol=0)
    fitted, expected = off.inference.calibration, reference.inference.calibration
    assert fitted.object_temperature == pytest.approx(expected.object_temperature, rel=0.01)
    assert fitted.iou_temperature == pytest.approx(expected.iou_temperature, rel=0.01)
    assert fitted.verdict_shift == pytest.approx(expected.verdict_shift, abs=0.05)
    assert fitted.verdict_temperature == pytest.approx(expected.verdict_temperature, rel=0.05)
    assert expected != CalibrationConfig()


@pytest.fixture(scope="module")
def stills(clips: list[synthetic.SyntheticClip]) -> list[synthetic.SyntheticClip]:
    """Their first frames alone: no blanked mask changes what the next frame remembers."""
    return [replace(clip, frames=clip.frames[:1], labels=clip.labels[:1], seen=clip.seen[:1]) for clip in clips]


def test_the_verdict_is_fitted_to_what_is_told(model: mpgsam2.Segmenter, stills: list[synthetic.SyntheticClip]) -> None:
    net = calibrate(off_by(model, 4.0, 0.0), stills)
    told = [
        (mean_logit([bool(result.mask.any())], [result.object_score]), expression.target is not None)
        for clip in stills
        for expression in clip.expressions
        for result in net.segment(clip.frames, expression.text)
    ]
    evidence, present = torch.tensor(told, dtype=torch.float64).T
    shift, temperature = fit(evidence, present)
    fitted = net.inference.calibration
    assert (fitted.verdict_shift, fitted.verdict_temperature) == pytest.approx((shift, temperature), abs=0.05)
    assert (shift, temperature) != pytest.approx((0, 1), abs=0.1)


def test_frames_without_a_mask_speak_less_for_a_thing(
    model: mpgsam2.Segmenter, stills: list[synthetic.SyntheticClip], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, emptied = copy.deepcopy(model), copy.deepcopy(model)
    as_it_is, calls = emptied.result, count()

    def with_empty_masks(*arguments: object) -> mpgsam2.FrameResult:
        """Every third mask is empty, whatever the object score."""
        result = as_it_is(*arguments)
        return replace(result, mask=result.mask & (next(calls) % 3 > 0))

    monkeypatch.setattr(emptied, "result", with_empty_masks)
    expected, fitted = (calibrate(net, stills).inference.calibration for net in (whole, emptied))
    assert fitted.object_temperature == expected.object_temperature
    assert fitted.verdict_shift < expected.verdict_shift - 0.1


def test_results_are_told_at_the_temperature(model: mpgsam2.Segmenter, clips: list[synthetic.SyntheticClip]) -> None:
    warm = model.configured(calibration=CalibrationConfig(object_temperature=2.0, iou_temperature=4.0))
    plain = model.configured(calibration=CalibrationConfig())
    frames = clips[0].frames
    for told, raw in zip(warm.segment(frames, "the object"), plain.segment(frames, "the object"), strict=True):
        logits = torch.tensor([raw.object_score, raw.iou], dtype=torch.float64).logit()
        expected = (logits / torch.tensor([2.0, 4.0])).sigmoid().tolist()
        assert [told.object_score, told.iou] == pytest.approx(expected, abs=1e-4)
        assert (told.mask == raw.mask).all()


def test_a_configuration_keeps_its_calibration_and_does_without() -> None:
    config = InferenceConfig(16, interleaved=True, calibration=CalibrationConfig(1.5, 0.75, 0.25, 2.5))
    settings = {**NANO.to_dict(), **config.to_settings()}
    assert InferenceConfig.from_settings(settings) == config and ModelConfig.from_dict(settings) == NANO
    assert InferenceConfig.from_settings(NANO.to_dict()) == InferenceConfig()
    without_verdict = {"calibration": {"object_temperature": 1.5, "iou_temperature": 0.75}}
    assert InferenceConfig.from_settings(without_verdict).calibration == CalibrationConfig(1.5, 0.75, 0.0, 1.0)
    with pytest.raises(InputError, match="temperature"):
        InferenceConfig.from_settings({"calibration": {"temperature": 1.0}})


def test_a_checkpoint_keeps_its_calibration(model: mpgsam2.Segmenter, tmp_path: Path) -> None:
    net = model.configured(calibration=CalibrationConfig(1.5, 0.75, 9.0, 2.5))
    save_checkpoint(net, tmp_path)
    kept = mpgsam2.load_model(tmp_path).inference.calibration
    assert kept == net.inference.calibration
    assert conclude([True], [0.9]).present and not conclude([True], [0.9], kept).present


def test_sentences_of_one_sort_cannot_calibrate(model: mpgsam2.Segmenter, clips: list[synthetic.SyntheticClip]) -> None:
    gone = clips[0].labels.copy()
    gone[1:] = 0
    named = replace(clips[0], labels=gone, expressions=clips[0].expressions[:1])
    with pytest.raises(InputError, match="sentences that name nothing"):
        calibrate(copy.deepcopy(model), [named])


def test_frames_of_one_sort_cannot_calibrate(model: mpgsam2.Segmenter, clips: list[synthetic.SyntheticClip]) -> None:
    absent = replace(clips[0], expressions=clips[0].expressions[1:])
    for given in ([], [absent]):
        with pytest.raises(InputError, match="frames that do not"):
            calibrate(copy.deepcopy(model), given)
