"""The benchmark counts what it says it counts, and the fast ways of the network give what the plain ones give."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from itertools import count
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from sam2.modeling.backbones.hieradet import Hiera
from sam2.modeling.backbones.image_encoder import ImageEncoder
from sam2.modeling.sam.transformer import RoPEAttention

import mpgsam2
from mpgsam2 import InputError
from mpgsam2.cli import main
from mpgsam2.network.config import NANO
from mpgsam2.network.memory_attention import MemoryCrossAttention, attend
from mpgsam2.speed import Case, cases, compare, load_or_make, measure, record, table
from mpgsam2.speed.clip import SIDE, make_clip, queries
from mpgsam2.speed.flops import FlopCounter
from mpgsam2.speed.ledger import Ledger
from mpgsam2.speed.measure import Measurement
from mpgsam2.speed.plain import plain
from mpgsam2.stages import DRAWING, ENCODING, FEATURES, READING, STAGES, TRACKING, WRITING

MODEL = (ENCODING, FEATURES, TRACKING)


@pytest.fixture(scope="module")
def measurement(model: mpgsam2.Segmenter) -> Measurement:
    return measure(model, Case(frames=5, expressions=2), repeats=2)


# ------------------------------------------------------------------------------------------------------- measurements


def test_every_frame_and_stage_is_booked(measurement: Measurement) -> None:
    assert len(measurement.runs) == 2
    for run in measurement.runs:
        assert run.frames == 5
        assert tuple(run.stages) == STAGES and min(run.stages.values()) > 0
        assert 0 < run.first_mask < run.whole
        assert run.whole / 2 <= sum(run.stages.values()) <= run.whole


def test_operations_are_those_of_the_model_alone(measurement: Measurement) -> None:
    assert tuple(measurement.flops) == STAGES
    for stage in (READING, DRAWING, WRITING):
        assert measurement.flops[stage] == 0
    assert all(isinstance(measurement.flops[stage], int) and measurement.flops[stage] > 0 for stage in MODEL)


def test_operations_grow_with_the_expressions_but_not_those_of_the_images(
    model: mpgsam2.Segmenter, measurement: Measurement
) -> None:
    alone = measure(model, Case(frames=5), repeats=1).flops
    assert measurement.flops[FEATURES] == alone[FEATURES]
    assert 1.5 * alone[TRACKING] < measurement.flops[TRACKING] <= 2 * alone[TRACKING]


def test_peak_memory_holds_the_weights(model: mpgsam2.Segmenter, measurement: Measurement) -> None:
    weights = sum(tensor.numel() * tensor.element_size() for tensor in model.state_dict().values())
    assert weights < measurement.host_peak < 100e9
    assert measurement.device_peak is None


def test_the_table_says_what_was_measured(measurement: Measurement) -> None:
    heading, _, *rows = table(measurement).splitlines()
    assert heading.startswith("nano, 5 frames, 2 expressions, float32, cpu: ")
    assert " frames/s; first mask after " in heading and " MB; " in heading
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    assert [row[0] for row in cells] == ["stage", "---", *STAGES, "whole"]
    whole = float(cells[-1][1].split(" ")[0])
    assert whole == pytest.approx(np.median([run.whole for run in measurement.runs]), rel=1e-2)
    assert [row[3] == "–" for row in cells[2:]] == [stage not in MODEL for stage in STAGES] + [False]


def test_the_plain_network_runs_in_turns(model: mpgsam2.Segmenter, measurement: Measurement) -> None:
    both = measure(model, Case(frames=2), repeats=2, against_plain=True)
    assert len(both.plain) == len(both.runs) == 2 and not measurement.plain
    ratios = [run.whole / plain.whole for run, plain in zip(both.runs, both.plain, strict=True)]
    assert f"; {np.median(ratios):.3g} ({min(ratios):.3g}–{max(ratios):.3g}) × the plain network's time" in table(both)
    assert "plain" not in table(measurement)


def test_the_record_is_json(measurement: Measurement) -> None:
    (written,) = json.loads(json.dumps(record([measurement])))["measurements"]
    assert written["case"] == {
        "model": "nano",
        "frames": 5,
        "expressions": 2,
        "dtype": "float32",
        "device": "cpu",
        "compiled": False,
    }
    assert written["flops"] == measurement.flops
    assert [run["whole"] for run in written["runs"]] == [run.whole for run in measurement.runs]


def test_what_happens_within_a_stage_goes_to_the_inner_one_alone() -> None:
    ledger = Ledger(count(step=10).__next__)  # every look at it takes 10
    with ledger.stage(TRACKING):
        with ledger.stage(FEATURES):
            pass
        with ledger.stage(FEATURES):
            pass
    assert ledger.totals == {**dict.fromkeys(STAGES, 0), TRACKING: 30, FEATURES: 20}


def test_operations_of_known_layers() -> None:
    with torch.inference_mode(), FlopCounter() as counter:
        torch.nn.Linear(10, 7)(torch.zeros(3, 10))
        assert counter.total == 2 * 3 * 10 * 7
        torch.nn.Conv2d(4, 6, kernel_size=3, padding=1)(torch.zeros(2, 4, 8, 8))
        convolution = 2 * (2 * 8 * 8) * (4 * 3 * 3) * 6
        assert counter.total == 2 * 3 * 10 * 7 + convolution
        F.scaled_dot_product_attention(*(torch.zeros(1, 2, length, 16) for length in (5, 9, 9)))
        assert counter.total == 2 * 3 * 10 * 7 + convolution + 2 * 2 * (2 * 5 * 9 * 16)


def test_the_clip_shows_what_is_asked_for(model: mpgsam2.Segmenter, tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", 3)
    assert (clip.width, clip.height, clip.frame_count) == (SIDE, SIDE, 3)
    asked = queries(4)
    assert len({query.expression for query in asked}) == 4
    assert not any(model.tokenizer.unknown_words(query.expression) for query in asked)


def test_weights_by_rule_fill_a_preset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(mpgsam2.network.config.PRESETS, "small", NANO)
    nets = [load_or_make("small") for _ in range(2)]
    for (name, one), other in zip(nets[0].state_dict().items(), nets[1].state_dict().values(), strict=True):
        assert torch.equal(one, other) and one.isfinite().all(), name
    assert nets[0].window is None and nets[0].config == NANO
    assert not torch.equal(nets[0].network.mask_linear.weight, load_or_make("nano").network.mask_linear.weight)


# ----------------------------------------------------------------------------------------------------- the fast paths


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_masks_are_the_plain_networks(model: mpgsam2.Segmenter, dtype: str) -> None:
    comparison = compare(model, Case(frames=6, expressions=3, dtype=dtype))
    assert comparison.holds, str(comparison)
    assert 0 < comparison.area < 0.5


def test_plain_ways_are_sam2s_and_end_with_their_context(
    model: mpgsam2.Segmenter, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: Counter[type] = Counter()

    def counted(kind: type) -> Callable[..., object]:
        forward = kind.forward

        def call(*args: object, **kwargs: object) -> object:
            taken[kind] += 1
            return forward(*args, **kwargs)

        return call

    for kind in (Hiera, RoPEAttention, ImageEncoder):
        monkeypatch.setattr(kind, "forward", counted(kind))
    frames, layers = [np.zeros((32, 32, 3), np.uint8)] * 2, model.config.tracker.memory_layers
    with plain():
        list(model.segment(frames, "the red circle"))
    assert taken == {Hiera: 2, ImageEncoder: 2, RoPEAttention: 2 * layers}  # among frames, and from one to the other
    taken.clear()
    list(model.segment(frames, "the red circle"))
    assert taken == {RoPEAttention: layers}


def test_strips_change_nothing(model: mpgsam2.Segmenter, monkeypatch: pytest.MonkeyPatch) -> None:
    trunk = model.network.visual_model.image_encoder.trunk
    images = torch.randn(2, 3, 256, 256, generator=torch.Generator().manual_seed(0))
    monkeypatch.setattr("mpgsam2.network.hiera._STRIP_SIZE", 1)  # strips of one row of windows
    with torch.inference_mode():
        stages = trunk(images)
        for ours, theirs in zip(stages, Hiera.forward(trunk, images), strict=True):
            assert ours.shape == theirs.shape
            torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)


def test_positions_follow_their_parameters(model: mpgsam2.Segmenter) -> None:
    trunk = mpgsam2.MPGSAM2.from_state_dict(model.state_dict()).visual_model.image_encoder.trunk
    with torch.inference_mode():
        before = trunk._get_pos_embed((64, 64))
        assert trunk._get_pos_embed((64, 64)) is before
    with torch.no_grad():
        trunk.pos_embed.mul_(2)
    with torch.inference_mode():
        after = trunk._get_pos_embed((64, 64))
        torch.testing.assert_close(after, Hiera._get_pos_embed(trunk, (64, 64)))
        assert not torch.allclose(after, before)


def test_attention_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    random = torch.Generator().manual_seed(0)
    query, key, value = (
        torch.randn(2, *size, generator=random, dtype=torch.float64) for size in ((7, 8), (11, 8), (11, 3))
    )
    key[:, -1] *= 50  # the largest score comes last
    expected = F.scaled_dot_product_attention(query, key, value)
    monkeypatch.setattr("mpgsam2.network.memory_attention._QUERIES", 3)
    monkeypatch.setattr("mpgsam2.network.memory_attention._KEYS", 4)
    torch.testing.assert_close(attend(query, key, value), expected)


def test_memory_attention_is_sam2s() -> None:
    torch.manual_seed(0)
    layer = MemoryCrossAttention(32, num_heads=1, kv_in_dim=8, feat_sizes=(4, 4), rope_k_repeat=True)
    query, memory = torch.randn(2, 16, 32), torch.randn(2, 3 * 16 + 5, 8)
    place = torch.randn(2, 3 * 16 + 5, 8)
    with torch.inference_mode():
        ours = layer(query, memory + place, memory, num_k_exclude_rope=5)
        theirs = RoPEAttention.forward(layer, query, memory + place, memory, num_k_exclude_rope=5)
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)
    layer(query.requires_grad_(), memory + place, memory, num_k_exclude_rope=5).sum().backward()
    assert query.grad.isfinite().all()


# ------------------------------------------------------------------------------------------------------- command line


def test_benchmark_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "figures.json"
    assert main(["benchmark", "--frames", "2,3", "--expressions", "1,2", "--repeats", "1", "--json", str(file)]) == 0
    written = json.loads(file.read_text())
    settings = [(m["case"]["frames"], m["case"]["expressions"]) for m in written["measurements"]]
    assert settings == [(2, 1), (2, 2), (3, 1), (3, 2)]
    assert [run["frames"] for m in written["measurements"] for run in m["runs"]] == [2, 2, 3, 3]
    assert capsys.readouterr().out.count("| whole |") == 4


def test_check_from_the_command_line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert main(["benchmark", "--check", "--frames", "3"]) == 0
    assert "masks as the plain float32 network's" in capsys.readouterr().out
    monkeypatch.setattr("mpgsam2.network.memory_attention.attend", lambda query, key, value: 9 * value[:, :256])
    with pytest.raises(SystemExit) as ended:
        main(["benchmark", "--check", "--frames", "3"])
    assert ended.value.code == 1
    assert "masks not as the plain float32 network's" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ["--frames", "0"],
        ["--expressions", "1,5"],
        ["--repeats", "0"],
        ["--plain", "--compile"],
        ["--json", "nowhere/figures.json"],
    ],
)
def test_what_cannot_be_measured_is_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["benchmark", *arguments]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_every_combination_is_a_case() -> None:
    every = cases("tiny", [8, 32], [1, 4], dtype="float32", device="cpu", compiled=True)
    assert [(case.frames, case.expressions) for case in every] == [(8, 1), (8, 4), (32, 1), (32, 4)]
    assert str(every[0]) == "tiny, 8 frames, 1 expression, float32, cpu, compiled"
    with pytest.raises(InputError, match="1 to 4 expressions"):
        cases("tiny", [8], [5], dtype="float32", device="cpu", compiled=False)
