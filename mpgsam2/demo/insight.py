"""What the network looked at during a run, as a file that the player reads when it is asked for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from mpgsam2.inference.query import Query
from mpgsam2.inference.segmenter import Segmenter
from mpgsam2.network.insight import Sight, by_query

INSIGHT = "insight.json"


def insight_json(seen: Sequence[Sight], model: Segmenter, queries: Sequence[Query]) -> bytes:
    """Return per query its words, and per frame the shares of words, frames and memories, in thousandths.

    Frames are counted from 0; of a frame it lists "from" and, in the same order, "share"; "pointers" is the share of
    the object pointers. What was not seen is null.
    """
    together = model.window if model.interleaved and model.window else 0
    asked = [(query.expression, query.without) for query in queries]
    sorted_out = by_query(seen, asked, together)
    listed = [
        {
            "pieces": model.tokenizer.pieces(query.expression),
            "words": [[_thousandths(share) for share in shares] for shares in sights["words"]],
            "frames": [_listed(shares) for shares in sights["frames"]],
            "memories": [_listed(shares) for shares in sights["memories"]],
        }
        for query, sights in zip(queries, sorted_out, strict=True)
    ]
    return json.dumps({"together": together, "queries": listed}, separators=(",", ":")).encode()


def _listed(shares: dict[Any, float] | None) -> dict[str, Any] | None:
    if shares is None:
        return None
    frames = [frame for frame in shares if frame != "pointers"]
    listed: dict[str, Any] = {"from": frames, "share": [_thousandths(shares[frame]) for frame in frames]}
    return listed | ({"pointers": _thousandths(shares["pointers"])} if "pointers" in shares else {})


def _thousandths(share: float) -> int:
    return round(1000 * share)
