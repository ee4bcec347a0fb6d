"""`score`: masks of any program, against values worked out by hand and a plain reading of the protocols."""

from __future__ import annotations

import csv
import itertools
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from pycocotools import mask as coco
from released import box, run_lengths, write_index, write_json, write_png
from test_metrics import slow_contour_accuracy

import mpgsam2
from mpgsam2.cli import main

SIZE = (12, 16)


@pytest.fixture
def score(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., dict]:
    """Runs the command and returns its JSON."""

    def run(results: Path, data_set: str, data: Path, *more: str) -> dict:
        file = tmp_path / "scores.json"
        arguments = ["score", str(results), "--dataset", data_set, "--data", str(data), "--json", str(file), *more]
        code = main(arguments)
        assert code == 0, capsys.readouterr().err
        return json.loads(file.read_text(encoding="utf-8"))

    return run


@pytest.fixture
def refusal(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Runs the command and returns the one sentence with which it refuses."""

    def run(results: Path, data_set: str, data: Path, *more: str) -> str:
        assert main(["score", str(results), "--dataset", data_set, "--data", str(data), *more]) == 2
        output = capsys.readouterr()
        assert output.err.count("\n") == 1 and not output.out
        return output.err

    return run


# ------------------------------------------------------------------------------------------------------- Ref-DAVIS17


def write_davis(root: Path, truths: dict[str, np.ndarray], objects: dict[str, int]) -> None:
    """Ref-DAVIS17 with those id maps (T, H, W); frames are numbered from 0."""
    videos = {}
    for name, maps in truths.items():
        frames = [f"{t:05d}" for t in range(len(maps))]
        # Listed backwards: the numbers count, not their order in the file.
        numbers = range(4 * objects[name] - 1, -1, -1)
        expressions = {str(i): {"exp": f"A  Thing {i // 4}", "obj_id": str(i // 4 + 1)} for i in numbers}
        videos[name] = (frames, expressions)
        for frame, ids in zip(frames, maps, strict=True):
            write_png(root / "valid/Annotations" / name / f"{frame}.png", ids, palette=True)
    write_index(root / "meta_expressions/valid/meta_expressions.json", videos)


def write_annotators(folder: Path, answers: dict[str, list[np.ndarray]]) -> None:
    """Id maps (T, H, W) of each annotator, by video."""
    for name, of in answers.items():
        for annotator, maps in enumerate(of):
            for t, ids in enumerate(maps):
                write_png(folder / f"anno_{annotator}" / name / f"{t:05d}.png", ids, palette=annotator % 2 == 0)


@pytest.fixture
def two_boxes() -> np.ndarray:
    """Four frames: object 1 in all of them, object 2 in the first two, and a void row below object 1."""
    ids = np.zeros((4, *SIZE), np.uint8)
    ids[:, 1:5, 1:7] = 1
    ids[:2, 7:11, 9:15] = 2
    ids[:, 5, 1:7] = 255
    return ids


@pytest.fixture
def davis(tmp_path: Path, two_boxes: np.ndarray) -> Path:
    root = tmp_path / "ref-davis"
    write_davis(root, {"bike trick": two_boxes}, {"bike trick": 2})
    return root


def test_davis_values_by_hand(
    tmp_path: Path, davis: Path, two_boxes: np.ndarray, score: Callable[..., dict], capsys: pytest.CaptureFixture[str]
) -> None:
    right = np.where(two_boxes == 255, 0, two_boxes)
    swapped = np.select([right == 1, right == 2], [7, 4], 0)  # other ids, the same masks
    over_void = np.where(two_boxes == 255, 1, two_boxes)  # grows over what does not count
    half = right.copy()
    half[2:, 1:5, 1:7] = 0  # object 1 is lost in the last two of four frames, where nothing of it is right
    write_annotators(tmp_path / "out", {"bike trick": [right, swapped, over_void, half]})
    csv_file = tmp_path / "rows.csv"
    scores = score(tmp_path / "out", "ref-davis17", davis, "--csv", str(csv_file))
    assert list(scores)[:3] == ["J", "F", "J&F"]
    assert [a["J&F"] for a in scores["annotators"]] == [1, 1, 1, 0.75]
    assert (scores["J"], scores["F"], scores["J&F"]) == (0.9375, 0.9375, 0.9375)
    assert (scores["J recall"], scores["F recall"]) == (0.9375, 0.9375)
    # Decay of 1, 1, 0, 0: cut at the frames 1, 1.75 → 2, 2.5 → 3, 3.25 → 3, 4; both quarters hold two frames.
    assert scores["J decay"] == pytest.approx(1 / 8)
    lost = scores["sequences"][6]
    assert (lost["annotator"], lost["object"], lost["J"], lost["J recall"], lost["J decay"]) == (3, 1, 0.5, 0.5, 1.0)
    assert lost["sentence"] == "a thing 0" and lost["expression"] == "3"
    assert [s["id"] for s in scores["sequences"][2:4]] == [7, 4]
    rows = list(csv.DictReader(csv_file.open(encoding="utf-8")))
    assert len(rows) == 8 and float(rows[6]["J"]) == 0.5 and rows[6]["video"] == "bike trick"
    table = capsys.readouterr().out.splitlines()
    assert table[-1].split()[:4] == ["all", "93.8", "93.8", "93.8"] and table[-2].split()[:2] == ["annotator", "3"]


def test_an_object_that_is_never_found_is_right_where_it_is_not(
    tmp_path: Path, davis: Path, two_boxes: np.ndarray, score: Callable[..., dict]
) -> None:
    only_first = np.where(two_boxes == 1, 1, 0)
    nothing = np.zeros_like(two_boxes)
    write_annotators(tmp_path / "out", {"bike trick": [only_first, nothing, only_first, nothing]})
    scores = score(tmp_path / "out", "ref-davis17", davis)
    assert [a["J"] for a in scores["annotators"]] == [0.75, 0.25, 0.75, 0.25]
    assert [a["F"] for a in scores["annotators"]] == [0.75, 0.25, 0.75, 0.25]


def test_the_mean_is_over_objects_and_not_over_videos(tmp_path: Path, score: Callable[..., dict]) -> None:
    one, three = np.zeros((2, 1, *SIZE), np.uint8)
    one[0, 2:6, 2:6] = 1
    three[0, 1:4, 1:4], three[0, 1:4, 8:12], three[0, 7:10, 4:9] = 1, 2, 3
    write_davis(tmp_path / "ref-davis", {"a": one, "b": three}, {"a": 1, "b": 3})
    write_annotators(tmp_path / "out", {"a": [0 * one] * 4, "b": [three] * 4})
    assert score(tmp_path / "out", "ref-davis17", tmp_path)["J&F"] == 0.75  # from the folder above the data set's


def plain_davis(truth: np.ndarray, answer: np.ndarray, objects: int) -> tuple[np.ndarray, np.ndarray]:
    """J and F of each object of a video: a separate reading of the protocol that tries out every matching."""
    ids = max(objects, int(answer.max()))
    J, F = np.zeros((2, ids, objects, len(truth)))
    for i, o, t in np.ndindex(ids, objects, len(truth)):
        void = truth[t] == 255
        p, g = answer[t] == i + 1, truth[t] == o + 1
        p[void] = g[void] = False
        J[i, o, t] = (p & g).sum() / (p | g).sum() if (p | g).any() else 1
        F[i, o, t] = slow_contour_accuracy(p, g)
    means = (J.mean(2) + F.mean(2)) / 2
    best = max(
        itertools.permutations(range(ids), objects), key=lambda taken: sum(means[i, o] for o, i in enumerate(taken))
    )
    return J[best, range(objects)].mean(1), F[best, range(objects)].mean(1)


def test_davis_equals_a_plain_reading_of_the_protocol(tmp_path: Path, score: Callable[..., dict]) -> None:
    rng = np.random.default_rng(3)

    def clip(ids: int, void: bool = False) -> np.ndarray:
        maps = np.zeros((3, 20, 26), np.uint8)
        for t in range(3):
            for number in rng.permutation(ids) + 1:
                if rng.random() < 0.8:
                    y, x = rng.integers(0, 14), rng.integers(0, 20)
                    maps[t, y : y + rng.integers(2, 9), x : x + rng.integers(2, 9)] = number
            if void:
                maps[t, rng.integers(0, 20), :] = 255
        return maps

    objects = {"x": 3, "y": 2}
    truths = {name: clip(n, void=True) for name, n in objects.items()}
    answers = {name: [clip(rng.integers(1, 6)) for _ in range(4)] for name in objects}
    for name, of in answers.items():  # partly right, in a shuffled order
        for maps in of:
            seen = rng.random(maps.shape) < 0.9
            shuffled = np.array([0, 3, 1, 2])[np.where(truths[name] == 255, 0, truths[name])]
            maps[...] = np.where(seen & (rng.random() < 0.7), shuffled, maps)
    write_davis(tmp_path / "data", truths, objects)
    write_annotators(tmp_path / "out", answers)
    scores = score(tmp_path / "out", "ref-davis17", tmp_path / "data")
    for annotator, of in enumerate(scores["annotators"]):
        plain = [plain_davis(truths[name], answers[name][annotator], objects[name]) for name in objects]
        J, F = (np.concatenate(x).mean() for x in zip(*plain, strict=True))
        assert (of["J"], of["F"]) == pytest.approx((J, F), abs=1e-12)
    assert scores["J&F"] == pytest.approx(np.mean([a["J&F"] for a in scores["annotators"]]))


def zipped(folder: Path, file: Path, within: str = "") -> Path:
    with ZipFile(file, "w") as archive:
        for path in sorted(folder.rglob("*.png")):
            archive.write(path, within + path.relative_to(folder).as_posix())
    return file


@pytest.mark.parametrize("within", ["", "my results/"])
def test_a_zip_scores_as_its_folder(
    tmp_path: Path, davis: Path, two_boxes: np.ndarray, score: Callable[..., dict], within: str
) -> None:
    write_annotators(tmp_path / "out", {"bike trick": [np.minimum(two_boxes, 20)] * 4})
    archive = zipped(tmp_path / "out", tmp_path / "out.zip", within)
    with ZipFile(archive, "a") as more:
        more.writestr("__MACOSX/anno_0/bike trick/._00000.png", b"x")
        more.writestr("read me.txt", b"x")
    (tmp_path / "out/anno_0/bike trick/._00000.png").write_bytes(b"x")
    assert score(archive, "ref-davis17", davis) == score(tmp_path / "out", "ref-davis17", davis)


def with_values(values: np.ndarray) -> Callable[[Path], None]:
    """Writes another picture in a file's place."""
    return lambda path: write_png(path, values)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-30])


def again(*where: str) -> Callable[[Path], None]:
    """Copies a folder or file to another place in the results."""
    return lambda path: (shutil.copytree if path.is_dir() else shutil.copy)(path, Path(str(path), *where).resolve())


BIKES = "valid/Annotations/bike trick/00002.png"
INDEX = "meta_expressions/valid/meta_expressions.json"


@pytest.mark.parametrize(
    ("path", "harm", "sentence"),
    [
        ("out/anno_2/bike trick/00001.png", Path.unlink, "A mask is missing in “out”: “anno_2/bike trick/00001.png”."),
        (
            "out/anno_3",
            shutil.rmtree,
            "4 of 16 masks are missing in “out”: the first is “anno_3/bike trick/00000.png”.",
        ),
        (
            "out/anno_1",
            again("../old/anno_1"),
            "“anno_1/bike trick/00000.png” and as “old/anno_1/bike trick/00000.png”",
        ),
        ("out/anno_1/bike trick/00000.png", again("../00000.PNG"), "“out” holds a mask twice"),
        ("out/anno_0/bike trick/00003.png", with_values(np.zeros((12, 15))), "is 15 × 12, and must be 16 × 12"),
        ("out/anno_0/bike trick/00003.png", with_values(np.full(SIZE, 21)), "holds the id 21, and ids end at 20."),
        ("out/anno_0/bike trick/00003.png", with_values(np.zeros((*SIZE, 3))), "00003.png” is in colours"),
        ("out/anno_0/bike trick/00003.png", cut, "“out: anno_0/bike trick/00003.png” is broken"),
        ("out/anno_0/bike trick/00003.png", lambda path: path.write_bytes(b"no picture"), "00003.png” is not a PNG"),
        ("out", shutil.rmtree, "There are no results “out”"),
        ("out", lambda path: (shutil.rmtree(path), path.mkdir()), "There is no mask in “out”"),
        ("out", lambda path: (shutil.rmtree(path), path.write_text("x")), "“out” is neither a folder nor a zip file"),
        (f"ref-davis/{BIKES}", Path.unlink, f"“{BIKES}” is missing"),
        (f"ref-davis/{BIKES}", cut, f"“{BIKES}” is broken"),
        (f"ref-davis/{BIKES}", with_values(np.full(SIZE, 3)), "holds an object 3, and the video's sentences are on 2"),
        (f"ref-davis/{BIKES}", with_values(np.zeros((3, 4))), f"“{BIKES}” is 4 × 3"),
        (f"ref-davis/{INDEX}", Path.unlink, f"“{INDEX}” is missing in “ref-davis”"),
        (f"ref-davis/{INDEX}", cut, f"“{INDEX}” is not JSON"),
        ("ref-davis", shutil.rmtree, "There is no folder “ref-davis”"),
    ],
)
def test_what_davis_refuses_is_one_sentence(
    tmp_path: Path,
    davis: Path,
    two_boxes: np.ndarray,
    refusal: Callable[..., str],
    path: str,
    harm: Callable[[Path], object],
    sentence: str,
) -> None:
    write_annotators(tmp_path / "out", {"bike trick": [np.minimum(two_boxes, 20)] * 4})
    harm(tmp_path / path)
    told = refusal(tmp_path / "out", "ref-davis17", davis)
    assert sentence in told and str(tmp_path) not in told


@pytest.mark.parametrize("numbers", [range(1, 9), range(6), range(0)])
def test_davis_numbers_four_sentences_for_each_object(
    tmp_path: Path, davis: Path, two_boxes: np.ndarray, refusal: Callable[..., str], numbers: range
) -> None:
    write_annotators(tmp_path / "out", {"bike trick": [two_boxes] * 4})
    expressions = {str(number): {"exp": "x"} for number in numbers}
    write_index(davis / INDEX, {"bike trick": (["00000"], expressions), "other": (["00000"], {"0": {"exp": "x"}})})
    assert "does not number the expressions of the video “" in refusal(tmp_path / "out", "ref-davis17", davis)


# ------------------------------------------------------------------------------------------------------------- MeViS


@pytest.fixture
def mevis(tmp_path: Path) -> Path:
    """One video of three frames with two objects; the second is not there in frame 1, a third never."""
    root = tmp_path / "mevis-release"
    first = [box(SIZE, 0, 0, 4, 4)] * 3
    second = [box(SIZE, 6, 8, 10, 16), None, box(SIZE, 8, 8, 12, 12)]
    compressed = [None if m is None else coco.encode(np.asfortranarray(m, np.uint8)) for m in second]
    for rle in filter(None, compressed):
        rle["counts"] = rle["counts"].decode("ascii")
    annotations = {"7": [run_lengths(m) for m in first], "12": compressed, "13": [None] * 3}
    expressions = {
        "0": {"exp": "the one", "obj_id": [0], "anno_id": [7]},
        "1": {"exp": "The  other\tone", "obj_id": [1], "anno_id": [12]},
        "2": {"exp": "both", "obj_id": [0, 1], "anno_id": [7, 12]},
        "3": {"exp": "none of them", "obj_id": [2], "anno_id": [13]},
    }
    write_index(root / "valid_u/meta_expressions.json", {"v 1.5é": (["00000", "00001", "00002"], expressions)})
    write_json(root / "valid_u/mask_dict.json", annotations)
    return root


def write_masks(folder: Path, answers: dict[str, list[np.ndarray]], video: str = "v 1.5é") -> None:
    for expression, masks in answers.items():
        for t, mask in enumerate(masks):
            write_png(folder / video / expression / f"{t:05d}.png", 255 * mask)


@pytest.fixture
def answers() -> dict[str, list[np.ndarray]]:
    nothing = np.zeros(SIZE, bool)
    one = box(SIZE, 0, 0, 4, 4)
    return {
        "0": [one, box(SIZE, 0, 0, 4, 8), nothing],  # J 1, 1/2, 0
        "1": [box(SIZE, 6, 8, 10, 16), nothing, box(SIZE, 8, 8, 12, 12)],  # right
        "2": [one, one, one],  # J 16/48, 1, 16/32
        "3": [nothing, nothing, one],  # J 1, 1, 0
    }


def test_mevis_values_by_hand(
    tmp_path: Path, mevis: Path, answers: dict[str, list[np.ndarray]], score: Callable[..., dict]
) -> None:
    write_masks(tmp_path / "out/Annotations", answers)
    scores = score(tmp_path / "out", "mevis", mevis)
    assert list(scores)[:3] == ["J", "F", "J&F"] and scores["split"] == "valid_u"
    J = [0.5, 1, (1 / 3 + 1 + 1 / 2) / 3, 2 / 3]
    assert [s["J"] for s in scores["sequences"]] == pytest.approx(J)
    assert scores["J"] == pytest.approx(np.mean(J))
    # 1 px of tolerance on 12 × 16. F of a box at the corner against itself is 1; of nothing against it, 0.
    assert [scores["sequences"][i]["F"] for i in (1, 3)] == pytest.approx([1, 2 / 3])
    assert scores["J&F"] == pytest.approx((scores["J"] + scores["F"]) / 2)
    assert [s["J recall"] for s in scores["sequences"]] == pytest.approx([1 / 3, 1, 1 / 3, 2 / 3])  # above a half
    assert [s["sentence"] for s in scores["sequences"]] == ["the one", "the other one", "both", "none of them"]
    # The folder above the data set's will do, and so will a zip, and masks at the top of it.
    archive = zipped(tmp_path / "out/Annotations", tmp_path / "masks.zip")
    assert score(archive, "mevis", tmp_path, "--split", "valid_u") == scores


def test_mevis_equals_a_plain_reading_of_the_protocol(tmp_path: Path, score: Callable[..., dict]) -> None:
    rng = np.random.default_rng(4)
    annotations, expressions, answers, truths, number = {}, {}, {}, {}, 0
    for name in ("a", "b"):
        frames = rng.integers(2, 5)
        size = (20 + len(expressions), 26)
        of = {}
        for _ in range(3):
            masks = [
                box(size, *rng.integers(0, 9, 2), *rng.integers(9, 20, 2)) if rng.random() < 0.8 else None
                for _ in range(frames)
            ]
            of[number], number = masks, number + 1
            annotations[str(number - 1)] = [m if m is None else run_lengths(m) for m in masks]
        numbers = list(of)
        expressions[name] = ([f"{5 * t:05d}" for t in range(frames)], {})
        for i, named in enumerate((numbers[:1], numbers[1:], numbers)):
            expressions[name][1][str(i)] = {"exp": "x", "anno_id": named}
            truth = [
                np.any([np.zeros(size, bool), *(of[k][t] for k in named if of[k][t] is not None)], axis=0)
                for t in range(frames)
            ]
            answer = [np.roll(t, 1, 0) if rng.random() < 0.8 else ~t for t in truth]
            truths[name, str(i)], answers[name, str(i)] = truth, answer
            for t, mask in enumerate(answer):
                write_png(tmp_path / "out" / name / str(i) / f"{5 * t:05d}.png", 3 * mask)
    write_index(tmp_path / "data/train/meta_expressions.json", expressions)
    write_json(tmp_path / "data/train/mask_dict.json", annotations)
    J = [
        np.mean(
            [(p & g).sum() / (p | g).sum() if (p | g).any() else 1 for p, g in zip(answers[k], truths[k], strict=True)]
        )
        for k in truths
    ]
    F = [np.mean([slow_contour_accuracy(p, g) for p, g in zip(answers[k], truths[k], strict=True)]) for k in truths]
    scores = score(tmp_path / "out", "mevis", tmp_path / "data", "--split", "train")
    assert (scores["J"], scores["F"]) == pytest.approx((np.mean(J), np.mean(F)), abs=1e-12)
    assert [s["F"] for s in scores["sequences"]] == pytest.approx(F, abs=1e-12)


def edit(change: Callable[[dict], object]) -> Callable[[Path], None]:
    """Changes what a JSON file holds."""

    def harm(path: Path) -> None:
        content = json.loads(path.read_text(encoding="utf-8"))
        change(content)
        path.write_text(json.dumps(content), encoding="utf-8")

    return harm


def video(change: Callable[[dict], object]) -> Callable[[Path], None]:
    return edit(lambda content: change(content["videos"][VIDEO]))


def expression(change: Callable[[dict], object]) -> Callable[[Path], None]:
    return video(lambda entry: change(entry["expressions"]["1"]))


VIDEO = "v 1.5é"
EXPRESSION = f"expression “1” of the video “{VIDEO}”"
BROKEN = "“valid_u/mask_dict.json” is broken"


@pytest.mark.parametrize(
    ("path", "harm", "sentence"),
    [
        (f"out/{VIDEO}/1/00001.png", Path.unlink, f"A mask is missing in “out”: “{VIDEO}/1/00001.png”."),
        (f"out/{VIDEO}/2", shutil.rmtree, f"3 of 12 masks are missing in “out”: the first is “{VIDEO}/2/00000.png”."),
        (f"out/{VIDEO}", again("../Annotations", VIDEO), "holds a mask twice"),
        (f"out/{VIDEO}/3/00001.png", with_values(np.zeros((16, 12))), f"“out: {VIDEO}/3/00001.png” is 12 × 16"),
        (f"out/{VIDEO}/0/00002.png", lambda path: path.write_bytes(b""), f"“out: {VIDEO}/0/00002.png” is not a PNG"),
    ],
)
def test_masks_that_mevis_refuses(
    tmp_path: Path,
    mevis: Path,
    answers: dict[str, list[np.ndarray]],
    refusal: Callable[..., str],
    path: str,
    harm: Callable[[Path], object],
    sentence: str,
) -> None:
    write_masks(tmp_path / "out", answers)
    harm(tmp_path / path)
    assert sentence in refusal(tmp_path / "out", "mevis", mevis)


@pytest.mark.parametrize(
    ("harm", "sentence"),
    [
        (Path.unlink, "“valid_u/mask_dict.json” is missing"),
        (lambda path: path.write_bytes(b""), BROKEN),
        (lambda path: path.write_text("Not found"), BROKEN),
        (lambda path: path.write_text("[]"), BROKEN),
        (cut, BROKEN),
        (edit(lambda masks: masks.pop("12")), "“valid_u/mask_dict.json” lacks annotation 12"),
        (edit(lambda masks: masks["12"].pop()), "2 masks as annotation 12, and the video “v 1.5é” 3 frames"),
        (edit(lambda masks: masks["7"][1]["counts"].pop()), f"{BROKEN} at annotation 7"),
        (edit(lambda masks: masks["7"][1].update(counts=[200, -8])), f"{BROKEN} at annotation 7"),
        (edit(lambda masks: masks["7"][1].update(counts=["x"])), f"{BROKEN} at annotation 7"),
        (edit(lambda masks: masks["12"][0].update(counts="é")), f"{BROKEN} at annotation 12"),
        (edit(lambda masks: masks["12"][0].pop("counts")), f"{BROKEN} at annotation 12"),
        (edit(lambda masks: masks["12"][0].update(size=[12])), f"{BROKEN} at annotation 12"),
        (edit(lambda masks: masks["12"][0].update(size=[10**30, 16])), f"{BROKEN} at annotation 12"),
        (edit(lambda masks: masks["12"][0].update(size=[10**9, 10**9])), f"{BROKEN} at annotation 12"),
        (edit(lambda masks: masks["12"].__setitem__(0, 5)), f"{BROKEN} at annotation 12"),
        (edit(lambda masks: masks.update({"12": {"0": None}})), f"{BROKEN} at annotation 12"),
        (edit(lambda masks: masks["12"].__setitem__(2, run_lengths(np.ones((3, 4), bool)))), "masks of several sizes"),
    ],
)
def test_run_lengths_that_mevis_refuses(
    tmp_path: Path,
    mevis: Path,
    answers: dict[str, list[np.ndarray]],
    refusal: Callable[..., str],
    harm: Callable[[Path], object],
    sentence: str,
) -> None:
    write_masks(tmp_path / "out", answers)
    harm(mevis / "valid_u/mask_dict.json")
    assert sentence in refusal(tmp_path / "out", "mevis", mevis)


@pytest.mark.parametrize(
    ("harm", "sentence"),
    [
        (Path.unlink, "“valid_u/meta_expressions.json” is missing in “mevis-release”"),
        (lambda path: path.write_text("[]"), "“valid_u/meta_expressions.json” does not hold a JSON object"),
        (lambda path: path.write_text("{}"), "“valid_u/meta_expressions.json” has no list of “videos”"),
        (lambda path: path.write_bytes(b"\xff\xfe\xfd"), "“valid_u/meta_expressions.json” is not JSON"),
        (lambda path: path.write_text("[" * 100_000), "“valid_u/meta_expressions.json” is not JSON"),
        (expression(lambda entry: entry.pop("anno_id")), f"gives no “anno_id” to {EXPRESSION}"),
        (expression(lambda entry: entry.update(anno_id=["x"])), f"no numbers as “anno_id” of {EXPRESSION}"),
        (expression(lambda entry: entry.update(anno_id=float("inf"))), f"no numbers as “anno_id” of {EXPRESSION}"),
        (expression(lambda entry: entry.update(anno_id=[None])), f"no numbers as “anno_id” of {EXPRESSION}"),
        (expression(lambda entry: entry.pop("exp")), f"has no sentence as {EXPRESSION}"),
        (expression(lambda entry: entry.update(exp=7)), f"has no sentence as {EXPRESSION}"),
        (video(lambda entry: entry["expressions"].update({"../1": {"exp": "x"}})), "names a expression '../1'"),
        (video(lambda entry: entry["expressions"].update({"4": "x"})), "has no sentence as expression “4”"),
        (video(lambda entry: entry.update(frames=["0", "/etc/passwd"])), "names a frame '/etc/passwd'"),
        (video(lambda entry: entry.update(frames=["0", "..\\1"])), "names a frame"),
        (video(lambda entry: entry.update(frames=["0", 1])), "names a frame 1,"),
        (video(lambda entry: entry.update(frames=["0", "0"])), "names a frame of the video “v 1.5é” twice"),
        (
            video(lambda entry: entry.update(frames=[])),
            "does not tell the frames and expressions of the video “v 1.5é”",
        ),
        (video(lambda entry: entry.pop("expressions")), "does not tell the frames and expressions"),
        (
            edit(lambda index: index["videos"].update({"../../etc": {}})),
            "names a video '../../etc', which is not the name",
        ),
        (edit(lambda index: index["videos"].update({"v" * 300: {}})), "names a video 'vvvvv"),
        (edit(lambda index: index["videos"].update({"v\ud800": {}})), "names a video 'v\\ud800'"),
        (edit(lambda index: index["videos"].update({"..": {}})), "names a video '..'"),
        (edit(lambda index: index["videos"].update({"": {}})), "names a video ''"),
        (
            edit(lambda index: index["videos"].update({"v": 3})),
            "does not tell the frames and expressions of the video “v”",
        ),
        (edit(lambda index: index["videos"].clear()), "valid_u of mevis holds no sentence"),
    ],
)
def test_indices_that_are_refused(
    tmp_path: Path,
    mevis: Path,
    answers: dict[str, list[np.ndarray]],
    refusal: Callable[..., str],
    harm: Callable[[Path], object],
    sentence: str,
) -> None:
    write_masks(tmp_path / "out", answers)
    harm(mevis / "valid_u/meta_expressions.json")
    told = refusal(tmp_path / "out", "mevis", mevis)
    assert sentence in told and str(tmp_path) not in told


def test_what_is_scored_on_a_server_and_what_is_not_there(
    tmp_path: Path, mevis: Path, answers: dict[str, list[np.ndarray]], refusal: Callable[..., str]
) -> None:
    write_masks(tmp_path / "out", answers)
    shutil.copytree(mevis / "valid_u", mevis / "valid")
    assert "on its server only" in refusal(tmp_path / "out", "mevis", mevis, "--split", "valid")
    assert "no split 'test'" in refusal(tmp_path / "out", "mevis", mevis, "--split", "test")
    assert "“valid_u/meta_expressions.json” is missing" in refusal(tmp_path / "out", "mevis", tmp_path / "out")
    assert "cannot be written" in refusal(tmp_path / "out", "mevis", mevis, "--json", str(tmp_path / "no/scores.json"))


def test_a_zip_with_a_name_twice_or_a_password_or_damage(
    tmp_path: Path, mevis: Path, answers: dict[str, list[np.ndarray]], refusal: Callable[..., str]
) -> None:
    write_masks(tmp_path / "out", answers)
    archive = zipped(tmp_path / "out", tmp_path / "masks.zip")
    whole = archive.read_bytes()
    with pytest.warns(UserWarning, match="Duplicate name"), ZipFile(archive, "a") as more:
        more.writestr(f"{VIDEO}/1/00001.png", b"x")
    assert "“masks.zip” holds a mask twice" in refusal(archive, "mevis", mevis)
    at = whole.index(b"\x89PNG")
    archive.write_bytes(whole[:at] + b"\0" * 40 + whole[at + 40 :])
    assert f"“{VIDEO}/0/00000.png” in “masks.zip” cannot be read" in refusal(archive, "mevis", mevis)
    locked = bytearray(whole)
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = locked.index(mark)
        locked[at + flags] |= 1
    archive.write_bytes(locked)
    assert f"“{VIDEO}/0/00000.png” in “masks.zip” cannot be read" in refusal(archive, "mevis", mevis)


def test_as_a_program(tmp_path: Path, mevis: Path, answers: dict[str, list[np.ndarray]]) -> None:
    write_masks(tmp_path / "out", answers)
    command = [sys.executable, "-m", "mpgsam2", "score", "out", "--dataset", "mevis", "--data", "mevis-release"]
    place = {"cwd": tmp_path, "env": {"PYTHONPATH": str(Path(mpgsam2.__file__).parents[1])}}
    run = subprocess.run([*command, "--json", "s.json"], capture_output=True, text=True, check=False, **place)
    assert (run.returncode, run.stderr) == (0, "")
    assert json.loads((tmp_path / "s.json").read_text())["J"] > 0.6


def test_a_reader_that_has_enough_is_no_error(
    tmp_path: Path, mevis: Path, answers: dict[str, list[np.ndarray]]
) -> None:
    """As `head`, which goes after the first lines."""
    write_masks(tmp_path / "out", answers)
    command = [sys.executable, "-m", "mpgsam2", "score", tmp_path / "out", "--dataset", "mevis", "--data", mevis]
    place = Path(mpgsam2.__file__).parents[1]
    run = subprocess.Popen(command, cwd=place, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    run.stdout.close()
    assert run.stderr.read() == b""
    assert run.wait() == 0


def test_two_figures_do_not_share_a_file(tmp_path: Path, mevis: Path, refusal: Callable[..., str]) -> None:
    file = str(tmp_path / "scores")
    assert "is named for two files" in refusal(tmp_path, "mevis", mevis, "--json", file, "--csv", file)
    assert not Path(file).exists()
