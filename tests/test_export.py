"""A run's files, and COCO run lengths against pycocotools' own."""

from __future__ import annotations

import gc
import json
import shlex
import subprocess
import weakref
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

import cv2
import imageio_ffmpeg
import numpy as np
import pytest
import torch
from PIL import Image
from pycocotools import mask as coco

import mpgsam2
from mpgsam2.cli import _parser
from mpgsam2.cli.segment import _queries
from mpgsam2.export import Exporter, bundle, fonts, read_record, results_in, rle_decode, rle_encode, verdict_record
from mpgsam2.export.drawing import Look, mask_image, overlay, prior_heatmap
from mpgsam2.export.lettering import line
from mpgsam2.export.record import command
from mpgsam2.export.scores import prior_agreement
from mpgsam2.inference.config import CalibrationConfig
from mpgsam2.inference.query import Query
from mpgsam2.inference.results import FrameResult
from mpgsam2.inference.verdict import conclude
from mpgsam2.metrics import contour_accuracy, region_similarity
from mpgsam2.network.fingerprint import fingerprint
from mpgsam2.palette import PALETTE
from mpgsam2.video import Clip, Selection, VideoWriter, open_clip, select
from mpgsam2.video.ground_truth import GroundTruth

FRAMES, WIDTH, HEIGHT = 7, 64, 46
SHAPE = Query("the red shape", frozenset({"prior"}))
TWO = [Query("the left one"), Query("the right one")]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    path = tmp_path_factory.mktemp("secret place") / "a red ball.mp4"
    with VideoWriter(path, WIDTH, HEIGHT, Fraction(30000, 1001)) as writer:
        for index in range(FRAMES):
            writer.write(np.full((HEIGHT, WIDTH, 3), 30 * index, np.uint8))
    return open_clip(path)


def results(clip: Clip, row: int = 20) -> list[FrameResult]:
    """A blob of that height that goes from left to right."""
    rows, columns = np.mgrid[: clip.height, : clip.width]
    answers = []
    for index in range(clip.frame_count):
        probability = np.exp(-((rows - row) ** 2 + (columns - 8 * index) ** 2) / 100).astype(np.float32)
        prior = cv2.resize(probability, (14, 14), interpolation=cv2.INTER_AREA)
        answers.append(FrameResult(index, probability > 0.5, probability, prior, 1 / (index + 1), np.float32(1 / 3)))
    return answers


@pytest.fixture
def export(model: mpgsam2.Segmenter) -> Any:
    """Writes a run of made-up results, perhaps only its first frames, and returns its record."""

    def export(folder: Path, clip: Clip, count: int | None = None, row: int = 20, **settings: Any) -> dict[str, Any]:
        settings = {"queries": [SHAPE], **settings}
        answers = [results(clip, row - 6 * number) for number in range(len(settings["queries"]))]
        with Exporter(folder, clip, model=model, **settings) as exporter:
            for frame, answer in list(zip(clip, zip(*answers, strict=True), strict=True))[:count]:
                exporter.add(frame, answer)
        return read_record(folder)

    return export


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


OF_A_QUERY = [("cutout", "webm"), ("masks", "mp4"), ("prior", "mp4")]
OF_A_RUN = ["masks.json", "overlay.mp4", "run.json", "side-by-side.mp4", "strip.pdf", "strip.png"]


def test_a_run_leaves_its_files_and_nothing_else(tmp_path: Path, clip: Clip, export: Any) -> None:
    export(tmp_path / "out", clip)
    pngs = [f"masks/{index:05d}.png" for index in range(FRAMES)]
    assert files(tmp_path / "out") == sorted([*pngs, *OF_A_RUN, "cutout.webm", "masks.mp4", "prior.mp4"])


def test_of_several_queries_each_has_its_own(tmp_path: Path, clip: Clip, export: Any) -> None:
    export(tmp_path, clip, queries=TWO)
    pngs = [f"masks/{letter}/{index:05d}.png" for letter in "AB" for index in range(FRAMES)]
    videos = [f"{name}-{letter}.{end}" for name, end in OF_A_QUERY for letter in "AB"]
    assert files(tmp_path) == sorted([*pngs, *OF_A_RUN, *videos])


def test_the_videos_have_the_clip_s_frames_size_and_rate(tmp_path: Path, clip: Clip, export: Any) -> None:
    export(tmp_path, clip)
    for name in ("overlay.mp4", "prior.mp4", "masks.mp4", "cutout.webm"):
        video = open_clip(tmp_path / name)
        assert (video.width, video.height, video.fps) == (clip.width, clip.height, clip.fps)
        assert video.frame_count == FRAMES
    together = open_clip(tmp_path / "side-by-side.mp4")
    assert (together.frame_count, together.fps) == (FRAMES, clip.fps)


def test_the_videos_show_what_they_should(tmp_path: Path, clip: Clip, export: Any) -> None:
    export(tmp_path, clip)
    answer = results(clip)[3]
    overlay, prior, masks = (list(open_clip(tmp_path / f"{name}.mp4"))[3] for name in ("overlay", "prior", "masks"))
    far_off = np.s_[30:, 50:]
    np.testing.assert_allclose(overlay[far_off], 90, atol=3)
    assert np.abs(np.int16(overlay[answer.mask]) - 90).mean() > 20
    for picture in (prior, masks):
        assert picture[answer.mask].mean() > picture[~answer.mask].mean() + 50
    assert masks[far_off].mean() < 5 < prior[far_off].mean()


def test_the_overlay_is_in_the_look_that_was_asked_for(tmp_path: Path, clip: Clip, export: Any) -> None:
    look = Look(opacity=1, colours=((250, 20, 20), (20, 20, 250)))
    record = export(tmp_path, clip, queries=TWO, look=look)
    assert [query["colour"] for query in record["queries"]] == ["#fa1414", "#1414fa"]
    shown = list(open_clip(tmp_path / "overlay.mp4"))[4]
    frame, masks = np.full((HEIGHT, WIDTH, 3), 120, np.uint8), [results(clip, row)[4].mask for row in (20, 14)]
    wanted, usual = (np.abs(np.int16(shown) - overlay(frame, masks, other)).mean() for other in (look, Look()))
    assert wanted < 0.5 * usual


def test_the_cut_out_is_transparent_around_the_mask(tmp_path: Path, clip: Clip, export: Any) -> None:
    export(tmp_path, clip)
    decoder = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-c:v", "libvpx-vp9", "-i", tmp_path / "cutout.webm"]
    decoded = subprocess.run([*decoder, "-f", "rawvideo", "-pix_fmt", "rgba", "-"], stdout=subprocess.PIPE, check=True)
    pictures = np.frombuffer(decoded.stdout, np.uint8).reshape(FRAMES, HEIGHT, WIDTH, 4)
    for index, (picture, answer) in enumerate(zip(pictures, results(clip), strict=True)):
        assert ((picture[..., 3] > 127) != answer.mask).mean() < 0.005
        np.testing.assert_allclose(picture[answer.mask][:, :3], 30 * index, atol=16)


def test_side_by_side_has_a_row_for_every_query_and_a_pane_for_every_picture(
    tmp_path: Path, clip: Clip, export: Any
) -> None:
    export(tmp_path, clip, queries=TWO, look=Look(colours=PALETTE))
    together = list(open_clip(tmp_path / "side-by-side.mp4"))[5]
    frame = np.full((HEIGHT, WIDTH, 3), 150, np.uint8)
    found = []
    for number, row in enumerate((20, 14)):
        answer = results(clip, row)[5]
        own = [None] * number + [answer.mask]
        for pane in (prior_heatmap(frame, answer.prior), overlay(frame, own)):
            error = cv2.matchTemplate(together, pane, cv2.TM_SQDIFF)
            assert error.min() / pane.size < 15**2
            found.append(np.unravel_index(error.argmin(), error.shape))
    (prior_a, overlay_a, prior_b, overlay_b) = found
    assert prior_a[0] == overlay_a[0] < prior_b[0] == overlay_b[0]
    assert prior_a[1] == prior_b[1] < overlay_a[1] == overlay_b[1]


def test_masks_are_0_and_255_in_the_clip_s_size(tmp_path: Path, clip: Clip, export: Any) -> None:
    export(tmp_path, clip)
    for result in results(clip):
        image = cv2.imread(str(tmp_path / f"masks/{result.index:05d}.png"), cv2.IMREAD_UNCHANGED)
        assert image.shape == (clip.height, clip.width) and image.dtype == np.uint8
        np.testing.assert_array_equal(image, result.mask * np.uint8(255))


@pytest.mark.parametrize("count", [None, 3, 1, 0])
def test_masks_are_run_lengths_too(tmp_path: Path, clip: Clip, export: Any, count: int | None) -> None:
    export(tmp_path, select(clip, Selection(first=1)), count, queries=TWO)
    part = select(clip, Selection(first=1))
    frames = json.loads((tmp_path / "masks.json").read_text())["frames"]
    assert [(frame["index"], frame["source_index"]) for frame in frames] == [(i, i + 1) for i in range(6)][:count]
    for letter, row in (("A", 20), ("B", 14)):
        for frame, result in zip(frames, results(part, row), strict=False):
            np.testing.assert_array_equal(rle_decode(frame[letter]), result.mask)


# ------------------------------------------------------------------------------------------------------------ strip


@pytest.fixture
def long_clip(tmp_path: Path) -> Clip:
    """Fifteen frames of 24 × 18."""
    (tmp_path / "frames").mkdir()
    for index in range(15):
        cv2.imwrite(str(tmp_path / f"frames/{index}.png"), np.full((18, 24, 3), 10 * index, np.uint8))
    return open_clip(tmp_path / "frames")


def inputs(strip: np.ndarray) -> list[int]:
    """The grey levels of the first row of a strip of grey frames, from left to right."""
    row = strip[60]
    grey = row[(np.ptp(row, axis=1) == 0) & (row[:, 0] < 200)][:, 0]
    return [int(level) for level, before in zip(grey, [-1, *grey[:-1]], strict=True) if level != before]


def test_the_strip_shows_six_evenly_spaced_frames(tmp_path: Path, long_clip: Clip, export: Any) -> None:
    export(tmp_path / "out", long_clip, row=14)
    strip = cv2.imread(str(tmp_path / "out/strip.png"))
    assert inputs(strip) == [10 * index for index in (0, 3, 6, 8, 11, 14)]
    # The mask of the second chosen frame stands in the third row of the second column.
    left, top = 200 + 366, 42 + 6 + 2 * 276
    tile = strip[top : top + 270, left : left + 360, 0] > 127
    wanted = cv2.resize(mask_image(results(long_clip, 14)[3].mask), (360, 270), interpolation=cv2.INTER_CUBIC) > 127
    np.testing.assert_array_equal(tile, wanted)
    assert 0.05 < wanted.mean() < 0.95


def test_the_strip_as_a_page_is_the_strip_as_a_picture(tmp_path: Path, clip: Clip, export: Any) -> None:
    export(tmp_path, clip)
    picture = cv2.imread(str(tmp_path / "strip.png"))
    page = (tmp_path / "strip.pdf").read_bytes()
    assert page.startswith(b"%PDF-") and page.rstrip().endswith(b"%%EOF")
    height, width = picture.shape[:2]
    assert f"/Width {width}".encode() in page and f"/Height {height}".encode() in page
    inside = cv2.imdecode(np.frombuffer(page[page.index(b"\xff\xd8") :], np.uint8), cv2.IMREAD_COLOR)
    assert np.abs(np.int16(inside) - picture).mean() < 3


def test_picture_and_page_of_a_strip_are_saved_from_two_images(
    tmp_path: Path, clip: Clip, export: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pillow notes an encoder's settings on the image itself, so two threads must not save the same one."""
    saved, save = {}, Image.Image.save

    def noted(image: Image.Image, path: Path, form: str, **options: Any) -> None:
        saved[form] = image
        save(image, path, form, **options)

    monkeypatch.setattr(Image.Image, "save", noted)
    export(tmp_path, clip)
    assert saved["PNG"] is not saved["PDF"]


def test_a_strip_of_few_frames_has_few_columns(tmp_path: Path, long_clip: Clip, export: Any) -> None:
    export(tmp_path / "four", long_clip, 4)
    assert inputs(cv2.imread(str(tmp_path / "four/strip.png"))) == [0, 30]
    export(tmp_path / "three", select(long_clip, Selection(last=2)))
    assert inputs(cv2.imread(str(tmp_path / "three/strip.png"))) == [0, 10, 20]


EXPRESSIONS = ["", "the red circle " * 80, "🦊" * 500, "红色圆圈\x00\n\ud83e", "<b>&amp;"]


@pytest.mark.parametrize("text", EXPRESSIONS)
@pytest.mark.parametrize("width", [20, 300])
def test_a_line_of_any_words_keeps_its_size_and_its_swatch(text: str, width: int) -> None:
    picture = line(text, width, 28, ink=(0, 0, 0), paper=(255, 255, 255), swatch=(250, 0, 0))
    assert picture.shape == (28, width, 3) and picture.dtype == np.uint8
    assert (picture[10, 8] == (250, 0, 0)).all()


@pytest.mark.parametrize("installed", [True, False])
def test_no_line_shows_boxes_for_letters(monkeypatch: pytest.MonkeyPatch, installed: bool) -> None:
    if not installed:
        monkeypatch.setattr(fonts, "_installed", lambda characters: ())
    for text in ("青い星", "a 青い star", "الدائرة", "красный круг", "हिन्दी", "한국어", "❤ star 🦊", "🦊🦊", "größte"):
        shown, font = fonts.drawable(text, 27)
        assert shown == text or fonts.NO_LETTERS in shown or "🦊" in text
        assert all(fonts._can(font, character) for character in shown)
        if not installed and text in ("a 青い star", "🦊🦊", "größte"):
            assert shown == (f"a {fonts.NO_LETTERS} star" if text[0] == "a" else fonts.NO_LETTERS)
    assert not fonts._can(fonts._own(27), "青") and fonts._can(fonts._own(27), "a")


def test_what_is_not_seen_is_not_drawn() -> None:
    paper = {"ink": (0, 0, 0), "paper": (255, 255, 255)}
    hidden = line("\u202ethe\u200b\x00 r\u00aded\ufe0f \u200dcircle\ufeff", 300, 28, **paper)
    np.testing.assert_array_equal(hidden, line("the red circle", 300, 28, **paper))


def test_a_line_that_is_too_long_ends_before_its_end() -> None:
    short, long = (line(text, 300, 28, ink=(0, 0, 0), paper=(255, 255, 255)) for text in ("the red", "the red " * 20))
    np.testing.assert_array_equal(short[:, :60], long[:, :60])
    assert (long[:, 200:-2] < 255).any() and (long[:, -2:] == 255).all()


def test_any_expression_is_recorded_as_it_is(tmp_path: Path, clip: Clip, export: Any) -> None:
    record = export(tmp_path, clip, 1, queries=[Query(text) for text in EXPRESSIONS[1:]])
    assert [query["expression"] for query in record["queries"]] == EXPRESSIONS[1:]


@pytest.mark.parametrize("size", [(1, 300), (300, 1), (1, 1), (700, 500)])
def test_frames_of_any_shape_have_all_files(tmp_path: Path, export: Any, size: tuple[int, int]) -> None:
    (tmp_path / "frames").mkdir()
    for index in range(2):
        cv2.imwrite(str(tmp_path / f"frames/{index}.png"), np.zeros((*size, 3), np.uint8))
    export(tmp_path / "out", open_clip(tmp_path / "frames"), queries=TWO)
    assert len(files(tmp_path / "out")) == len(OF_A_RUN) + 2 * (3 + 2)
    assert max(cv2.imread(str(tmp_path / "out/strip.png")).shape) < 3000
    assert open_clip(tmp_path / "out/side-by-side.mp4").width <= 3 * 640 + 4 * 6


# ----------------------------------------------------------------------------------------------------------- record


def test_the_record_of_a_whole_run(tmp_path: Path, clip: Clip, model: mpgsam2.Segmenter, export: Any) -> None:
    record = export(tmp_path, clip, versions={"mpgsam2": "7"}, look=Look(0.25, True), threshold=0.4)
    assert (record["complete"], record["frames"], record["sound"]) == (True, FRAMES, "none")
    assert record["clip"] == {
        "name": "a red ball.mp4",
        "sha256": clip.sha256(),
        "width": WIDTH,
        "height": HEIGHT,
        "frames": FRAMES,
        "fps": "30000/1001",
        "variable_rate": False,
    }
    assert record["selection"] == {"first": 0, "last": FRAMES - 1, "every": 1, "longest_side": None}
    assert (record["fps"], record["width"], record["height"]) == ("30000/1001", WIDTH, HEIGHT)
    assert record["model"] == {"name": "nano", "sha256": model.fingerprint}
    settings = {"threshold": 0.4, "opacity": 0.25, "pattern": True, "window": model.window, "dtype": "float32"}
    settings |= {"interleaved": model.interleaved, "span": None}
    assert record["settings"] == settings
    assert {"python", "torch", "sam2", "numpy"} <= record["versions"].keys() and record["versions"]["mpgsam2"] == "7"
    assert "difference" not in record
    (query,) = record["queries"]
    assert (query["letter"], query["expression"], query["without"]) == ("A", "the red shape", ["prior"])
    assert query["colour"] == "#f0e442"  # yellow, the farthest from grey
    scores = [round(result.object_score, 4) for result in results(clip)]
    verdict = conclude([True] * FRAMES, scores, model.inference.calibration)
    assert query["verdict"] == {
        "sentence": f"Found in all {FRAMES} frames.",
        "present": True,
        "presence": round(verdict.presence, 4),
        "certainty": verdict.certainty,
        "found": [[0, FRAMES - 1]],
    }
    assert query["summary"] == verdict.summary
    assert query["description"] == f"the red shape, found in {FRAMES} of {FRAMES} frames, moves left to right"
    assert "mean" not in query
    for entry, result in zip(query["frames"], results(clip), strict=True):
        assert (entry["index"], entry["source_index"]) == (result.index, result.index)
        assert entry["area"] == result.mask.sum()
        assert entry["object_score"] == pytest.approx(result.object_score, abs=1e-4)
        assert entry["iou"] == 0.3333
        assert entry["prior_agreement"] == pytest.approx(prior_agreement(result.prior, result.mask), abs=1e-4)
        assert entry.keys() == {"index", "source_index", "area", "object_score", "iou", "prior_agreement"}


def test_the_record_of_a_part_of_a_clip_counts_in_the_clip_too(tmp_path: Path, clip: Clip, export: Any) -> None:
    record = export(tmp_path, select(clip, Selection(first=1, last=6, every=2, longest_side=32)))
    assert record["selection"] == {"first": 1, "last": 6, "every": 2, "longest_side": 32}
    assert (record["frames"], record["fps"], record["width"], record["height"]) == (3, "15000/1001", 32, 23)
    assert record["clip"]["frames"] == FRAMES and record["clip"]["width"] == WIDTH
    (query,) = record["queries"]
    assert [(entry["index"], entry["source_index"]) for entry in query["frames"]] == [(0, 1), (1, 3), (2, 5)]


def test_two_queries_are_compared(tmp_path: Path, clip: Clip, export: Any) -> None:
    record = export(tmp_path, clip, queries=TWO)
    assert [query["letter"] for query in record["queries"]] == ["A", "B"]
    assert record["difference"]["queries"] == ["A", "B"]
    pairs = zip(results(clip, 20), results(clip, 14), strict=True)
    for entry, (a, b) in zip(record["difference"]["frames"], pairs, strict=True):
        assert entry["changed"] == (a.mask != b.mask).sum() > 0
        assert entry["iou"] == pytest.approx((a.mask & b.mask).sum() / (a.mask | b.mask).sum(), abs=1e-4)


def test_masks_are_scored_against_the_ground_truth(tmp_path: Path, clip: Clip, export: Any) -> None:
    truths = [np.roll(result.mask, 2, axis=0) for result in results(clip)]
    with ZipFile(tmp_path / "truth.zip", "w") as archive:
        for index, truth in enumerate(truths):
            archive.writestr(f"{index}.png", cv2.imencode(".png", truth * np.uint8(255))[1].tobytes())
    part = select(clip, Selection(first=2, every=2))
    with GroundTruth.open(tmp_path / "truth.zip", part) as truth:
        record = export(tmp_path / "out", part, truth=truth)
    (query,) = record["queries"]
    pairs = [(result.mask, truths[source]) for result, source in zip(results(part), (2, 4, 6), strict=True)]
    for entry, pair in zip(query["frames"], pairs, strict=True):
        assert entry["J"] == pytest.approx(region_similarity(*pair), abs=1e-4)
        assert entry["F"] == pytest.approx(contour_accuracy(*pair), abs=1e-4)
    j, f = (np.mean([entry[name] for entry in query["frames"]]) for name in ("J", "F"))
    assert query["mean"] == pytest.approx({"J": j, "F": f, "J&F": (j + f) / 2}, abs=1e-4)
    assert 0 < query["mean"]["J"] < 1
    assert record["command"].endswith("--ground-truth truth.zip")


def test_void_and_frames_without_a_mask_do_not_count(tmp_path: Path, clip: Clip, export: Any) -> None:
    with ZipFile(tmp_path / "truth.zip", "w") as archive:
        for index in (1, 4):
            numbers = results(clip)[index].mask.astype(np.uint8)
            numbers[:, 8 * index :] = 255  # the right half of the object, which the answer holds
            numbers[44] = 2
            archive.writestr(f"{index}.png", cv2.imencode(".png", numbers)[1].tobytes())
    with GroundTruth.open(tmp_path / "truth.zip", clip, object=1) as truth:
        record = export(tmp_path / "out", clip, truth=truth)
    (query,) = record["queries"]
    assert [entry["index"] for entry in query["frames"] if "J" in entry] == [1, 4]
    assert query["mean"] == {"J": 1.0, "F": 1.0, "J&F": 1.0}
    assert record["ground_truth"] == {"name": "truth.zip", "object": 1, "frames": 2}
    assert record["command"].endswith("--ground-truth truth.zip --object 1")


def test_the_truth_of_one_sentence_is_no_other_s(tmp_path: Path, clip: Clip, export: Any) -> None:
    with ZipFile(tmp_path / "truth.zip", "w") as archive:
        archive.writestr("0.png", cv2.imencode(".png", np.full((HEIGHT, WIDTH), 255, np.uint8))[1].tobytes())
    with GroundTruth.open(tmp_path / "truth.zip", clip, expression=TWO[1].expression) as truth:
        record = export(tmp_path / "out", clip, queries=TWO, truth=truth)
    assert ["mean" in query for query in record["queries"]] == [False, True]


@pytest.mark.parametrize(
    ("queries", "selection", "threshold"),
    [
        ([Query("it's the “red” one")], Selection(), 0.5),
        ([Query("a", frozenset({"prior", "history"}))], Selection(first=2), 0.25),
        ([Query("a"), Query("b c"), Query("$d"), Query("a")], Selection(last=5, every=2), 0.5),
        ([Query(letter, frozenset({"prior"})) for letter in "ab"], Selection(longest_side=48), 0.5),
        ([Query("a b"), Query("a b", frozenset({"prior", "history"}))], Selection(), 0.5),
        ([Query("a b", frozenset({"prior"})), Query("a b", frozenset({"prior", "history"}))], Selection(), 0.5),
        ([Query("-a"), Query("--b"), Query("-")], Selection(last=5), 0.5),
        ([Query("--a", frozenset({"prior"})), Query("--a", frozenset({"prior", "history"}))], Selection(), 0.5),
    ],
)
def test_the_command_repeats_the_run(clip: Clip, queries: list[Query], selection: Selection, threshold: float) -> None:
    words = shlex.split(command(select(clip, selection), queries, "nano", threshold, None, "bfloat16"))
    assert words[:4] == ["python", "-m", "mpgsam2", "segment"]
    arguments = _parser().parse_args(words[3:])
    assert (arguments.clip, arguments.model, arguments.threshold) == ("a red ball.mp4", "nano", threshold)
    assert arguments.dtype == "bfloat16"
    assert _queries(arguments) == queries
    given = Selection(arguments.first, arguments.last, arguments.every, arguments.longest_side)
    assert given == selection


@pytest.mark.parametrize("name", ["-clip.mp4", "--help", 'it\'s a $(clip) "*".mp4', "~/clip\n.mp4"])
def test_a_clip_of_any_name_can_be_named_in_a_command(clip: Clip, name: str) -> None:
    words = shlex.split(command(select(replace(clip, path=Path(name)), Selection(first=1)), TWO, "nano", 0.5, None))
    arguments = _parser().parse_args(words[3:])
    assert (arguments.clip, arguments.first, _queries(arguments)) == (Path(name).name, 1, TWO)


@pytest.mark.parametrize("name", ["caf\udce9.mp4", "clip.mp4\0"])
def test_what_cannot_be_typed_is_in_no_command(clip: Clip, name: str) -> None:
    assert command(select(replace(clip, path=Path(name)), Selection()), TWO, "nano", 0.5, None) is None


@pytest.mark.parametrize(
    "queries",
    [
        [Query("a"), Query("b", frozenset({"prior"}))],
        [Query("a", frozenset({"prior"})), Query("a")],
        [Query("a"), Query("a", frozenset({"prior"})), Query("a", frozenset({"history"}))],
    ],
)
def test_what_no_command_line_can_ask_has_none(clip: Clip, queries: list[Query]) -> None:
    assert command(select(clip, Selection()), queries, "nano", 0.5, None) is None


def test_a_verdict_is_recorded_with_the_first_and_last_frames_of_its_runs() -> None:
    assert verdict_record(conclude([False, True, True, False, True], [0.0, 0.876543, 0.876543, 0.3, 0.6])) == {
        "sentence": "Found in frames 2–3 and 5 of 5.",
        "present": True,
        "presence": 0.8765,
        "certainty": 0.88,
        "found": [[1, 2], [4, 4]],
    }


def test_no_file_gives_anything_of_the_machine_away(tmp_path: Path, clip: Clip, export: Any) -> None:
    export(tmp_path, clip)
    bundle(tmp_path)
    for path in tmp_path.rglob("*.*"):
        content = path.read_bytes()
        assert b"secret place" not in content
        assert str(tmp_path).encode() not in content


def test_agreement_is_the_overlap_of_prior_and_mask_patch_by_patch() -> None:
    mask = np.zeros((40, 60), bool)
    mask[:20, :30] = True
    quarter = np.float32([[1, 0], [0, 0]])
    assert prior_agreement(quarter, mask) == 1
    assert prior_agreement(1 - quarter, mask) == 0
    assert prior_agreement(np.float32([[0.5, 0], [0, 0]]), mask) == pytest.approx(0.5)
    assert prior_agreement(np.float32([[1, 1], [0, 0]]), mask) == pytest.approx(0.5)
    mask[:, :15] = True
    assert prior_agreement(np.float32([[1, 0], [0.5, 0]]), mask) == pytest.approx(1)


def test_empty_masks_agree_with_priors_that_point_nowhere() -> None:
    empty = np.zeros((40, 60), bool)
    assert prior_agreement(np.full((8, 8), 0.1, np.float32), empty) == 1
    assert prior_agreement(np.eye(8, dtype=np.float32), empty) == 0


def test_a_fingerprint_is_that_of_the_weights(model: mpgsam2.Segmenter) -> None:
    again = mpgsam2.load_model("nano", device="cpu")
    assert again.fingerprint == model.fingerprint == again.fingerprint
    other = mpgsam2.load_model("nano", device="cpu")
    with torch.no_grad():
        other.network.mask_product.weight.flatten()[0] += 1e-3
    assert other.fingerprint != model.fingerprint
    assert fingerprint(mpgsam2.load_model("nano", device="cpu").network.half()) != model.fingerprint


# ------------------------------------------------------------------------------------------------------------ sound


@pytest.fixture(scope="module")
def sounding(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    """Two seconds with a tone in the second."""
    path = tmp_path_factory.mktemp("clips") / "tone.mp4"
    tone = "aevalsrc=sin(2*PI*440*t)*gte(t\\,1):d=2:s=44100"
    pictures = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-f", "lavfi", "-i", "testsrc=s=64x48:r=10:d=2"]
    subprocess.run([*pictures, "-f", "lavfi", "-i", tone, path], check=True)
    return open_clip(path)


@pytest.mark.parametrize(
    ("selection", "count", "seconds", "tone"),
    [
        (Selection(), None, 2.0, 1.0),
        (Selection(first=5, every=3), None, 1.5, 0.5),
        (Selection(first=5), 7, 0.7, 0.5),
    ],
)
def test_the_overlay_has_the_clip_s_sound_of_its_frames(
    tmp_path: Path, sounding: Clip, export: Any, selection: Selection, count: int | None, seconds: float, tone: float
) -> None:
    part = select(sounding, selection)
    record = export(tmp_path, part, count)
    assert record["sound"] == "kept"
    decoder = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", tmp_path / "overlay.mp4"]
    decoder += ["-f", "f32le", "-ac", "1", "-ar", "8000", "-"]
    decoded = subprocess.run(decoder, stdout=subprocess.PIPE, check=True)
    samples = np.frombuffer(decoded.stdout, np.float32)
    assert len(samples) / 8000 == pytest.approx(seconds, abs=0.15)
    assert np.flatnonzero(np.abs(samples) > 0.3)[0] / 8000 == pytest.approx(tone, abs=0.1)
    video = open_clip(tmp_path / "overlay.mp4")
    assert (video.frame_count, video.fps) == (record["frames"], part.fps)


# -------------------------------------------------------------------------------------------------- stopped, repeated


def test_a_run_that_is_stopped_keeps_what_it_has(tmp_path: Path, clip: Clip, export: Any) -> None:
    record = export(tmp_path, clip, 3)
    assert (record["complete"], record["frames"], record["asked"]) == (False, 3, FRAMES)
    assert "--last 2" in record["command"]
    (query,) = record["queries"]
    assert [entry["index"] for entry in query["frames"]] == [0, 1, 2]
    assert query["verdict"]["sentence"] == "Found in all 3 frames."
    assert {open_clip(tmp_path / f"{name}.mp4").frame_count for name in ("overlay", "prior", "side-by-side")} == {3}
    assert len(list((tmp_path / "masks").iterdir())) == 3


def test_a_run_that_fails_keeps_what_it_has(tmp_path: Path, clip: Clip, model: mpgsam2.Segmenter) -> None:
    with pytest.raises(RuntimeError), Exporter(tmp_path, clip, queries=TWO[:1], model=model) as exporter:
        exporter.add(next(iter(clip)), results(clip)[:1])
        raise RuntimeError
    record = read_record(tmp_path)
    assert record["complete"] is False and record["frames"] == len(record["queries"][0]["frames"]) == 1
    assert open_clip(tmp_path / "prior.mp4").frame_count == 1


def test_a_run_stopped_before_its_first_frame(tmp_path: Path, clip: Clip, export: Any) -> None:
    record = export(tmp_path, clip, 0)
    assert (record["complete"], record["frames"], record["sound"]) == (False, 0, None)
    (query,) = record["queries"]
    assert (query["frames"], query["verdict"], query["summary"]) == ([], None, None)
    assert files(tmp_path) == ["masks.json", "run.json"]


def test_verdicts_are_those_of_the_frames_so_far(tmp_path: Path, clip: Clip, model: mpgsam2.Segmenter) -> None:
    calibration = CalibrationConfig(verdict_shift=8.0, verdict_temperature=2.0)  # 8 where a score of 1 has a logit of 9
    model = model.configured(calibration=calibration)
    with Exporter(tmp_path, clip, queries=TWO, model=model) as exporter:
        assert exporter.verdicts == (None, None)
        answers = zip(results(clip), results(clip, 14), strict=True)
        for count, (frame, answer) in enumerate(zip(clip, answers, strict=True), 1):
            exporter.add(frame, answer)
            scores = [round(answer.object_score, 4) for answer in results(clip)[:count]]
            assert exporter.verdicts == (conclude([True] * count, scores, calibration),) * 2
    assert not exporter.verdicts[0].present and conclude([True] * FRAMES, scores).present
    assert exporter.record == read_record(tmp_path)


def test_no_frame_and_no_answer_is_held(tmp_path: Path, clip: Clip, model: mpgsam2.Segmenter) -> None:
    held: weakref.WeakSet[Any] = weakref.WeakSet()
    with Exporter(tmp_path, clip, queries=TWO[:1], model=model) as exporter:
        for frame, answer in zip(clip, results(clip), strict=True):
            frame, answer = Tracked.of(frame), answer.__class__(**{**vars(answer), "mask": Tracked.of(answer.mask)})
            held.update((frame, answer.mask))
            exporter.add(frame, [answer])
        del frame, answer
        gc.collect()
        assert not held


class Tracked(np.ndarray):
    """An array that can be asked whether somebody still holds it."""

    __hash__ = object.__hash__

    @classmethod
    def of(cls, array: np.ndarray) -> Tracked:
        return array.copy().view(cls)


def test_a_second_run_replaces_the_first(tmp_path: Path, clip: Clip, export: Any) -> None:
    export(tmp_path, clip, queries=TWO)
    bundle(tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    record = export(tmp_path, clip, 2)
    assert record["complete"] is False
    pngs = ["masks/00000.png", "masks/00001.png"]
    assert files(tmp_path) == sorted([*pngs, *OF_A_RUN, "cutout.webm", "masks.mp4", "notes.txt", "prior.mp4"])
    assert sorted(path.name for path in (tmp_path / "masks").iterdir()) == ["00000.png", "00001.png"]
    assert open_clip(tmp_path / "masks.mp4").frame_count == 2
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_odd_sizes_keep_their_masks(tmp_path: Path, export: Any) -> None:
    (tmp_path / "frames").mkdir()
    for index in range(2):
        cv2.imwrite(str(tmp_path / f"frames/{index}.png"), np.zeros((47, 65, 3), np.uint8))
    export(tmp_path / "out", open_clip(tmp_path / "frames"))
    frames = json.loads((tmp_path / "out/masks.json").read_text())["frames"]
    assert frames[0]["A"]["size"] == [47, 65]
    assert cv2.imread(str(tmp_path / "out/masks/00001.png"), cv2.IMREAD_UNCHANGED).shape == (47, 65)
    assert open_clip(tmp_path / "out/overlay.mp4").width == 66
    assert open_clip(tmp_path / "out/cutout.webm").width == 66


# ----------------------------------------------------------------------------------------------------------- bundle


@pytest.mark.parametrize("queries", [[SHAPE], TWO])
def test_the_bundle_holds_the_run_s_files_and_nothing_else(
    tmp_path: Path, clip: Clip, export: Any, queries: list[Query]
) -> None:
    export(tmp_path, clip, queries=queries)
    of_the_run = files(tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    bundle(tmp_path)
    path = bundle(tmp_path)
    assert path == tmp_path / "results.zip"
    assert sorted(str(file.relative_to(tmp_path)) for file in results_in(tmp_path)) == of_the_run
    with ZipFile(path) as archive:
        assert sorted(archive.namelist()) == of_the_run
        for entry in archive.infolist():
            assert archive.read(entry) == (tmp_path / entry.filename).read_bytes()
            assert entry.compress_type == (ZIP_DEFLATED if entry.filename.endswith(".json") else ZIP_STORED)
    assert not [path for path in tmp_path.rglob(".*")]


# ------------------------------------------------------------------------------------------------------ run lengths


def masks() -> list[np.ndarray]:
    generator = np.random.default_rng(7)
    noise = [generator.random(generator.integers(1, 120, 2)) < generator.random() for _ in range(60)]
    blob = np.zeros((480, 854), bool)
    blob[100:300, 200:700] = True
    corner = np.zeros((5, 4), bool)
    corner[0, 0] = corner[-1, -1] = True
    return [*noise, blob, ~blob, corner, ~corner, np.zeros((3, 7), bool), np.ones((3, 7), bool), np.ones((1, 1), bool)]


def test_run_lengths_are_pycocotools_own() -> None:
    for mask in masks():
        theirs = coco.encode(np.asfortranarray(mask, np.uint8))
        assert rle_encode(mask) == {"size": theirs["size"], "counts": theirs["counts"].decode()}


def test_run_lengths_give_the_mask_back() -> None:
    for mask in masks():
        decoded = rle_decode(rle_encode(mask))
        assert decoded.dtype == bool
        np.testing.assert_array_equal(decoded, mask)


def test_run_lengths_of_another_size_are_refused() -> None:
    with pytest.raises(ValueError, match="runs of 12 pixels in a mask of 3 × 5"):
        rle_decode({**rle_encode(np.ones((3, 4), bool)), "size": [3, 5]})
