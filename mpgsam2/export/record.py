"""What `run.json` says of a run besides its results: enough to repeat it."""

from __future__ import annotations

import json
import platform
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cache
from importlib.metadata import packages_distributions, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mpgsam2.export.drawing import Look
from mpgsam2.export.files import RECORD
from mpgsam2.inference.config import InferenceConfig
from mpgsam2.inference.query import Query
from mpgsam2.inference.verdict import Verdict
from mpgsam2.video import SelectedClip

if TYPE_CHECKING:
    from mpgsam2.inference.segmenter import Segmenter
    from mpgsam2.video.ground_truth import GroundTruth

RECORDED_MODULES = (
    *("torch", "sam2", "transformers", "tokenizers", "sentencepiece"),
    *("numpy", "cv2", "av", "imageio_ffmpeg", "PIL"),
)


def read_record(folder: Path) -> dict[str, Any]:
    """Return what `run.json` in the folder of a finished run says."""
    return json.loads((folder / RECORD).read_text(encoding="utf-8"))


@cache
def installed_versions() -> dict[str, str]:
    """Return the versions of Python and the packages that results depend on, by the names they were installed under."""
    packages = packages_distributions()
    names = sorted({name for module in RECORDED_MODULES for name in packages.get(module, [])})
    return {"python": platform.python_version(), **{name: version(name) for name in names}}


def run_record(
    part: SelectedClip,
    queries: Sequence[Query],
    model: Segmenter,
    look: Look,
    threshold: float,
    truth: GroundTruth | None,
    versions: Mapping[str, str],
) -> dict[str, Any]:
    """Return what was run on what, as JSON can hold it; files and models by their own names, never the way to them.

    Args:
        part: what was taken of the clip.
        queries, model, look, threshold, truth: of the run.
        versions: beside those of `installed_versions`.
    """
    source, dtype = part.source, str(model.dtype).removeprefix("torch.")
    # `last` is a number also where the selection leaves it open.
    last = source.frame_count - 1 if part.selection.last is None else part.selection.last
    return {
        "clip": {
            "name": source.name,
            "sha256": source.sha256(),
            "width": source.width,
            "height": source.height,
            "frames": source.frame_count,
            "fps": str(source.fps),
            "variable_rate": source.variable_rate,
        },
        "selection": {**asdict(part.selection), "last": last},
        "fps": str(part.fps),
        "times": None if part.varying_times is None else [round(time, 6) for time in part.varying_times],
        "width": part.width,
        "height": part.height,
        "model": {"name": model.name, "sha256": model.fingerprint},
        "settings": {
            "threshold": threshold,
            "opacity": look.opacity,
            **({"dimmed": look.dimmed} if look.dimmed else {}),
            "pattern": look.pattern,
            "window": model.window,
            "interleaved": model.interleaved,
            "span": None,
            "dtype": dtype,
        },
        "ground_truth": truth and {"name": truth.name, "object": truth.object, "frames": len(truth.frames)},
        "versions": {**versions, **installed_versions()},
    }


def cut_sentence(inference: InferenceConfig, span: int) -> str:
    """Return what a user is told where a clip is longer than the longest span of frames that are read together."""
    if inference.longest_span is None:
        why = "because no more fit into the memory that was free"
    elif inference.span == span:
        why = "as asked"
    else:
        why = "as this model works"
    return f"The clip was cut after every {span} frames, {why}: its parts know nothing of each other."


def verdict_record(verdict: Verdict | None) -> dict[str, Any] | None:
    """Return a verdict as JSON can hold it, None if there is none.

    `presence` is rounded to four digits, `certainty` is as it is told; where the sentence was not understood nothing is
    said of them, nor whether what it names is present. `found` lists the first and the last frame of each run with
    masks, counted from 0 like `index`; the sentence counts from 1.
    """
    if verdict is None:
        return None
    return {
        "sentence": verdict.sentence,
        "present": None if verdict.doubt else verdict.present,
        "presence": None if verdict.doubt else round(verdict.presence, 4),
        "certainty": None if verdict.doubt else verdict.certainty,
        "found": [[run.start, run.stop - 1] for run in verdict.found],
    }


def command(
    part: SelectedClip,
    queries: Sequence[Query],
    model: str,
    threshold: float,
    truth: GroundTruth | None,
    dtype: str = "float32",
    done: int | None = None,
    span: int | None = None,
) -> str | None:
    """Return the command line that repeats a run's masks, ready for a shell that stands where the files are.

    Args:
        part: what was taken of the clip.
        queries, threshold: of the run.
        model: its name.
        truth: the ground truth; None where there is none.
        dtype: of the model's matrix products.
        done: frames that the run came to; None for all.
        span: where the clip was cut, if neither the model nor the clip's length says it.

    Returns:
        One line, without what is as it is anyway; None where the queries differ in a way that no command line says,
        or a name cannot be typed. What begins with a dash comes after "--" or "=", as it is no option.
    """
    first, *others = queries
    alike = all(query.without == first.without for query in others)
    compared = not alike and [query.expression for query in others] == [first.expression]
    if not alike and not (compared and first.without < others[0].without):
        return None
    words, given = ["python", "-m", "mpgsam2", "segment"], [part.path.name, first.expression]
    named: list[str] = []
    if compared:
        named += ["--compare", *sorted(others[0].without - first.without)]
    else:
        named += [word for query in others for word in _option("--expression", query.expression)]
    if first.without:
        named += ["--without", *sorted(first.without)]
    chosen = part.selection
    last = chosen.last
    if done is not None and done < part.frame_count:
        last = chosen.first + (done - 1) * chosen.every
    options = {
        "--model": (model, "nano"),
        "--dtype": (dtype, "float32"),
        "--first": (chosen.first, 0),
        "--last": (last, None),
        "--every": (chosen.every, 1),
        "--longest-side": (chosen.longest_side, None),
        "--threshold": (threshold, 0.5),
        "--span": (span, None),
        "--ground-truth": (truth and truth.name, None),
        "--object": (truth and truth.object, None),
    }
    named += [word for name, (value, usual) in options.items() if value != usual for word in _option(name, str(value))]
    if not all(_can_be_typed(word) for word in (*given, *named)):
        return None
    dashed = any(word.startswith("-") for word in given)
    return shlex.join([*words, *named, "--", *given] if dashed else [*words, *given, *named])


def _can_be_typed(word: str) -> bool:
    """Return whether a word can be an argument: not if it holds a zero, or bytes of a file's name that are no UTF-8."""
    return "\0" not in word and word == word.encode(errors="ignore").decode()


def _option(name: str, value: str) -> list[str]:
    return [f"{name}={value}"] if value.startswith("-") else [name, value]
