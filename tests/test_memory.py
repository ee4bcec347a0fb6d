"""Free memory: what torch holds of a GPU counts, and a container's limit is heeded."""

from __future__ import annotations

from collections import namedtuple
from pathlib import Path

import pytest
import torch

from mpgsam2.inference.memory import free_memory

MACHINE = 10_000


@pytest.fixture
def cgroups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a test may lay out control groups; the machine has `MACHINE` bytes left."""
    monkeypatch.setattr("psutil.virtual_memory", lambda: namedtuple("Memory", ["available"])(MACHINE))
    monkeypatch.setattr("mpgsam2.inference.memory._CGROUPS", tmp_path)
    monkeypatch.setattr("mpgsam2.inference.memory._OWN_CGROUPS", tmp_path / "own")
    return tmp_path


def write(folder: Path, **files: object) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name.replace("__", ".")).write_text(f"{content}\n")


def test_without_containers_it_is_the_machines(cgroups: Path) -> None:
    assert free_memory(torch.device("cpu")) == MACHINE
    (cgroups / "own").write_text("0::/\n4:memory:/somewhere/else\n")
    assert free_memory(torch.device("cpu")) == MACHINE


@pytest.mark.parametrize(
    ("limit", "used", "cached", "left"),
    [(900, 500, 0, 400), (900, 500, 100, 500), (900, 950, 0, 0), ("max", 1, 0, MACHINE)],
)
def test_a_groups_limit_second_version(cgroups: Path, limit: int | str, used: int, cached: int, left: int) -> None:
    (cgroups / "own").write_text("0::/pod/box\n")
    write(cgroups / "pod/box", memory__max=limit, memory__current=used, memory__stat=f"anon 7\ninactive_file {cached}")
    assert free_memory(torch.device("cpu")) == left
    write(cgroups / "pod", memory__max=600, memory__current=570, memory__stat="inactive_file 0")
    assert free_memory(torch.device("cpu")) == min(left, 30)  # those that a group is in have limits, too


@pytest.mark.parametrize("own", ["/docker/7f", "/"])
def test_a_groups_limit_first_version(cgroups: Path, own: str) -> None:
    (cgroups / "own").write_text(f"9:cpu:/\n4:memory:{own}\n")
    write(  # a container sees its own group as the topmost, whatever it is called outside
        cgroups / "memory",
        memory__limit_in_bytes=900,
        memory__usage_in_bytes=800,
        memory__stat="total_inactive_file 50",
    )
    assert free_memory(torch.device("cpu")) == 150


def test_what_torch_holds_of_a_gpu_is_free_as_far_as_nothing_is_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.mem_get_info", lambda device: (100, 1000))
    monkeypatch.setattr("torch.cuda.memory_reserved", lambda device: 70)
    monkeypatch.setattr("torch.cuda.memory_allocated", lambda device: 30)
    assert free_memory(torch.device("cuda")) == 140
