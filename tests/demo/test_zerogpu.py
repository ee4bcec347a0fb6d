"""The Space as it runs on ZeroGPU: the real app.py in its own process; only the GPU and its API are stood in for."""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

import cv2
import httpx
import numpy as np
import pytest
from browser import TIMEOUT
from device_api import DeviceAPI, device_api
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from playwright.sync_api import Browser, expect
from stranger import until
from visitor import FRAMES, LONG, fill, press, status

from mpgsam2 import Segmenter
from mpgsam2.checkpoint import PUBLISHED
from mpgsam2.demo.errors import FAULT
from mpgsam2.video import open_clip

ROOT = Path(__file__).parents[2]
SENTENCE = "the star"
SECONDS = TIMEOUT / 1000


@dataclass
class Space:
    """The app, its address, the API that lends it GPUs, and what its workers told."""

    url: str
    api: DeviceAPI
    log: Path
    output: Path

    def lines(self) -> list[str]:
        return self.log.read_text().splitlines()

    def client(self, **headers: str) -> Client:
        return Client(self.url, verbose=False, headers=headers, download_files=self.log.parent / "downloads")


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Space]:
    """Started as a Space starts it, with no variable of ours; the hub holds two published checkpoints, made of nano."""
    folder = tmp_path_factory.mktemp("space")
    publish(folder / "home")
    (folder / "cgroup").write_text("0::/this\n")
    (folder / "log").touch()
    with device_api() as api:
        env = {name: value for name, value in os.environ.items() if not name.startswith(("MPGSAM2_", "HF_"))} | {
            "SPACES_ZERO_GPU": "true",
            "SPACES_ZERO_DEVICE_API_URL": api.address,
            "ZEROGPU_OFFLOAD_DIR": str(folder / "offload"),
            "ZEROGPU_PROC_SELF_CGROUP_PATH": str(folder / "cgroup"),
            "SPACE_ID": "someone/mpg-sam-2",
            "HF_HOME": str(folder / "home"),
            "HF_HUB_OFFLINE": "1",
            "GRADIO_SERVER_PORT": str(free_port()),
            "GRADIO_TEMP_DIR": str(folder / "gradio"),
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
        }
        command = [sys.executable, str(Path(__file__).with_name("as_a_space.py")), str(ROOT / "app.py"), "log"]
        with (folder / "output").open("w") as output:
            app = subprocess.Popen(command, cwd=folder, env=env, stdout=output, stderr=subprocess.STDOUT)
        url = f"http://127.0.0.1:{env['GRADIO_SERVER_PORT']}"
        try:
            wait_until_served(app, url, folder / "output")
            yield Space(url, api, folder / "log", folder / "output")
        finally:
            app.terminate()
            app.wait(60)


def publish(home: Path) -> None:
    """A hub's cache with nano under the names of two published checkpoints."""
    repository = home / "hub" / f"models--{PUBLISHED.replace('/', '--')}"
    commit = "0" * 40
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text(commit)
    for name in ("large-ytvos", "large-mevis"):
        folder = repository / "snapshots" / commit / name
        folder.mkdir(parents=True)
        for file in ("config.json", "model.safetensors", "vocabulary.json"):
            (folder / file).symlink_to(ROOT / "assets" / "nano" / file)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def wait_until_served(app: subprocess.Popen, url: str, output: Path) -> None:
    deadline = time.monotonic() + 3 * SECONDS
    while True:
        assert app.poll() is None and time.monotonic() < deadline, output.read_text()
        try:
            httpx.get(url, timeout=5)
            return
        except httpx.HTTPError:
            time.sleep(0.2)


@pytest.fixture
def api(space: Space) -> Iterator[DeviceAPI]:
    """Lending, with an empty log; what a test has asked for it has also given back."""
    space.api.start_over()
    space.log.write_text("")
    yield space.api
    space.api.wait_until_all_is_back()
    assert not {"tensor", "long"} & set(space.lines())
    assert all(1 <= int(asked["durationSeconds"]) <= 120 for asked in space.api.requests("/schedule"))


def ask(client: Client, clip: Path, expression: str = SENTENCE, **settings: object) -> tuple:
    job = client.submit(clip=handle_file(clip), expression=expression, api_name="/segment", **settings)
    return job.result(timeout=SECONDS)


def masks(bundle: str) -> np.ndarray:
    with ZipFile(bundle) as archive:
        names = sorted(name for name in archive.namelist() if name.startswith("masks/"))
        return np.stack([cv2.imdecode(np.frombuffer(archive.read(name), np.uint8), 0) > 0 for name in names])


def refusal(client: Client, clip: Path, expression: str = SENTENCE, **settings: object) -> str:
    with pytest.raises(AppError) as error:
        ask(client, clip, expression, **settings)
    text = str(error.value)
    assert "Traceback" not in text and "ZeroGPU" not in text and FAULT not in text, text
    return text


# ------------------------------------------------------------------------------------------------------ what it answers


def test_masks_are_those_of_a_run_without_zerogpu(space: Space, api: DeviceAPI, clips: Path, model: Segmenter) -> None:
    *_, bundle, record = ask(space.client(), clips / "short.mp4", model="nano", dtype="float32")
    alone = np.stack([result.mask for result in model.segment(open_clip(clips / "short.mp4"), SENTENCE)])
    assert alone.any() and np.array_equal(masks(bundle), alone)
    assert record["model"]["name"] == "nano" and record["settings"]["dtype"] == "float32"
    assert [path for path, _ in api.log] == ["/schedule", "/allow", "/release"]
    assert api.requests("/release")[0]["fail"] == "false"
    (pack,) = (space.log.parent / "offload").iterdir()
    assert pack.stat().st_size > 3 * 4 * sum(parameter.numel() for parameter in model.network.parameters())


def test_the_published_network_answers_first_and_the_worker_leaves_no_trace(
    space: Space, api: DeviceAPI, clips: Path
) -> None:
    """One worker for all runs, as a busy Space has it: what one visitor sets does not last to the next."""
    client = space.client()
    api.kept = True
    *_, usual = ask(client, clips / "short.mp4")
    assert (usual["model"]["name"], usual["settings"]["dtype"]) == ("large-ytvos", "bfloat16")
    *_, record = ask(client, clips / "short.mp4", model="large-mevis", dtype="float32", without=["history"])
    assert record["model"]["name"] == "large-mevis" and record["settings"]["dtype"] == "float32"
    *_, again = ask(client, clips / "short.mp4")
    assert again["queries"] == usual["queries"] and again["settings"] == usual["settings"]
    assert len(api.requests("/allow")) == 1 and len(api.requests("/release")) == 3


def test_two_visitors_at_once_get_their_own_answers_one_after_the_other(
    space: Space, api: DeviceAPI, clips: Path
) -> None:
    jobs = [
        space.client().submit(clip=handle_file(clips / "short.mp4"), expression=text, last=last, api_name="/segment")
        for text, last in (("the red circle", 5), ("the blue star", 7))
    ]
    for job, text, frames in zip(jobs, ("the red circle", "the blue star"), (5, 7), strict=True):
        *_, record = job.result(timeout=SECONDS)
        assert record["queries"][0]["expression"] == text and record["done"] == frames
    assert [path for path, _ in api.log] == ["/schedule", "/allow", "/release"] * 2


# ---------------------------------------------------------------------------------------------------- what can go wrong


def test_what_a_worker_refuses_is_one_sentence(space: Space, api: DeviceAPI, clips: Path) -> None:
    client = space.client()
    assert "The clip broke off while &lt;it&gt; was read." in refusal(
        client, clips / "short.mp4", "what only the worker refuses"
    )
    ask(client, clips / "short.mp4", last=2)


def test_a_worker_that_dies_frees_the_slot(space: Space, api: DeviceAPI, clips: Path) -> None:
    client = space.client()
    job = client.submit(clip=handle_file(clips / "long.mp4"), expression=SENTENCE, api_name="/segment")
    pid = int(api.wait_for("/allow", 1)["pid"])
    wait_for_frame(space, 3)
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(AppError, match="The GPU was taken away before the run was done: try again"):
        job.result(timeout=SECONDS)
    *_, record = ask(client, clips / "short.mp4", last=2)
    assert record["done"] == 2


def wait_for_frame(space: Space, index: int) -> None:
    deadline = time.monotonic() + SECONDS
    while f"frame {index}" not in space.lines():
        assert time.monotonic() < deadline, space.output.read_text()
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("mood", "told"),
    [
        ("quota", "used up for now: sign in to Hugging Face for a larger one, use fewer frames, or try again later"),
        ("runs", "sign in to Hugging Face"),
        ("too long", "longer than one is lent: use fewer frames or a smaller model"),
        ("other runs", "try again when they are done"),
        ("never", "No GPU was free within a minute: try again later; visitors who are signed in wait less"),
        ("down", "try again later"),
    ],
)
def test_a_refusal_says_what_can_be_done(space: Space, api: DeviceAPI, clips: Path, mood: str, told: str) -> None:
    api.mood = mood
    assert told in refusal(space.client(), clips / "short.mp4")
    assert len(api.requests("/schedule")) == 1 and not api.requests("/allow")


def test_what_is_left_of_a_visitors_share_is_told_in_frames(space: Space, api: DeviceAPI, clips: Path) -> None:
    token = base64.urlsafe_b64encode(json.dumps({"user": "somebody"}).encode()).decode().rstrip("=")
    api.mood = "quota"
    told = refusal(space.client(**{"X-IP-Token": f"a.{token}.c"}), clips / "long.mp4")
    asked = int(api.requests("/schedule")[0]["durationSeconds"])
    assert f"This run asks for {asked} s of a GPU, and of your daily share {asked - 1} s are left" in told
    frames = int(re.search(r"use at most (\d+) frames, sign in", told)[1])
    assert 1 < frames < LONG and "try again in 0:10:00" in told
    api.mood = "lend later"
    *_, record = ask(space.client(), clips / "long.mp4", last=2)
    assert record["done"] == 2


# --------------------------------------------------------------------------------------------------------- in a browser


def test_a_visitor_sees_what_runs_stops_leaves_and_is_told(
    space: Space, api: DeviceAPI, clips: Path, chromium: Browser
) -> None:
    page = chromium.new_page()
    page.set_default_timeout(TIMEOUT)
    page.goto(space.url)
    badges = page.locator(".badge")
    expect(badges.first).to_contain_text("MPG-SAM 2 large, trained on Ref-YouTube-VOS, on an H200")
    expect(badges.nth(1)).to_contain_text("MeViS")
    expect(badges.nth(2)).to_contain_text("nano")
    expect(badges.nth(3)).to_contain_text(re.compile("Not here tiny-ytvos.*no such checkpoint"))

    fill(page, clips / "long.mp4", SENTENCE)
    expect(page.locator("#notice")).to_contain_text(f"{LONG} frames of 200 × 160")
    press(page, "Run")
    expect(status(page)).to_contain_text(re.compile(r"Frame \d+ of \d+"))
    press(page, "Stop")
    expect(status(page)).to_contain_text("Stopped after")
    api.wait_for("/release", 1)
    lines = space.lines()
    assert "stop" in lines[-3:], "the worker made no more than two frames after that"

    press(page, "Run")
    expect(status(page)).to_contain_text(re.compile(r"Frame \d+ of \d+"))
    page.close()
    api.wait_for("/release", 2)
    lines = space.lines()
    assert lines.count("stop") == 2 and lines.count("frame 0") == 2
    assert "stop" in lines[-3:], "the worker made no more than two frames after that"

    page = chromium.new_page()
    page.set_default_timeout(TIMEOUT)
    page.goto(space.url)
    page.locator("#examples button").first.click()  # its result is nano's, which is then chosen
    expect(status(page)).to_contain_text("Saved result. Press Run")
    page.get_by_role("button", name="Options").click()
    expect(page.get_by_label("Model", exact=True)).to_have_value("nano")
    api.mood = "too long"
    press(page, "Run")
    expect(page.locator("#status").get_by_role("alert")).to_contain_text("use fewer frames or a smaller model")
    api.mood = "lend"
    press(page, "Run")
    expect(status(page)).to_contain_text(re.compile(r" % sure"))
    page.close()


def test_nothing_that_a_worker_handed_over_stays(space: Space) -> None:
    until(lambda: list((space.log.parent / "gradio").rglob("worker-*")) == [], "folders stay")


def test_the_log_tells_what_was_left_out_and_nothing_else_went_wrong(space: Space) -> None:
    output = space.output.read_text()
    for name in ("tiny-ytvos", "tiny-mevis"):
        assert f"The model {name} is left out: " in output
    assert "Traceback" not in output
    assert ("/startup-report", {}) not in space.api.log  # asked before the first test cleared the log
    assert FRAMES < LONG
