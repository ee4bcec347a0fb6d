"""What the network looks at, asked for beside a run."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from mpgsam2 import Query, Segmenter
from mpgsam2.network import insight
from mpgsam2.network.ahead import in_one_thread
from mpgsam2.network.insight import Sight, by_query, watch
from mpgsam2.network.prior import PriorLayers

SENTENCE = "the yellow star"


@pytest.fixture(scope="module")
def frames() -> list[np.ndarray]:
    return list(np.random.default_rng(0).integers(0, 256, (7, 48, 64, 3), np.uint8))


def test_nothing_changes_and_nothing_is_left(model: Segmenter, frames: list[np.ndarray]) -> None:
    def hooks() -> int:
        return sum(len(module._forward_pre_hooks) for module in model.network.modules())

    before = hooks()
    plain = [result.probability for result in model.segment(frames, SENTENCE)]
    with watch(model.network) as seen:
        assert hooks() == before + 3
        watched = [result.probability for result in model.segment(frames, SENTENCE)]
    assert hooks() == before and seen
    count = len(seen)
    for one, other in zip(plain, watched, strict=True):
        np.testing.assert_array_equal(one, other)
    list(model.segment(frames[:1], SENTENCE))
    assert len(seen) == count


def test_two_threads_see_what_one_sees_in_the_same_order(model: Segmenter) -> None:
    """Of more frames than go through the encoder at once, or the generator sees together."""
    frames = list(np.random.default_rng(1).integers(0, 256, (35, 24, 32, 3), np.uint8))
    assert model.network.in_threads

    def sights() -> list[Sight]:
        with watch(model.network) as seen:
            results = model.segment(frames, SENTENCE)
            next(results)
            results.close()
        return [sight for sight in seen if sight.kind != "memories"]

    in_two = sights()
    with in_one_thread():
        in_one = sights()
    assert [sight.kind for sight in in_two] == [sight.kind for sight in in_one]
    assert all(np.array_equal(a.shares, b.shares) for a, b in zip(in_two, in_one, strict=True))
    assert len({sight.shares.tobytes() for sight in in_one}) == len(in_one) > 4


def test_shares_are_those_of_torchs_own_attention(model: Segmenter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(insight, "_SAMPLED_PLACES", 10**6)  # all patches
    layers: PriorLayers = model.network
    attention, patches = layers.visual_ifi.self_attn, model.config.encoder.grid**2
    torch.manual_seed(0)
    x = torch.randn(1, 3 * patches, attention.in_proj_weight.shape[1])
    with torch.inference_mode():
        seen = insight._frames(attention, x, patches)
        _, weights = F.multi_head_attention_forward(
            *(x.transpose(0, 1),) * 3,
            *(x.shape[-1], attention.heads, attention.in_proj_weight, attention.in_proj_bias, None, None, False, 0.0),
            *(attention.out_proj.weight, attention.out_proj.bias),
            training=False,
        )
    expected = weights[0].view(3, patches, 3, patches).sum(dim=-1).mean(dim=1)
    torch.testing.assert_close(seen, expected, atol=1e-4, rtol=1e-3)


def test_every_query_and_frame_gets_its_own(model: Segmenter, frames: list[np.ndarray]) -> None:
    """Also of sentences that go as one batch, and where a part is switched off; each as if it had been asked alone."""
    queries = [Query(SENTENCE), Query("a circle"), Query(SENTENCE, frozenset({"history"}))]
    together = model.window if model.interleaved else 0

    def sights(asked: list[Query]) -> list[dict]:
        with watch(model.network) as seen:
            list(model.segment_several(frames, asked))
        return by_query(seen, [(query.expression, query.without) for query in asked], together)

    several = sights(queries)
    for query, found in zip(queries, several, strict=True):
        (alone,) = sights([query])
        assert np.allclose(found["words"], alone["words"], atol=1e-4)
        assert np.shape(found["words"]) == (len(frames), len(query.expression.split()))
        for t in range(len(frames)):
            assert sum(found["words"][t]) == pytest.approx(1, abs=1e-3)
            assert sum(found["frames"][t].values()) == pytest.approx(1, abs=1e-3)
            memories = found["memories"][t]
            if t == 0 or "history" in query.without:
                assert memories is None
                continue
            assert list(memories) == [0, *range(max(1, t - 6), t), "pointers"]
            assert sum(memories.values()) == pytest.approx(1, abs=1e-3)
            assert memories == pytest.approx(alone["memories"][t], abs=1e-4)


def test_frames_that_were_dealt_out_are_put_back_and_spans_follow_each_other() -> None:
    """Five frames, of which the generator sees two at a time, and then three more in a span of their own."""

    def words(count: int) -> Sight:
        return Sight("words", np.ones((count, 1), np.float32))

    def part(*rows: list[float]) -> Sight:
        return Sight("frames", np.float32(rows))

    memories = [Sight("memories", np.float32([[0.5, *[0.1] * min(t, 6)]])) for t in range(1, 5)]
    seen = [words(3), words(2), part([1, 0], [0.25, 0.75]), part([1, 0], [0, 1]), part([1]), *memories]
    seen += [words(3), part([1, 0], [0, 1]), part([1]), *memories[:2]]
    (found,) = by_query(seen, [("a", frozenset())], together=2)
    assert found["frames"][3] == {0: 0.25, 3: 0.75} and found["frames"][2] == {2: 1}
    assert found["frames"][7] == {5: 0, 7: 1} and found["frames"][6] == {6: 1}
    assert list(found["memories"][4]) == [0, 1, 2, 3, "pointers"] and found["memories"][5] is None
    assert list(found["memories"][7]) == [5, 6, "pointers"]
    (half,) = by_query(seen[:2], [("a", frozenset())], together=2)  # a run that was stopped early
    assert half["frames"] == half["memories"] == [None] * 5
