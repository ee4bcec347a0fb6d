"""`evaluate --dataset …`: nano on small data sets in the released layouts, by the protocol of each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile

import cv2
import numpy as np
import pytest
from PIL import Image
from released import run_lengths, write_index, write_jpg, write_json, write_png

import mpgsam2
from mpgsam2 import InputError
from mpgsam2.cli import main
from mpgsam2.datasets.evaluate import Evaluation
from mpgsam2.datasets.id_maps import id_map
from mpgsam2.datasets.own import OwnData
from mpgsam2.datasets.processes import Processes
from mpgsam2.datasets.ref_youtube_vos import RefYouTubeVOS
from mpgsam2.datasets.scores import Scores, SequenceScore
from mpgsam2.datasets.sheet import chosen
from mpgsam2.datasets.statistics import Statistics
from mpgsam2.datasets.submission import write_submission

ALONE = Processes("cpu")


def clip(frames: int) -> tuple[np.ndarray, np.ndarray]:
    """A green circle, 1, and a blue square, 2, that drift: (T, H, W, 3) uint8 RGB and ids (T, H, W)."""
    pictures, ids = np.full((frames, 48, 64, 3), 60, np.uint8), np.zeros((frames, 48, 64), np.uint8)
    for t in range(frames):
        cv2.circle(ids[t], (16 + t % 8, 20), 9, 1, -1)
        cv2.rectangle(ids[t], (40, 20 + t % 8), (55, 35 + t % 8), 2, -1)
        pictures[t][ids[t] == 1], pictures[t][ids[t] == 2] = (30, 200, 30), (30, 60, 220)
    return pictures, ids


def write_frames(folder: Path, video: str, names: list[str], frames: np.ndarray) -> None:
    for name, frame in zip(names, frames, strict=True):
        write_jpg(folder / video / f"{name}.jpg", frame)


@pytest.fixture(scope="module")
def davis(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ref-DAVIS17 of two videos, with two and with five objects."""
    root = tmp_path_factory.mktemp("data") / "ref-davis"
    videos = {}
    for name, frames, count in (("two things", 3, 2), ("five", 2, 5)):
        pictures, ids = clip(frames)
        names = [f"{t:05d}" for t in range(frames)]
        sentences = ["the  Blue square", "the green circle", "a star", "the red triangle", "the circle on the left"]
        expressions = {
            str(4 * o + a): {"exp": f"{sentences[o]}{' ' * a}", "obj_id": str(o + 1)}
            for o in range(count)
            for a in range(4)
        }
        videos[name] = (names, expressions)
        write_frames(root / "valid/JPEGImages", name, names, pictures)
        for t, labels in zip(names, ids, strict=True):
            write_png(root / f"valid/Annotations/{name}/{t}.png", labels, palette=True)
    write_index(root / "meta_expressions/valid/meta_expressions.json", videos)
    return root


@pytest.fixture(scope="module")
def youtube(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ref-YouTube-VOS of two videos to hand in, and one that is in `test` too."""
    root = tmp_path_factory.mktemp("data") / "ref-youtube-vos"
    videos = {}
    for name, frames in (("0a.b", 2), ("tested", 1), ("1é", 3)):
        names = [f"{5 * t:05d}" for t in range(frames)]
        asked = {"1": {"exp": "the star"}, "0": {"exp": "Circle"}} if name != "1é" else {"0": {"exp": "the red one"}}
        videos[name] = (names, asked)
        write_frames(root / "valid/JPEGImages", name, names, clip(frames)[0])
    write_index(root / "meta_expressions/valid/meta_expressions.json", videos)
    write_index(root / "meta_expressions/test/meta_expressions.json", {"tested": videos["tested"]})
    return root


def test_id_maps_by_hand() -> None:
    first = np.float32([[0.9, 0.49, 0.5, 0.6], [0.05, 0.7, 0.0, 0.5]])
    second = np.float32([[0.8, 0.49, 0.4, 0.7], [0.05, 0.7, 1.0, 0.6]])
    # Below a half nothing is an object, however far above the background's 0.1; of equals the first wins.
    assert id_map([first, second]).tolist() == [[1, 0, 1, 2], [0, 1, 2, 2]]
    assert id_map([second]).dtype == np.uint8


def test_davis_is_answered_by_whole_clips_for_each_annotator(
    davis: Path,
    model: mpgsam2.Segmenter,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    files = [tmp_path / name for name in ("scores.json", "rows.csv", "sheet.jpg")]
    out = [str(x) for pair in zip(("--out", "--csv", "--sheet"), files, strict=True) for x in pair]
    folder = tmp_path / "masks"
    arguments = ["evaluate", "--dataset", "ref-davis17", "--data", str(davis.parent), "--results", str(folder)]
    assert main([*arguments, *out]) == 0
    told = capsys.readouterr().out
    assert told.splitlines()[-1].startswith("all ")

    # Each sentence by itself, over the whole clip.
    for name, frames, count in (("two things", 3, 2), ("five", 2, 5)):
        whole = model.configured(window=frames, interleaved=False)
        pictures = [np.asarray(Image.open(davis / f"valid/JPEGImages/{name}/{t:05d}.jpg")) for t in range(frames)]
        sentences = ["the blue square", "the green circle", "a star", "the red triangle", "the circle on the left"][
            :count
        ]
        answers = [list(whole.segment(pictures, sentence)) for sentence in sentences]
        for t in range(frames):
            best = np.max([answer[t].probability for answer in answers], axis=0)
            which = np.argmax([answer[t].probability for answer in answers], axis=0) + 1
            for annotator in range(4):
                picture = Image.open(folder / f"anno_{annotator}/{name}/{t:05d}.png")
                assert picture.mode == "P"
                assert (np.asarray(picture) == np.where(best >= 0.5, which, 0)).mean() > 0.999

    scores = json.loads(files[0].read_text(encoding="utf-8"))
    assert scores["model"] == "nano" and 0.5 < scores["J&F"] < 1
    assert len(files[1].read_text(encoding="utf-8").splitlines()) == 1 + 4 * 7
    assert cv2.imread(str(files[2])).shape[1] > 600
    # `score` on the same masks tells the same.
    again = ["score", str(folder), "--dataset", "ref-davis17", "--data", str(davis), "--json", str(files[1])]
    assert main(again) == 0 and capsys.readouterr().out == told
    assert json.loads(files[1].read_text(encoding="utf-8")).items() <= scores.items()


def test_mevis_is_cut_in_windows_of_24_frames(
    model: mpgsam2.Segmenter, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (frames, ids), names = clip(26), [f"{t:05d}" for t in range(26)]
    expressions = {"0": {"exp": "The green\tCIRCLE", "anno_id": [3]}, "1": {"exp": "shapes", "anno_id": [3, 4]}}
    root = tmp_path / "mevis-release"
    for split, length in (("valid", 2), ("valid_u", 26)):
        write_frames(root / split / "JPEGImages", "v", names[:length], frames[:length])
        write_index(root / split / "meta_expressions.json", {"v": (names[:length], expressions)})
    things = {str(2 + i): [run_lengths(of == i) for of in ids] for i in (1, 2)}
    write_json(root / "valid_u/mask_dict.json", things)

    arguments = ["evaluate", "--dataset", "mevis", "--data", str(root), "--results", str(tmp_path / "scored")]
    assert main([*arguments, "--out", str(tmp_path / "scores.json")]) == 0
    scores = json.loads((tmp_path / "scores.json").read_text(encoding="utf-8"))
    assert [s["sentence"] for s in scores["sequences"]] == ["the green circle", "shapes"]

    model = model.configured(window=99, interleaved=False)
    pictures = [np.asarray(Image.open(root / f"valid_u/JPEGImages/v/{name}.jpg")) for name in names]
    apart = [r.mask for part in (pictures[:24], pictures[24:]) for r in model.segment(part, "the green circle")]
    written = [np.asarray(Image.open(tmp_path / f"scored/v/0/{name}.png")) for name in names]
    assert all((w > 0).mean() > 0.01 and set(np.unique(w)) == {0, 255} for w in written)
    assert np.mean([(w > 0) == a for w, a in zip(written, apart, strict=True)]) > 0.999

    capsys.readouterr()
    handed_in = ["--split", "valid", "--results", str(tmp_path / "handed in")]
    assert main([*arguments[:5], *handed_in]) == 0
    assert "submission.zip" in capsys.readouterr().out
    with ZipFile(tmp_path / "handed in/submission.zip") as archive:
        assert archive.namelist() == [f"Annotations/v/{e}/{name}.png" for e in "01" for name in names[:2]]
        assert archive.read("Annotations/v/0/00001.png") == (tmp_path / "handed in/v/0/00001.png").read_bytes()


def test_a_stopped_run_goes_on_and_hands_in_the_same_zip(
    youtube: Path, model: mpgsam2.Segmenter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data_set = RefYouTubeVOS.open(youtube.parent)
    assert [video.name for video in data_set.videos] == ["0a.b", "1é"]
    whole = tmp_path / "whole"
    assert len(list(Evaluation(model, data_set, whole, ALONE))) == 2 * 2 + 3
    write_submission(data_set, whole, tmp_path / "whole.zip")

    stopped = tmp_path / "stopped"
    run = iter(Evaluation(model, data_set, stopped, ALONE))
    for _ in range(2 * 2 + 2):  # in the middle of the second video
        key = next(run)
    run.close()
    (stopped / key.path).write_bytes(b"half a picture")
    with pytest.raises(InputError, match="A mask is missing in “stopped”: “1é/0/00010"):
        write_submission(data_set, stopped, tmp_path / "early.zip")
    assert not (tmp_path / "early.zip").exists()
    finished = (stopped / "0a.b/0/00005.png").stat().st_mtime_ns
    rest = Evaluation(model, data_set, stopped, ALONE)
    assert len(rest) == len(list(rest)) == 3
    assert (stopped / "0a.b/0/00005.png").stat().st_mtime_ns == finished
    assert not list(Evaluation(model, data_set, stopped, ALONE))
    write_submission(data_set, stopped, tmp_path / "stopped.zip")
    assert (tmp_path / "stopped.zip").read_bytes() == (tmp_path / "whole.zip").read_bytes()

    with ZipFile(tmp_path / "whole.zip") as archive:
        # Of the sentences the index's order, every listed frame, and nothing else.
        videos = {"0a.b": ("10", ["00000", "00005"]), "1é": ("0", ["00000", "00005", "00010"])}
        names = [f"Annotations/{v}/{e}/{f}.png" for v, (es, fs) in videos.items() for e in es for f in fs]
        assert archive.namelist() == names
        assert all(entry.compress_type == ZIP_STORED and entry.date_time[0] == 1980 for entry in archive.infolist())

    # A mask that is taken out of a finished video is made again.
    (stopped / "0a.b/1/00000.png").unlink()
    assert len(Evaluation(model, data_set, stopped, ALONE)) == 4
    # With other parts of the network, or other sentences, it is another run.
    with pytest.raises(InputError, match="“stopped” holds masks that were made with another without"):
        Evaluation(model, data_set, stopped, ALONE, frozenset({"prior"}))
    with pytest.raises(InputError, match="with another index"):
        Evaluation(model, replace(data_set, videos=data_set.videos[:1]), stopped, ALONE)


@pytest.mark.parametrize(
    ("picture", "sentence"),
    [
        (np.zeros((3, 4)), "is 4 × 3, and must be 64 × 48"),
        (None, "is not a PNG"),
        (7, "holds something but 0 and 255"),
    ],
)
def test_a_submission_is_looked_at_before_it_is_there(
    youtube: Path, tmp_path: Path, picture: np.ndarray | int | None, sentence: str
) -> None:
    data_set = RefYouTubeVOS.open(youtube)
    for video in data_set.videos:
        size = data_set.frame_size(video)
        for asked in video.sentences:
            for frame in video.frames:
                write_png(tmp_path / "out" / video.name / asked.id / f"{frame}.png", np.full(size, 255))
    write_submission(data_set, tmp_path / "out", tmp_path / "s.zip")
    before = (tmp_path / "s.zip").read_bytes()
    broken = tmp_path / "out/1é/0/00005.png"
    if picture is None:
        broken.write_bytes(b"")
    else:
        write_png(broken, picture if isinstance(picture, np.ndarray) else np.full(size, picture))
    with pytest.raises(InputError, match=f"“out: 1é/0/00005.png” {sentence}"):
        write_submission(data_set, tmp_path / "out", tmp_path / "s.zip")
    assert (tmp_path / "s.zip").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "s.zip"]


def test_two_processes_write_the_same_to_the_bit(davis: Path, tmp_path: Path) -> None:
    root = str(Path(mpgsam2.__file__).parents[1])
    environment = {**os.environ, "PYTHONPATH": root, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    quiet = ["--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no", "--main_process_port", "0"]
    launch = ["accelerate.commands.launch", "--multi_gpu", "--num_processes", "2", *quiet, "-m"]
    for name, launcher in (("one", []), ("two", launch)):
        asked = ["--data", str(davis), "--results", name, "--out", f"{name}.json"]
        command = [sys.executable, "-m", *launcher, "mpgsam2", "evaluate", "--dataset", "ref-davis17", *asked]
        run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stderr
        assert run.stdout.count("\nall ") == 1  # one of them tells
    one, two = (sorted(path.relative_to(tmp_path / n) for path in (tmp_path / n).rglob("*")) for n in ("one", "two"))
    assert one == two and len(one) > 20
    for path in one:
        if (tmp_path / "one" / path).is_file():
            assert (tmp_path / "one" / path).read_bytes() == (tmp_path / "two" / path).read_bytes()
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()


def test_own_data_is_evaluated_in_the_windows_of_the_checkpoint(
    model: mpgsam2.Segmenter, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pictures, ids = clip(3)
    write_frames(tmp_path / "mine/a clip", "frames", ["9", "10", "11"], pictures)
    for name, of in zip(("10", "11"), ids[1:], strict=True):
        write_png(tmp_path / f"mine/a clip/masks/{name}.png", of)
    asked = [{"sentence": "the green circle", "objects": [1]}, {"sentence": "the blue square", "objects": [2]}]
    write_json(tmp_path / "mine/sentences.json", {"a clip": asked})
    arguments = ["--data", str(tmp_path / "mine"), "--results", str(tmp_path / "out")]
    files = ["--sheet", str(tmp_path / "sheet.jpg"), "--out", str(tmp_path / "scores.json")]
    assert main(["evaluate", "--dataset", "own", *arguments, *files]) == 0
    scores = json.loads((tmp_path / "scores.json").read_text(encoding="utf-8"))
    assert scores["J"] > 0.5 and cv2.imread(str(tmp_path / "sheet.jpg")) is not None

    (video,), data_set = OwnData.open(tmp_path / "mine").videos, OwnData.open(tmp_path / "mine")
    for number, sentence in enumerate(video.sentences):
        for result in model.segment(data_set.frames(video), sentence.text):
            written = np.asarray(Image.open(tmp_path / f"out/a clip/{number}/{video.frames[result.index]}.png"))
            assert ((written > 0) == result.mask).mean() > 0.999


def test_a_sheet_shows_the_best_the_median_and_the_worst_once() -> None:
    def shown(count: int, each: int) -> list[tuple[str, float]]:
        figures = np.linspace(0, 1, count)
        sequences = [SequenceScore({}, Statistics(x, x, 0, 0, 0, 0)) for x in figures]
        scores = Scores("mevis", "valid_u", sequences[0].statistics, (), tuple(sequences))
        return [(sort, round(sequence.statistics.J, 3)) for sort, sequence in chosen(scores, each)]

    assert shown(9, 1) == [("best", 1), ("median", 0.5), ("worst", 0)]
    assert shown(11, 2) == [("best", 1), ("best", 0.9), ("median", 0.6), ("median", 0.5), ("worst", 0.1), ("worst", 0)]
    assert shown(2, 4) == [("best", 1), ("best", 0)]


def test_videos_are_shared_by_their_length() -> None:
    costs = [3, 9, 1, 4, 2, 8, 1]
    shares = []
    for number in range(3):
        processes = Processes("cpu")
        processes.number, processes.count = number, 3
        shares.append(processes.share(range(7), lambda i: costs[i]))
    assert sorted(i for share in shares for i in share) == list(range(7))
    assert [sum(costs[i] for i in share) for share in shares] == [10, 9, 9]
    assert all(share == sorted(share) for share in shares)


def missing_frame(root: Path) -> None:
    (root / "valid/JPEGImages/1é/00005.jpg").unlink()


def broken_frame(root: Path) -> None:
    path = root / "valid/JPEGImages/0a.b/00005.jpg"
    path.write_bytes(path.read_bytes()[:-100])


def other_size(root: Path) -> None:
    write_jpg(root / "valid/JPEGImages/0a.b/00005.jpg", np.zeros((9, 8, 3), np.uint8))


def empty_sentence(root: Path) -> None:
    write_index(root / "meta_expressions/valid/meta_expressions.json", {"1é": (["00000"], {"0": {"exp": " "}})})


def no_test_index(root: Path) -> None:
    (root / "meta_expressions/test/meta_expressions.json").unlink()


@pytest.mark.parametrize(
    ("harm", "more", "sentence"),
    [
        (missing_frame, [], "“valid/JPEGImages/1é/00005.jpg” is missing"),
        (broken_frame, [], "“valid/JPEGImages/0a.b/00005.jpg” is broken"),
        (other_size, [], "“valid/JPEGImages/0a.b/00005.jpg” is 8 × 9"),
        (empty_sentence, [], "Expression “0” of the video “1é” is empty"),
        (no_test_index, [], "“meta_expressions/test/meta_expressions.json” is missing"),
        (None, ["--out", "scores.json"], "is scored on its server: leave out --out"),
        (None, ["--clips", "3"], "--clips is for the synthetic clips"),
        (None, ["--oracle-prior"], "--oracle-prior is for the synthetic clips"),
        (None, ["--split", "valid_u"], "no split 'valid_u'"),
        (None, ["--without", "memory"], "'memory'"),
        (None, ["--results", "taken"], "“taken” holds other files"),
        (None, ["--results", "taken/file"], "cannot be written to “file”"),
    ],
)
def test_what_cannot_be_evaluated_is_one_sentence(
    youtube: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    harm: Callable[[Path], None] | None,
    more: list[str],
    sentence: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    data = tmp_path / "data"
    subprocess.run(["cp", "-r", str(youtube), str(data)], check=True)
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken/file").write_text("mine")
    if harm:
        harm(data)
    assert main(["evaluate", "--dataset", "ref-youtube-vos", "--data", "data", "--results", "out", *more]) == 2
    output = capsys.readouterr()
    assert sentence in output.err and output.err.count("\n") == 1 and not output.out
    assert (tmp_path / "taken/file").read_text() == "mine"


def test_a_data_set_needs_its_folder(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "--dataset", "mevis"]) == 2
    assert "Give its folder with --data" in capsys.readouterr().err
    assert main(["evaluate", "--data", "somewhere"]) == 2
    assert "--data" in capsys.readouterr().err
