"""What a Space and the hub read of this repository: front matter, requirements, and the commands that put it there."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import sysconfig
from importlib.metadata import requires, version
from pathlib import Path

import pytest
from huggingface_hub import ModelCard, RepoCard, SpaceHardware
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
ZEROGPU_TORCH = ("2.8.0", "2.9.1", "2.10.0", "2.11.0")
ZEROGPU_PYTHON = ("3.10", "3.12")
COLOURS = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}  # that the hub knows


@pytest.fixture(scope="module")
def requirements() -> dict[str, Requirement]:
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    read = [Requirement(line.split(" #")[0]) for line in lines if line and not line.startswith("#")]
    return {requirement.name: requirement for requirement in read}


def test_front_matter_follows_the_hubs_rules(requirements: dict[str, Requirement]) -> None:
    front = RepoCard(README).data.to_dict()
    assert front["sdk"] == "gradio" and (ROOT / front["app_file"]).is_file()
    assert len(front["title"]) > 0 and 0 < len(front["short_description"]) <= 60
    assert {front["colorFrom"], front["colorTo"]} <= COLOURS
    assert re.fullmatch(r"[^\w\s]️?", front["emoji"])
    assert front["python_version"] in ZEROGPU_PYTHON, "as text: 3.10 as a number would be 3.1"
    assert front["suggested_hardware"] in {hardware.value for hardware in SpaceHardware}
    assert re.fullmatch(r"\d+(m|h)", front["startup_duration_timeout"])
    assert front["license"] == "apache-2.0" and all(re.fullmatch(r"[\w-]+/[\w.-]+", name) for name in front["models"])
    assert all(re.fullmatch(r"[a-z0-9-]+", tag) for tag in front["tags"])
    assert front["sdk_version"] in requirements["gradio"].specifier
    assert Version(front["sdk_version"]) <= Version(version("gradio")), "tested with none that is older"


def test_zerogpus_resolver_finds_its_versions_of_torch(requirements: dict[str, Requirement]) -> None:
    others = [Requirement(line) for line in requires("sam2") or [] if "extra ==" not in line]
    asked = [requirements["torch"], *(requirement for requirement in others if requirement.name == "torch")]
    assert len(asked) == 2 and version("torch").split("+")[0] in requirements["torch"].specifier
    for offered in ZEROGPU_TORCH:
        assert all(offered in requirement.specifier for requirement in asked), offered
    assert "torchvision" not in requirements, "its version follows from torch's"


def test_nothing_is_installed_that_a_space_cannot_have(requirements: dict[str, Requirement]) -> None:
    for requirement in requirements.values():
        assert requirement.url is None, requirement
        assert not requirement.extras, "`make` takes the lines as constraints, too, which have none"
        assert requirement.marker is None, "the resolver reads the lines without an environment"
    for tool in ("spaces", "gradio"):
        assert version(tool) in requirements[tool].specifier


def test_nanos_folder_can_be_pushed_as_it_is() -> None:
    folder = ROOT / "assets" / "nano"
    card = ModelCard((folder / "README.md").read_text(encoding="utf-8"))
    assert card.data.license == "apache-2.0" and card.data.language == "en"
    assert card.data.pipeline_tag == "mask-generation" and "arxiv:2501.13667" in card.data.tags
    assert {"config.json", "model.safetensors", "vocabulary.json"} <= {path.name for path in folder.iterdir()}


def test_the_three_commands_are_those_of_the_hubs_client() -> None:
    section = README.split("## Your own Space", 1)[1].split("\n## ", 1)[0]
    commands = re.search(r"```sh\n(.*?)```", section, re.DOTALL)[1].splitlines()
    assert len(commands) == 3
    hf = Path(sysconfig.get_path("scripts"), "hf")
    for command in commands:
        program, *words = shlex.split(command)
        assert program == "hf"
        name = words[:1] if words[0] == "upload" else words[:2]
        shown = subprocess.run([sys.executable, str(hf), *name, "--help"], capture_output=True, text=True, timeout=120)
        assert shown.returncode == 0, shown.stderr
        for option in (word for word in words if word.startswith("--")):
            assert option in shown.stdout, (command, option)
    code = "".join(file.read_text(encoding="utf-8") for file in [ROOT / "app.py", *ROOT.glob("mpgsam2/**/*.py")])
    for variable in re.findall(r"^\| `([A-Z0-9_]+)`", section, re.MULTILINE):
        assert variable == "HF_TOKEN" or variable in code
