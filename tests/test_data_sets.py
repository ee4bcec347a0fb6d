"""What the readers of data sets find on disk, your own data, and its converter."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco
from released import box, noise, run_lengths, write_index, write_jpg, write_json, write_png

from mpgsam2 import InputError
from mpgsam2.cli import main
from mpgsam2.datasets.mevis import MeViS
from mpgsam2.datasets.own import OwnData
from mpgsam2.datasets.polygons import polygons_mask
from mpgsam2.datasets.ref_davis17 import RefDavis17, objects, sentences_of
from mpgsam2.datasets.ref_youtube_vos import RefYouTubeVOS
from mpgsam2.datasets.refcoco import RefCOCO
from mpgsam2.export.rle import rle_decode
from mpgsam2.training.held_out import open_sources

SIZE = (12, 16)


@pytest.fixture
def youtube(tmp_path: Path) -> Path:
    """Ref-YouTube-VOS: one video to train on, three for validation, one of which is for the test."""
    root = tmp_path / "ref-youtube-vos"
    frames = ["00000", "00005", "00010"]
    asked = {"0": {"exp": "A   Red\n dog ", "obj_id": "1"}, "1": {"exp": "the cat", "obj_id": "2"}}
    unnamed = {key: {"exp": entry["exp"]} for key, entry in asked.items()}
    write_index(root / "meta_expressions/train/meta_expressions.json", {"t 1": (frames, asked)})
    write_index(
        root / "meta_expressions/valid/meta_expressions.json",
        {"v1": (frames, unnamed), "v2": (frames[:1], unnamed), "v3": (frames, unnamed)},
    )
    write_index(root / "meta_expressions/test/meta_expressions.json", {"v2": (frames[:1], unnamed)})
    for t, frame in enumerate(frames):
        write_jpg(root / f"train/JPEGImages/t 1/{frame}.jpg", noise(t))
        ids = np.zeros(SIZE, np.uint8)
        ids[1:4, 2 : 5 + t] = 1
        ids[8:, 8:] = 2 * (t != 1)  # the cat is away in the second frame
        write_png(root / f"train/Annotations/t 1/{frame}.png", ids, palette=True)
    return root


def test_youtube_vos(youtube: Path) -> None:
    train = RefYouTubeVOS.open(youtube, "train")
    (video,) = train.videos
    assert [(s.id, s.text, s.objects) for s in video.sentences] == [("0", "a red dog", (1,)), ("1", "the cat", (2,))]
    assert [int((train.id_map(video, frame) == 1).sum()) for frame in video.frames] == [9, 12, 15]
    assert [int((train.id_map(video, frame) == 2).sum()) for frame in video.frames] == [32, 0, 32]
    pictures = list(train.frames(video))
    assert len(train.frames(video)) == len(pictures) == 3 and pictures[0].shape == (*SIZE, 3)
    assert np.abs(pictures[1].astype(int) - noise(1)).max() < 5
    assert train.frame_size(video) == SIZE
    valid = RefYouTubeVOS.open(youtube.parent)  # the folder above
    assert [video.name for video in valid.videos] == ["v1", "v3"] and not valid.is_scored
    assert valid.videos[0].sentences[0].objects == ()


def test_davis(tmp_path: Path) -> None:
    numbers = [3, 10, 0, 1, 2, 11, 4, 5, 6, 7, 8, 9]
    expressions = {str(n): {"exp": f"object {n // 4} by {n % 4}", "obj_id": str(n // 4 + 1)} for n in numbers}
    write_index(tmp_path / "meta_expressions/valid/meta_expressions.json", {"dogs-jump": (["00000"], expressions)})
    ids = np.zeros(SIZE, np.uint8)
    ids[0], ids[1], ids[2] = 1, 3, 255
    write_png(tmp_path / "valid/Annotations/dogs-jump/00000.png", ids, palette=True)
    data_set = RefDavis17.open(tmp_path)
    (video,) = data_set.videos
    assert objects(video) == 3
    assert [s.text for s in sentences_of(video, 2)] == ["object 0 by 2", "object 1 by 2", "object 2 by 2"]
    assert np.unique(data_set.id_map(video, "00000")).tolist() == [0, 1, 3, 255]


def test_mevis(tmp_path: Path) -> None:
    boxes = box(SIZE, 0, 0, 3, 4), box(SIZE, 2, 2, 6, 6)
    compressed = {"size": list(SIZE), "counts": coco.encode(np.asfortranarray(boxes[1], np.uint8))["counts"].decode()}
    root = tmp_path / "mevis-release"
    asked = {
        "0": {"exp": "Both", "anno_id": [4, 11], "obj_id": [0, 1]},
        "1": {"exp": "one", "anno_id": [11]},
        "2": {"exp": "never", "anno_id": [5]},
    }
    write_index(root / "train/meta_expressions.json", {"v": (["00000", "00001", "00002"], asked)})
    tracks = {"4": [run_lengths(boxes[0]), None, None], "5": [None] * 3, "11": [compressed, compressed, None]}
    write_json(root / "train/mask_dict.json", tracks)
    train = MeViS.open(tmp_path, "train")
    (video,) = train.videos
    both, one, never = ([truth.mask for truth in train.truth(video, s, (5, 6))] for s in video.sentences)
    assert [int(mask.sum()) for mask in both] == [12 + 16 - 2, 16, 0]
    assert np.array_equal(both[0], boxes[0] | boxes[1]) and np.array_equal(one[1], boxes[1])
    assert [mask.shape for mask in never] == [(5, 6)] * 3 and not np.any(never)  # no annotation tells a size
    assert train.window(video) == 24


def test_masks_that_were_not_released_are_refused(tmp_path: Path) -> None:
    write_index(tmp_path / "valid/meta_expressions.json", {"v": (["00000"], {"0": {"exp": "it"}})})
    valid = MeViS.open(tmp_path, "valid")
    with pytest.raises(InputError, match="not released"):
        next(valid.truth(valid.videos[0], valid.videos[0].sentences[0], (5, 6)))


def test_an_index_of_run_lengths_finds_each_list_whatever_its_text_holds(tmp_path: Path) -> None:
    # Characters of compressed runs that mean something to JSON: ] [ \ and, in a key, an escaped quote.
    tracks = {'a"]': [{"size": [1, 1], "counts": "[]\\"}], "3": [{"size": [1, 1], "counts": "0]\\\\"}, None], "30": []}
    write_json(tmp_path / "train/mask_dict.json", tracks)
    write_index(tmp_path / "train/meta_expressions.json", {})
    annotations = MeViS.open(tmp_path, "train").annotations
    assert annotations.read(3) == tracks["3"] and annotations.read(30) == []
    with pytest.raises(InputError, match="lacks annotation 4"):
        annotations.read(4)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize("seed", range(3))
def test_run_lengths_of_both_kinds_are_those_of_pycocotools(seed: int) -> None:
    mask = np.random.default_rng(seed).random((7, 9)) < (0.5, 0.02, 0.98)[seed]
    plain = run_lengths(mask)
    assert np.array_equal(rle_decode(plain), mask)
    assert np.array_equal(coco.decode(coco.frPyObjects(plain, 7, 9)), mask)


# ----------------------------------------------------------------------------------------------------------- RefCOCO


def coco_record(path: Path, split: str = "train", **changes: object) -> None:
    name = "COCO_train2014_000000000009.jpg"
    images = [
        {"id": 5, "file_name": name, "height": 12, "width": 16, "caption": "Left  Bowl"},
        {"id": 6, "file_name": name, "height": 12, "width": 16, "caption": "the other", "original_id": 9},
    ]
    annotations = [
        {"id": 1, "image_id": 6, "segmentation": run_lengths(box(SIZE, 0, 0, 2, 5)), "iscrowd": 1},
        {"id": 2, "image_id": 5, "segmentation": [[1, 1, 5, 1, 5, 4, 1, 4], [8, 8, 10, 8, 10, 10, 8, 10]]},
    ]
    content = {"images": images, "annotations": annotations, "categories": []} | changes
    write_json(path / f"instances_{path.name}_{split}.json", content)


def test_refcoco(tmp_path: Path) -> None:
    root = tmp_path / "coco"
    for part in ("refcoco", "refcoco+", "refcocog"):
        coco_record(root / part)
    coco_record(root / "refcoco", "val", images=[])
    write_jpg(root / "train2014/COCO_train2014_000000000009.jpg", noise(1))
    data_set = RefCOCO.open(tmp_path)
    assert [referral.text for referral in data_set.referrals] == ["left bowl", "the other"] * 3
    first, second = data_set.referrals[:2]
    assert data_set.frame(first).shape == (*SIZE, 3)
    assert np.array_equal(data_set.mask(first), box(SIZE, 1, 1, 4, 5) | box(SIZE, 8, 8, 10, 10))
    assert np.array_equal(data_set.mask(second), box(SIZE, 0, 0, 2, 5))
    assert len(RefCOCO.open(root, "val", ["refcoco"]).referrals) == 0
    with pytest.raises(InputError, match=r"“refcocog/instances_refcocog_val\.json” is missing"):
        RefCOCO.open(root, "val", ["refcocog"])


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"images": [{"id": 5, "file_name": "../x.jpg", "height": 1, "width": 1, "caption": "x"}]},
            "names a image '../x",
        ),
        (
            {"images": [{"id": 7, "file_name": "x.jpg", "height": 1, "width": 1, "caption": "x"}]},
            "lacks what COCO's form",
        ),
        ({"images": [{"id": 5, "file_name": "x.jpg", "height": 1, "width": 1}]}, "lacks what COCO's form"),
        ({"images": [{"id": 5, "file_name": "x.jpg", "height": "x", "width": 1, "caption": "x"}]}, "lacks what COCO's"),
        ({"annotations": 3}, "lacks what COCO's form"),
    ],
)
def test_indices_of_refcoco_that_are_refused(tmp_path: Path, changes: dict, sentence: str) -> None:
    (tmp_path / "train2014").mkdir()
    coco_record(tmp_path / "refcoco", **changes)
    with pytest.raises(InputError, match="“refcoco/instances_refcoco_train") as caught:
        RefCOCO.open(tmp_path, parts=["refcoco"])
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    "outline", [[[1, 1, 2, 2]], [[1, 1, 2, 2, "x", 3]], {"size": [3, 3], "counts": [9]}, {}, 5, None]
)
def test_outlines_and_images_of_refcoco_that_are_refused(tmp_path: Path, outline: object) -> None:
    coco_record(tmp_path / "refcoco", annotations=[{"image_id": i, "segmentation": outline} for i in (5, 6)])
    write_jpg(tmp_path / "train2014/COCO_train2014_000000000009.jpg", noise(1, (3, 4)))
    data_set = RefCOCO.open(tmp_path, parts=["refcoco"])
    with pytest.raises(InputError, match="has a broken outline in “COCO_train2014_000000000009"):
        data_set.mask(data_set.referrals[0])
    with pytest.raises(InputError, match=r"“train2014/COCO_train2014_000000000009\.jpg” is 4 × 3, and"):
        data_set.frame(data_set.referrals[0])


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # pycocotools' own
def test_polygons_are_drawn_as_pycocotools_draws_them() -> None:
    rng = np.random.default_rng(0)
    for _ in range(150):
        height, width = rng.integers(5, 40, 2).tolist()
        corners = rng.uniform(-3, 43, (rng.integers(3, 12), 2))
        if rng.random() < 0.3:
            corners = corners.round()
        if rng.random() < 0.3:
            corners = np.repeat(corners, 2, axis=0)  # a corner twice
        polygons = [corners.ravel().tolist(), rng.uniform(0, 30, 8).round(2).tolist()]
        expected = coco.decode(coco.merge(coco.frPyObjects(polygons, height, width)))
        assert np.array_equal(polygons_mask(polygons, (height, width)), expected)


# ---------------------------------------------------------------------------------------------------------- own data


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A clip of three frames, two of them with masks, and a void column."""
    root = tmp_path / "mine"
    asked = [{"sentence": "The  Dog", "objects": [1]}, {"sentence": "both", "objects": [1, 200]}]
    write_json(root / "sentences.json", {"in the park": asked})
    for name in ("1", "2", "10"):
        write_jpg(root / f"in the park/frames/{name}.jpg", noise(3))
    ids = np.zeros(SIZE, np.uint8)
    ids[2:6, 0:8], ids[2:6, 8:12], ids[:, 3] = 1, 200, 255
    for name in ("1", "10"):
        write_png(root / f"in the park/masks/{name}.png", ids)
    return root


def test_own_data_is_scored_where_it_has_masks(own: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data_set = OwnData.open(own)
    (video,) = data_set.videos
    assert video.frames == ("1", "2", "10")
    assert [(s.id, s.text, s.objects) for s in video.sentences] == [("0", "the dog", (1,)), ("1", "both", (1, 200))]
    for name in video.frames:
        write_png(tmp_path / f"out/in the park/0/{name}.png", 255 * box(SIZE, 2, 0, 6, 8))
        write_png(tmp_path / f"out/in the park/1/{name}.png", 255 * box(SIZE, 2, 0, 6, 8 if name == "1" else 12))
    arguments = ["score", str(tmp_path / "out"), "--dataset", "own", "--data", str(own)]
    assert main([*arguments, "--json", str(tmp_path / "s.json")]) == 0
    scores = json.loads((tmp_path / "s.json").read_text(encoding="utf-8"))
    # 7 columns of the 11 that count, in the first of the two frames with a mask; all else is right.
    assert [s["J"] for s in scores["sequences"]] == pytest.approx([1, (7 / 11 + 1) / 2])
    (tmp_path / "out/in the park/1/2.png").unlink()
    assert main(arguments) == 2
    assert "“in the park/1/2.png”" in capsys.readouterr().err


def rename(folder: str, old: str, new: str) -> Callable[[Path], object]:
    return lambda root: (root / folder / old).rename(root / folder / new)


def text(content: str) -> Callable[[Path], object]:
    return lambda root: (root / "sentences.json").write_text(content, encoding="utf-8", errors="surrogateescape")


def sentences(content: object) -> Callable[[Path], object]:
    return lambda root: write_json(root / "sentences.json", content)


@pytest.mark.parametrize(
    ("harm", "sentence"),
    [
        (lambda root: (root / "sentences.json").unlink(), "“sentences.json” is missing in “mine”"),
        (sentences({"in the park": {}}), "“sentences.json” has no list of sentences for the clip “in the park”"),
        (sentences({"in the park": ["x"]}), "has no “sentence” as entry 0 of the clip “in the park”"),
        (
            sentences({"in the park": [{"sentence": "x"}]}),
            "has no list of “objects”, numbers from 1 to 254, as entry 0",
        ),
        (sentences({"in the park": [{"sentence": "x", "objects": [255]}]}), "has no list of “objects”"),
        (sentences({"elsewhere": [{"sentence": "x", "objects": [1]}]}), "There is no frame in “elsewhere/frames”"),
        (sentences({"..": [{"sentence": "x", "objects": [1]}]}), "names a clip '..'"),
        (sentences({}), "holds no sentence"),
        (
            lambda root: write_png(root / "in the park/frames/2.png", noise(0)),
            "“in the park/frames” holds a frame twice",
        ),
        (rename("in the park", "masks", "maps"), "There is no mask in “in the park/masks”"),
        (rename("in the park/masks", "1.png", "00001.png"), "“in the park/masks/00001.png” has the name of no frame"),
        (rename("in the park/masks", "1.png", "1.jpg"), "“in the park/masks/1.jpg” is not a PNG"),
        (rename("in the park/frames", "2.jpg", "2.tif"), "“in the park/frames/2.tif” is neither JPEG"),
        (sentences({"in the park": [{"sentence": "x", "objects": [True]}]}), "has no list of “objects”"),
        (text('{"a": [{"sentence": "x", "objects": [1]},]}'), "“sentences.json” is not JSON (line 1, column "),
        (text('{"a": [], "b": [], "a": []}'), "“sentences.json” holds “a” twice"),
        (text('{"caf\udce9": []}'), "“sentences.json” is not in UTF-8"),
    ],
)
def test_own_data_that_is_refused(
    own: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], harm: Callable[[Path], object], sentence: str
) -> None:
    for expression in "01":
        for name in ("1", "2", "10"):
            write_png(tmp_path / f"out/in the park/{expression}/{name}.png", np.zeros(SIZE))
    harm(own)
    assert main(["score", str(tmp_path / "out"), "--dataset", "own", "--data", str(own)]) == 2
    output = capsys.readouterr()
    assert sentence in output.err and output.err.count("\n") == 1


def test_frames_and_masks_have_the_suffixes_that_cameras_and_tools_write(own: Path) -> None:
    clip = own / "in the park"
    (clip / "frames/1.jpg").rename(clip / "frames/1.JPG")
    (clip / "frames/2.jpg").rename(clip / "frames/2.jpeg")
    (clip / "masks/10.png").rename(clip / "masks/10.PNG")
    (clip / "frames/Thumbs.db").touch()
    (clip / "masks/._1.png").touch()
    data_set = OwnData.open(own)
    data_set.check()
    (video,) = data_set.videos
    assert video.frames == ("1", "2", "10") and data_set.labelled(video) == [0, 2]
    assert [frame.shape for frame in data_set.frames(video)] == [(*SIZE, 3)] * 3
    masks = [truth and int(truth.mask.sum()) for truth in data_set.truth(video, video.sentences[0], SIZE)]
    assert masks == [28, None, 28]  # 4 × 8 pixels without a column that is undecided


def change(file: str, picture: Image.Image | None = None, **how: object) -> Callable[[Path], object]:
    """Writes a picture of the clip again, otherwise."""

    def write(root: Path) -> None:
        path = root / "in the park" / file
        (picture or Image.open(path)).save(path, **how)

    return write


TURNED = Image.Exif()
TURNED[0x0112] = 3  # upside down


@pytest.mark.parametrize(
    ("harm", "sentence"),
    [
        (
            change("frames/2.jpg", picture=Image.new("RGB", (5, 4))),
            "“in the park/frames/2.jpg” is 5 × 4, and the",
        ),
        (change("masks/10.png", picture=Image.new("L", (5, 4))), "“in the park/masks/10.png” is 5 × 4, and the frame"),
        (change("frames/10.jpg", exif=TURNED), "“in the park/frames/10.jpg” is stored otherwise than it is shown"),
        (
            change("frames/1.jpg", picture=Image.new("I;16", SIZE[::-1]), format="PNG"),
            "“in the park/frames/1.jpg” has more than 8 bits",
        ),
        (
            sentences({"in the park": [{"sentence": "The dog", "objects": [1, 7]}]}),
            "calls “the dog” object 7, as entry 0 of the clip “in the park”, and no mask of the clip shows it; they "
            "show 1, 200, 255 (undecided)",
        ),
        (rename("in the park", "masks", "maps"), "There is no mask in “in the park/masks”"),
        (
            lambda root: (root / "in the park/masks/1.png").write_bytes(b"x"),
            "“in the park/masks/1.png” is not a picture",
        ),
    ],
)
def test_own_pictures_that_do_not_fit_are_told_before_anything_is_computed(
    own: Path, harm: Callable[[Path], object], sentence: str
) -> None:
    OwnData.open(own).check()
    harm(own)
    with pytest.raises(InputError, match=re.escape(sentence)):
        OwnData.open(own).check()
    with pytest.raises(InputError, match=re.escape(sentence)):
        open_sources("own", own, 5, 0)


def test_a_sentence_that_names_nothing_is_scored_and_trained_on(own: Path) -> None:
    write_json(own / "sentences.json", {"in the park": [{"sentence": "the cat", "objects": []}]})
    source, _ = open_sources("own", own, 5, 0)
    assert source.texts == ["the cat"]
    assert not any(truth.mask.any() for truth in source.draw(0, random.Random(0)).truths)


def test_youtube_vos_becomes_own_data(youtube: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["convert", str(youtube), str(tmp_path / "mine")]) == 0
    data_set = OwnData.open(tmp_path / "mine")
    (video,) = data_set.videos
    assert (video.name, video.frames) == ("t 1", ("00000", "00005", "00010"))
    assert [(s.text, s.objects) for s in video.sentences] == [("a red dog", (1,)), ("the cat", (2,))]
    assert [int(t.mask.sum()) for t in data_set.truth(video, video.sentences[1], SIZE)] == [32, 0, 32]
    assert np.array_equal(
        *(next(iter(d.frames(d.videos[0]))) for d in (data_set, RefYouTubeVOS.open(youtube, "train")))
    )

    for arguments, sentence in (
        ([str(youtube), str(tmp_path / "mine")], "“mine” holds other files"),
        (
            [str(youtube), str(tmp_path / "more"), "--split", "valid"],
            "gives no “obj_id” to expression “0” of the video “v1”",
        ),
        ([str(tmp_path), str(tmp_path / "more"), "--split", "all"], "is missing in"),
        ([str(youtube), str(tmp_path / "mine/sentences.json")], "“sentences.json” cannot be written to"),
    ):
        assert main(["convert", *arguments]) == 2
        assert sentence in capsys.readouterr().err
    (youtube / "train/JPEGImages/t 1/00005.jpg").unlink()
    assert main(["convert", str(youtube), str(tmp_path / "last")]) == 2
    assert "“train/JPEGImages/t 1/00005.jpg” is missing" in capsys.readouterr().err
