"""The package as people install it: a wheel in an environment of its own, away from the repository."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from email import message_from_bytes
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement

import mpgsam2
from mpgsam2.cli import main
from mpgsam2.export import read_record

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(ROOT)]
    subprocess.run(build, check=True)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the wheel, and with what it needs from the environment of the tests."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    base = {"base": str(folder), "platbase": str(folder)}
    packages = Path(sysconfig.get_path("purelib", vars=base))
    (packages / "of_the_tests.pth").write_text(sysconfig.get_path("purelib"))
    python = folder / "bin" / "python"
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", str(wheel)]
    subprocess.run(install, check=True)
    return folder


def test_the_wheel_holds_what_the_package_needs_beside_its_modules(wheel: Path) -> None:
    assert wheel.name.startswith(f"mpgsam2-{mpgsam2.__version__}-")
    tracked = subprocess.run(["git", "ls-files", "mpgsam2", "assets/nano", "examples"], cwd=ROOT, capture_output=True)
    names = set(ZipFile(wheel).namelist())
    for file in tracked.stdout.decode().split():
        assert (file if file.startswith("mpgsam2/") else f"mpgsam2/{file}") in names


def test_the_installed_command_segments_an_example_from_another_folder_without_gradio(
    environment: Path, tmp_path: Path
) -> None:
    blocked = tmp_path / "blocked"
    blocked.mkdir()
    for name in ("gradio", "spaces"):
        (blocked / f"{name}.py").write_text(f"raise ImportError('{name} is no part of the core')")
    clip = ROOT / "examples" / "relation.mp4"
    command = [environment / "bin" / "mpgsam2", "segment", clip, "the red circle", "--last", "3", "--out", "results"]
    run = subprocess.run(command, cwd=tmp_path, env={"PYTHONPATH": str(blocked)}, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert read_record(tmp_path / "results")["frames"] == 4
    where = [environment / "bin" / "python", "-c", "import mpgsam2; print(mpgsam2.__file__)"]
    run = subprocess.run(where, cwd=tmp_path, env={}, capture_output=True, text=True)
    assert Path(run.stdout.strip()).is_relative_to(environment)


def test_the_page_says_what_it_needs_where_that_is_not_installed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "gradio", None)
    assert main(["demo"]) == 2
    assert capsys.readouterr().err == "The page needs the packages gradio and spaces: install mpgsam2[demo].\n"


def test_requirement_files_and_the_package_install_the_same(wheel: Path) -> None:
    def in_file(name: str) -> set[str]:
        lines = (line.partition("#")[0].strip() for line in (ROOT / name).read_text().splitlines())
        return {str(Requirement(line)) for line in lines if line and not line.startswith("-r ")}

    def in_package(*extras: str) -> set[str]:
        wanted = (Requirement(line) for line in lines)
        return {
            f"{one.name}{one.specifier}"
            for one in wanted
            if one.marker is None or any(one.marker.evaluate({"extra": extra}) for extra in extras)
        }

    with ZipFile(wheel) as archive:
        (metadata,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        lines = message_from_bytes(archive.read(metadata)).get_all("Requires-Dist")
    assert in_package("demo") == in_file("requirements.txt")
    assert in_package("train", "test") - in_package("demo") == in_file("tests/requirements.txt")
