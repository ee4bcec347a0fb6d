"""Runs of one setting: seconds and operations by stage, time to the first mask, memory."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from mpgsam2.errors import InputError
from mpgsam2.export.pipeline import segment_file
from mpgsam2.inference.segmenter import Segmenter
from mpgsam2.network.ahead import in_one_thread
from mpgsam2.speed.case import Case
from mpgsam2.speed.clip import make_clip, queries
from mpgsam2.speed.compiling import compile_parts
from mpgsam2.speed.flops import FlopCounter
from mpgsam2.speed.ledger import Ledger
from mpgsam2.speed.memory import device_peak, forget_peak, host_peak
from mpgsam2.speed.plain import plain
from mpgsam2.speed.rate import clock, matrix_product_rate
from mpgsam2.stages import watched_by
from mpgsam2.video import Clip


@dataclass(frozen=True)
class Run:
    """Seconds of one run.

    Attributes:
        frames: that it wrote.
        stages: by stage.
        whole: from the call to the last file.
        first_mask: from the call until the first frame's files are written.
    """

    frames: int
    stages: dict[str, float]
    whole: float
    first_mask: float


@dataclass(frozen=True)
class Measurement:
    """What the runs of one setting took.

    Attributes:
        case: the setting.
        runs: at least one.
        flops: floating-point operations of one run, by stage.
        rate: floating-point operations a second that the device reaches in one large matrix product of that dtype.
        host_peak: bytes, of the process.
        device_peak: bytes, allocated on the GPU; None without one.
        plain: as many runs of the plain network, taken in turns with the others, if it was asked for.
    """

    case: Case
    runs: tuple[Run, ...]
    flops: dict[str, float]
    rate: float
    host_peak: int
    device_peak: int | None
    plain: tuple[Run, ...] = ()


def measure(model: Segmenter, case: Case, repeats: int = 3, *, against_plain: bool = False) -> Measurement:
    """Run a setting several times, from the clip's file to the results' files.

    A pass of the model alone that counts operations, and a run that warms up, go before those that are timed.

    Args:
        model: the case's on the case's device; parts of it are compiled if so wished.
        case: the setting.
        repeats: runs that are timed.
        against_plain: whether the plain network (in float32, not compiled) runs as often, in turns with the setting;
            memory is then that of both.

    Raises:
        InputError: `repeats` is below 1, or a compiled network would run against the plain one: what is compiled stays.
    """
    if repeats < 1:
        raise InputError("A benchmark needs at least one timed run.")
    if against_plain and case.compiled:
        raise InputError("A compiled network is not measured against the plain one: leave one of the two out.")
    device, dtype = torch.device(case.device), getattr(torch, case.dtype)
    model = model.configured(dtype=dtype)
    with TemporaryDirectory() as folder:
        clip = make_clip(Path(folder, "clip.mp4"), case.frames)
        flops = _count(model, clip, case)
        if case.compiled:
            compile_parts(model.network)
        run = partial(_run, clip=clip, case=case, folder=Path(folder, "results"))
        run(model)
        forget_peak(device)
        plain_runs, runs = [], []
        for _ in range(repeats):
            if against_plain:
                with plain():
                    plain_runs.append(run(model.configured(dtype=torch.float32)))
            runs.append(run(model))
    rate = matrix_product_rate(device, dtype)
    return Measurement(case, tuple(runs), flops, rate, host_peak(), device_peak(device), tuple(plain_runs))


def _count(model: Segmenter, clip: Clip, case: Case) -> dict[str, float]:
    """Count floating-point operations by stage; the counter sees its own thread only, so nothing is drawn meanwhile."""
    with FlopCounter() as counter:
        ledger = Ledger(lambda: counter.total)
        with watched_by(ledger.stage), in_one_thread():
            for _ in model.segment_several(clip, queries(case.expressions)):
                pass
    return ledger.totals


def _run(model: Segmenter, clip: Clip, case: Case, folder: Path) -> Run:
    ledger = Ledger(partial(clock, torch.device(case.device)))
    start, written = time.perf_counter(), []
    with watched_by(ledger.stage):
        for _ in segment_file(model, clip, queries(case.expressions), folder):
            written.append(time.perf_counter() - start)
    return Run(len(written), ledger.totals, time.perf_counter() - start, written[0])
