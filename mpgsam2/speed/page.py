"""What the page adds to the work: from the click on Run to results that can be seen, against a script's time.

    python -m mpgsam2.speed.page [--clip FILE --sentence TEXT] [--repeats N]

The page runs in a process of its own and is asked as a browser asks it, over HTTP, without the browser's own work. The
clip was chosen before the click, so that it was looked over by then.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import IO, Any, NamedTuple, cast

import httpx

import mpgsam2
from mpgsam2.export.drawing import overlay, prior_heatmap, probability_map
from mpgsam2.export.pipeline import segment_file
from mpgsam2.inference.segmenter import Segmenter
from mpgsam2.speed.clip import make_clip, queries
from mpgsam2.video import Clip, VideoWriter, open_clip

_FRAMES = 48
_SERVER = """
import sys, mpgsam2
from mpgsam2.demo import build_demo, launch_options
demo = build_demo([mpgsam2.load_model("nano")])
_, url, _ = demo.launch(prevent_thread_lock=True, quiet=True, **launch_options())
print(url, flush=True)
sys.stdin.read()
"""


class Wait(NamedTuple):
    """Seconds from the click on Run."""

    picture: float  # the first live picture
    results: float  # the three videos are fetched


class _Visitor:
    """Speaks to a page as Gradio's script in a browser does."""

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=url.rstrip("/"), timeout=600)
        config = self._http.get("/config").json()
        self._parts = {part["id"]: part for part in config["components"]}
        self._events = config["dependencies"]

    def run(self, clip: Path, sentence: str) -> Wait:
        """Choose a clip, have it looked over, and press Run."""
        self._session = uuid.uuid4().hex[:12]
        uploaded = self._http.post("/gradio_api/upload", files={"files": (clip.name, clip.read_bytes())}).json()[0]
        given = {"clip": {"path": uploaded, "meta": {"_type": "gradio.FileData"}}, "sentences": sentence}
        for _ in self._ask("notice", given):
            pass
        begun, picture = time.perf_counter(), 0.0
        for answer in self._ask("player", given):
            now = time.perf_counter()
            if not picture and "data:image/" in answer:
                picture = now - begun
            if videos := re.findall(r'"url": ?"([^"]+\.mp4)"', answer):
                for video in dict.fromkeys(videos):
                    self._http.get(video).raise_for_status()
                return Wait(picture, time.perf_counter() - begun)
        raise RuntimeError(f"The page gave no videos: {answer}")

    def _ask(self, changes: str, given: dict[str, Any]) -> Iterator[str]:
        """Yield what comes back of the event that takes the clip and changes a part of the page."""
        event = next(event for event in self._events if self._fits(event, changes))
        values = [given.get(self._name(part), self._parts[part]["props"].get("value")) for part in event["inputs"]]
        asked = {"data": values, "fn_index": event["id"], "session_hash": self._session}
        self._http.post("/gradio_api/queue/join", json=asked).raise_for_status()
        with self._http.stream("GET", "/gradio_api/queue/data", params={"session_hash": self._session}) as lines:
            for line in lines.iter_lines():
                if line.startswith("data:"):
                    yield line
                    if json.loads(line[5:])["msg"] == "process_completed":
                        return

    def _fits(self, event: dict[str, Any], changes: str) -> bool:
        takes, changed = ([self._name(part) for part in event[side]] for side in ("inputs", "outputs"))
        return takes[:1] == ["clip"] and changes in changed and event["api_visibility"] == "private"

    def _name(self, part: int) -> str:
        return self._parts[part]["props"].get("elem_id") or ""


@contextmanager
def _page() -> Iterator[_Visitor]:
    command = [sys.executable, "-c", _SERVER]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        asked, told = cast(IO[str], server.stdin), cast(IO[str], server.stdout)
        try:
            yield _Visitor(told.readline().strip())
        finally:
            asked.close()


def _three_videos(model: Segmenter, clip: Clip, folder: Path, sentence: str) -> None:
    """Do the least that a script must for what the player shows."""
    size = clip.width, clip.height, clip.fps
    with (
        VideoWriter(folder / "prior.mp4", *size) as prior,
        VideoWriter(folder / "masks.mp4", *size) as masks,
        VideoWriter(folder / "overlay.mp4", *size) as marked,
    ):
        for frame, result in zip(clip, model.segment(clip, sentence), strict=True):
            prior.write(prior_heatmap(frame, result.prior))
            masks.write(probability_map(result.probability))
            marked.write(overlay(frame, [result.mask]))


def _all_files(model: Segmenter, clip: Clip, folder: Path, sentence: str) -> None:
    for _ in segment_file(model, clip, sentence, folder):
        pass


def _seconds(work: Callable[..., None], *arguments: Any) -> float:
    begun = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - begun


def main() -> None:
    """Measure in turns, and print medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clip", type=Path, help="a video (default: the benchmark's own of 48 frames)")
    parser.add_argument("--sentence", default=queries(1)[0].expression, help="what to look for in it")
    parser.add_argument("--repeats", type=int, default=5, metavar="N", help="runs of each after one to warm up")
    args = parser.parse_args()
    with TemporaryDirectory() as temporary, _page() as visitor:
        folder = Path(temporary)
        clip = open_clip(args.clip) if args.clip else make_clip(folder / "clip.mp4", _FRAMES)
        model = mpgsam2.load_model("nano")
        waits: list[Wait] = []
        three: list[float] = []
        every: list[float] = []
        for _ in range(args.repeats + 1):
            waits.append(visitor.run(clip.path, args.sentence))
            three.append(_seconds(_three_videos, model, clip, folder, args.sentence))
            every.append(_seconds(_all_files, model, clip, folder / "results", args.sentence))
    picture, results, videos, files = (median(of_all[1:]) for of_all in (*zip(*waits, strict=True), three, every))
    print(f"page: first picture after {picture:.2f} s, results after {results:.2f} s")
    print(f"script: three videos in {videos:.2f} s, all files in {files:.2f} s")
    print(f"page / script: {results / videos:.2f} for the three videos, {results / files:.2f} for all files")


if __name__ == "__main__":
    main()
