"""What was measured, as a table for people and as JSON for programs."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from statistics import median
from typing import Any

import torch

from mpgsam2.speed.measure import Measurement
from mpgsam2.stages import STAGES

_MEGABYTE = 10**6


def table(measurement: Measurement) -> str:
    """Return a heading and a Markdown table: medians of the seconds with their range, operations, share of the rate."""
    frames = measurement.case.frames
    wholes = [run.whole for run in measurement.runs]
    rows = [(name, [run.stages[name] for run in measurement.runs], measurement.flops[name]) for name in STAGES]
    rows.append(("whole", wholes, sum(measurement.flops.values())))
    memory = f"{measurement.host_peak / _MEGABYTE:,.0f} MB"
    if measurement.device_peak is not None:
        memory += f", {measurement.device_peak / _MEGABYTE:,.0f} MB on the GPU"
    told = [
        f"{_spread([frames / whole for whole in wholes])} frames/s",
        f"first mask after {_spread([run.first_mask for run in measurement.runs])} s",
        f"peak memory {memory}",
        f"matrix products at {measurement.rate / 1e9:,.0f} GFLOP/s",
    ]
    if measurement.plain:
        pairs = zip(measurement.runs, measurement.plain, strict=True)
        told.append(f"{_spread([run.whole / plain.whole for run, plain in pairs])} × the plain network's time")
    lines = [
        f"{measurement.case}: {'; '.join(told)}",
        "",
        f"| stage | seconds, median of {len(wholes)} (range) | GFLOP a frame | of the rate |",
        "| --- | --- | --- | --- |",
    ]
    for name, seconds, flops in rows:
        share = f"{flops / median(seconds) / measurement.rate:.0%}" if flops else "–"
        lines.append(f"| {name} | {_spread(seconds)} | {flops / frames / 1e9:,.1f} | {share} |")
    return "\n".join(lines)


def record(measurements: Iterable[Measurement]) -> dict[str, Any]:
    """Return the same and every run, as JSON can hold it, with what it was measured on; bytes, seconds, operations."""
    return {
        "machine": {
            "system": platform.platform(),
            "processor": platform.processor() or platform.machine(),
            "threads": torch.get_num_threads(),
            "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
            "torch": torch.__version__,
        },
        "measurements": [asdict(measurement) for measurement in measurements],
    }


def _spread(values: Sequence[float]) -> str:
    return f"{median(values):.3g} ({min(values):.3g}–{max(values):.3g})"
