"""True masks out of a zip, what their pixels mean, and the zips that are refused."""

from __future__ import annotations

import io
import re
import struct
import zlib
from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path
from threading import Event
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZipFile, ZipInfo

import numpy as np
import pytest
from PIL import Image

from mpgsam2.errors import InputError
from mpgsam2.video import Clip, Limits, Selection, open_clip, select
from mpgsam2.video.ground_truth import GroundTruth
from mpgsam2.video.ground_truth import truth as module

WIDTH, HEIGHT, FRAMES = 40, 30, 12
CLIP = Clip(Path("clip.mp4"), WIDTH, HEIGHT, Fraction(12), FRAMES)


def box(index: int) -> np.ndarray:
    """The true mask of a frame: a box that moves, (HEIGHT, WIDTH) bool."""
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[5:15, 2 * index : 2 * index + 8] = True
    return mask


def png(picture: np.ndarray | Image.Image) -> bytes:
    content = io.BytesIO()
    (picture if isinstance(picture, Image.Image) else Image.fromarray(picture)).save(content, "PNG")
    return content.getvalue()


def grey(index: int) -> bytes:
    return png(box(index).astype(np.uint8) * 255)


def pack(path: Path, files: Mapping[str, bytes], compression: int = ZIP_DEFLATED) -> Path:
    with ZipFile(path, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(ZipInfo(name), content, compression)
    return path


def whole(name: str = "{:05d}.png") -> dict[str, bytes]:
    """A mask for every frame of the clip."""
    return {name.format(index): grey(index) for index in range(FRAMES)}


@pytest.fixture
def zipped(tmp_path: Path) -> Callable[..., Path]:
    return lambda files, compression=ZIP_DEFLATED: pack(tmp_path / "masks.zip", files, compression)


def refusal(path: object, clip: Clip = CLIP, limits: Limits | None = None) -> str:
    """The sentence with which a ground truth is refused; checks that it gives nothing of the machine away."""
    with pytest.raises(InputError) as caught:
        GroundTruth.open(path, clip, limits)
    sentence = str(caught.value)
    assert "/" not in sentence
    assert "\n" not in sentence
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return sentence


# ----------------------------------------------------------------------------------------------------------- reading


def test_masks_are_read_frame_by_frame(zipped: Callable[..., Path]) -> None:
    with GroundTruth.open(zipped(whole()), CLIP) as truth:
        assert truth.frame_count == FRAMES
        for index in (0, 11, 3):
            mask = truth.mask(index)
            assert mask.dtype == bool
            np.testing.assert_array_equal(mask, box(index))


def palette(mask: np.ndarray) -> Image.Image:
    """Object 1 in black and the background in white: the index counts, not the colour."""
    picture = Image.fromarray(mask.astype(np.uint8), "P")
    picture.putpalette([255, 255, 255, 0, 0, 0])
    return picture


@pytest.mark.parametrize(
    "stored",
    [
        palette,
        lambda mask: Image.fromarray(mask),  # one bit a pixel
        lambda mask: Image.fromarray(mask.astype(np.uint8)),  # 0 and 1
        lambda mask: Image.fromarray(mask.astype(np.uint16) * 40_000),
        lambda mask: Image.fromarray(mask[..., None] * np.uint8([0, 0, 200])),
        lambda mask: Image.fromarray(
            np.dstack([mask[..., None] * np.uint8([128, 0, 0]), np.full_like(mask, 255, "u1")])
        ),
    ],
    ids=["palette", "bits", "indices", "16 bits", "colours", "colours and alpha"],
)
def test_every_way_to_store_a_mask(zipped: Callable[..., Path], stored: Callable[[np.ndarray], Image.Image]) -> None:
    path = zipped({f"{index}.png": png(stored(box(index))) for index in range(FRAMES)})
    with GroundTruth.open(path, CLIP) as truth:
        for index in range(FRAMES):
            np.testing.assert_array_equal(truth.mask(index), box(index))


def test_names_count_as_people_do_and_other_files_are_passed_over(zipped: Callable[..., Path]) -> None:
    others = {"masks/": b"", "masks/.DS_Store": b"x", "__MACOSX/masks/._frame 3.png": b"x", "read me.txt": b"x"}
    with GroundTruth.open(zipped({**others, **whole("masks/frame {}.PNG")}), CLIP) as truth:
        for index in range(FRAMES):  # frame 2 before frame 10
            np.testing.assert_array_equal(truth.mask(index), box(index))


def test_a_name_of_thousands_of_digits_is_no_trouble(zipped: Callable[..., Path]) -> None:
    with GroundTruth.open(zipped(whole("9" * 6000 + "{:02d}.png")), CLIP) as truth:
        np.testing.assert_array_equal(truth.mask(11), box(11))


def test_a_selection_has_its_source_s_masks_at_its_own_size(zipped: Callable[..., Path]) -> None:
    part = select(CLIP, Selection(first=2, last=9, every=3, longest_side=20))
    with GroundTruth.open(zipped(whole()), part) as truth:
        assert truth.frame_count == FRAMES
        for number in part.numbers:
            mask = truth.mask(number)
            assert mask.shape == (part.height, part.width) == (15, 20)
            assert mask.dtype == bool
            np.testing.assert_array_equal(mask, box(number)[1::2, 1::2])
    assert "no mask of any chosen frame" in refusal(zipped({"1.png": grey(1), "3.png": grey(3)}), part)


def test_a_closed_ground_truth_gives_no_mask(zipped: Callable[..., Path]) -> None:
    with GroundTruth.open(zipped(whole()), CLIP) as truth:
        pass
    with pytest.raises(InputError, match="Mask 1 of 12"):
        truth.mask(0)


# ------------------------------------------------------------------------------------------- which frames, which files


@pytest.mark.parametrize(
    ("names", "frames"),
    [
        (["00000.png", "00005.png", "00010.png"], [0, 5, 10]),
        (["a/b 2/7.png", "a/b 2/3.png"], [3, 7]),  # the folder's number is none of a frame
        (["00001.png", "00012.png"], [0, 11]),  # counted from 1, or there would be no frame 12
        (["video 3 frame 4_mask 1.png", "video 3 frame 9_mask 1.png"], [4, 9]),
        (["6.png", "__MACOSX/._6.png", "._7.png", "8.txt", "9.jpg"], [6]),
        (["4.JPG", "5.jpeg"], [4, 5]),
    ],
)
def test_masks_of_some_frames_are_known_by_their_numbers(
    zipped: Callable[..., Path], names: list[str], frames: list[int]
) -> None:
    def content(name: str, frame: int) -> bytes:
        file = io.BytesIO()
        Image.fromarray(box(frame).astype(np.uint8) * 255).save(file, "PNG" if name.endswith("png") else "JPEG")
        return file.getvalue()

    order = sorted(range(len(frames)), key=lambda place: names[place])
    files = {names[place]: content(names[place], frame) for place, frame in zip(order, frames, strict=True)}
    with GroundTruth.open(zipped({**dict.fromkeys(names, b"x"), **files}), CLIP) as truth:
        assert truth.frames == frames
        for index in range(FRAMES):
            if index in frames:
                np.testing.assert_array_equal(truth.mask(index), box(index))
            else:
                assert truth.mask(index) is None and truth.void(index) is None


def test_masks_may_be_called_like_the_images_of_a_folder(zipped: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "video").mkdir()
    for index in range(FRAMES):
        Image.new("RGB", (WIDTH, HEIGHT)).save(tmp_path / "video" / f"{5 * index:05d}.jpg")
    clip = open_clip(tmp_path / "video")
    with GroundTruth.open(zipped({"00010.png": grey(2), "00055.png": grey(11)}), clip) as truth:
        assert truth.frames == [2, 11]
        np.testing.assert_array_equal(truth.mask(11), box(11))
    with GroundTruth.open(zipped({"00002.png": grey(2)}), clip) as truth:  # the name of no image: a number
        assert truth.frames == [2]


def test_only_the_masks_of_chosen_frames_are_read(zipped: Callable[..., Path]) -> None:
    path = zipped(whole() | {"00003.png": b"broken", "00007.png": bytes(50_000_000)})
    with GroundTruth.open(path, select(CLIP, Selection(first=4, last=6))) as truth:
        assert truth.frames == [4, 5, 6]
    assert "Mask 4 of 12" in refusal(path, select(CLIP, Selection(first=3, last=6)))


def test_what_is_too_much_is_refused_before_any_is_decoded(
    zipped: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = png(Image.fromarray(np.zeros((HEIGHT, WIDTH, 3), np.uint8)))
    header = deep.replace(struct.pack(">BB", 8, 2), struct.pack(">BB", 16, 2), 1)  # says 16 bits; else it is broken
    files = whole() | {f"{index:05d}.png": header for index in range(6, 12)}
    monkeypatch.setattr(module, "_MAX_DECODED_BYTES", 6 * WIDTH * HEIGHT * 5)
    assert "decode to 0.0 GB, which is too much" in refusal(zipped(files))
    monkeypatch.setattr(module, "_MAX_DECODED_BYTES", 0)
    GroundTruth.open(zipped(whole()), CLIP).close()  # a byte for each pixel is always taken


def test_no_mask_is_looked_over_after_a_stop(zipped: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    stop, read = Event(), []

    def decode(picture: Image.Image) -> module.Picture:
        read.append(picture)
        if len(read) == 3:
            stop.set()
        return module.Picture("grey", np.asarray(picture))

    monkeypatch.setattr(module, "decode", decode)
    GroundTruth.open(zipped(whole()), CLIP, stop=stop).close()
    assert len(read) == 3


# --------------------------------------------------------------------------------------------- what the pixels mean


VOC = ((0, 0, 0), (128, 0, 0), (0, 128, 0))
DIM, SECOND, SEAM = 5, 2, 255


def numbers(index: int, *others: int) -> np.ndarray:
    """The frame's box as object 1, and if so wished object 2, a seam of void and a dim patch elsewhere."""
    values = box(index).astype(np.uint8)
    for row, other in enumerate(others):
        values[18 + 4 * row : 18 + 4 * row + (1 if other == SEAM else 3), 10:20] = other
    return values


def drawn(values: np.ndarray, colours: tuple = VOC) -> Image.Image:
    picture = Image.fromarray(values, "P")
    picture.putpalette([level for colour in colours for level in colour] + [224, 224, 192] * (256 - len(colours)))
    return picture


def clear(index: int, colours: np.ndarray, alpha: int = 255) -> Image.Image:
    """A picture that is transparent around the box."""
    return Image.fromarray(
        np.dstack([np.broadcast_to(colours, (HEIGHT, WIDTH, 3)), box(index).astype(np.uint8) * alpha])
    )


PHOTO = np.random.default_rng(1).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
KINDS: dict[str, Callable[[int], Image.Image]] = {
    "palette with void": lambda i: drawn(numbers(i, SEAM)),
    "dark greys with void": lambda i: Image.fromarray(numbers(i, SEAM)),
    "colours with void": lambda i: drawn(numbers(i, SEAM)).convert("RGB"),
    "half bright": lambda i: Image.fromarray(np.where(box(i), 128, 127).astype(np.uint8)),
    "noise": lambda i: Image.fromarray(np.where(box(i), 255 - PHOTO[..., 0] // 18, PHOTO[..., 1] // 18)),
    "smooth palette": lambda i: Image.fromarray(np.where(box(i), 255 - PHOTO[..., 0] // 4, PHOTO[..., 1] // 4)).convert(
        "P"
    ),
    "16 bits, half bright": lambda i: Image.fromarray(np.where(box(i), 32768, 32767).astype(np.uint16)),
    "16 bits, numbers": lambda i: Image.fromarray(numbers(i).astype(np.uint16) * 1001),
    "grey and alpha": lambda i: clear(i, np.uint8([255] * 3)).convert("LA"),
    "black and alpha": lambda i: clear(i, np.uint8([0] * 3)),
    "cut-out": lambda i: clear(i, PHOTO, 200),
    "grey as colours": lambda i: Image.fromarray(np.dstack([box(i).astype(np.uint8) * 200] * 3)),
    "some of one bit": lambda i: drawn(numbers(i)) if i % 2 else Image.fromarray(box(i)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_mask_is_the_box(zipped: Callable[..., Path], kind: str) -> None:
    path = zipped({f"{index}.png": png(KINDS[kind](index)) for index in range(FRAMES)})
    with GroundTruth.open(path, CLIP) as truth:
        for index in range(FRAMES):
            np.testing.assert_array_equal(truth.mask(index), box(index))
            np.testing.assert_array_equal(truth.void(index), numbers(index, SEAM) == SEAM if "void" in kind else False)


SEVERAL: dict[str, tuple[Callable[[int], Image.Image], str, int]] = {
    "palette": (lambda i: drawn(numbers(i, SECOND, SEAM)), "1 and 2", 2),
    "dark greys": (lambda i: Image.fromarray(numbers(i, SECOND)), "1 and 2", 2),
    "three": (lambda i: Image.fromarray(numbers(i, SECOND, DIM)), "1, 2 and 5", 2),
    "16 bits": (lambda i: Image.fromarray(numbers(i, SECOND).astype(np.uint16) * 1000), "1000 and 2000", 2000),
    "colours": (lambda i: drawn(numbers(i, SECOND)).convert("RGB"), "1 (#800000) and 2 (#008000)", 2),
    "other colours": (
        lambda i: drawn(numbers(i, SECOND), ((0, 0, 0), (236, 95, 103), (249, 145, 87))).convert("RGB"),
        "1 (#ec5f67) and 2 (#f99157)",
        2,
    ),
    "colours on nothing": (
        lambda i: Image.fromarray(
            np.dstack([drawn(numbers(i, SECOND)).convert("RGB"), (numbers(i, SECOND) > 0).astype(np.uint8) * 255])
        ),
        "1 (#800000) and 2 (#008000)",
        2,
    ),
}


@pytest.mark.parametrize("kind", SEVERAL)
def test_one_of_several_objects_must_be_chosen(zipped: Callable[..., Path], kind: str) -> None:
    make, told, second = SEVERAL[kind]
    path = zipped({f"{index}.png": png(make(index)) for index in range(FRAMES)})
    assert f"“masks.zip” holds the objects {told}: choose" in refusal(path)
    with pytest.raises(InputError, match=f"no object 77 in the chosen frames of “masks.zip”, only {re.escape(told)}"):
        GroundTruth.open(path, CLIP, object=77)
    for number, values in ((second // 2, 1), (second, 2)):
        with GroundTruth.open(path, CLIP, object=number) as truth:
            for index in (0, 7):
                np.testing.assert_array_equal(truth.mask(index), numbers(index, SECOND) == values)


def test_flat_greys_are_objects_only_if_one_is_chosen(zipped: Callable[..., Path]) -> None:
    path = zipped({f"{i}.png": png(numbers(i, SECOND) * np.uint8(100)) for i in range(FRAMES)})
    with GroundTruth.open(path, CLIP) as truth:
        np.testing.assert_array_equal(truth.mask(4), numbers(4, SECOND) == 2)  # which alone is half bright
    with GroundTruth.open(path, CLIP, object=100) as truth:
        np.testing.assert_array_equal(truth.mask(4), box(4))
    smooth = zipped({f"{i}.png": png(KINDS["noise"](i)) for i in range(FRAMES)})
    with pytest.raises(InputError, match="not numbered: choose none"):
        GroundTruth.open(smooth, CLIP, object=1)


def test_where_nothing_is_to_be_seen_no_object_is_missing(zipped: Callable[..., Path]) -> None:
    path = zipped({f"{index}.png": png(np.zeros((HEIGHT, WIDTH), np.uint8)) for index in range(FRAMES)})
    for number in (None, 3):
        with GroundTruth.open(path, CLIP, object=number) as truth:
            assert not truth.mask(5).any() and not truth.void(5).any()


@pytest.mark.parametrize("colour", [(255, 255, 255), (128, 0, 0)])
def test_jpeg_masks_count_from_half_brightness(zipped: Callable[..., Path], colour: tuple[int, int, int]) -> None:
    def jpeg(index: int) -> bytes:
        content = io.BytesIO()
        Image.fromarray(box(index)[..., None] * np.uint8(colour)).save(content, "JPEG", quality=95, subsampling=0)
        return content.getvalue()

    with GroundTruth.open(zipped({f"{index}.jpg": jpeg(index) for index in range(FRAMES)}), CLIP) as truth:
        for index in range(FRAMES):
            np.testing.assert_array_equal(truth.mask(index), box(index))


def test_a_link_that_leads_nowhere_is_told(tmp_path: Path) -> None:
    (tmp_path / "masks.zip").symlink_to(tmp_path / "gone.zip")
    assert "“masks.zip” is a link that leads nowhere" in refusal(tmp_path / "masks.zip")


# ----------------------------------------------------------------------------------------------------------- refusals


def test_nothing_given() -> None:
    assert "No ground truth was given" in refusal(None)
    assert "There is no ground truth “gone.zip”" in refusal("somewhere/gone.zip")


@pytest.mark.parametrize("content", [b"", b"just text", b"PK\x03\x04", b"\x89PNG\r\n\x1a\n", b"PK\x05\x06" + bytes(17)])
def test_not_a_zip(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "masks.zip").write_bytes(content)
    assert "“masks.zip” is not a zip file" in refusal(tmp_path / "masks.zip")


def test_a_zip_cut_off(zipped: Callable[..., Path]) -> None:
    path = zipped(whole())
    path.write_bytes(path.read_bytes()[:-30])
    assert "is not a zip file" in refusal(path)


def test_no_mask_at_all(zipped: Callable[..., Path]) -> None:
    assert "There is no PNG mask in “masks.zip”" in refusal(zipped({"a.txt": b"text", "__MACOSX/._0.png": b"x"}))


@pytest.mark.parametrize(
    "names",
    [
        [f"{'abcdefghijk'[index]}.png" for index in range(11)],  # no numbers
        [f"frame 1 {'abc'[index]}.png" for index in range(3)],  # the same in all
        ["0.png", "13.png"],  # no frame of the clip
        ["9" * 6000 + ".png", "2.png"],
        [f"{index}.png" for index in range(13)],  # too many
    ],
)
def test_one_mask_for_each_frame_or_numbers_in_the_names(zipped: Callable[..., Path], names: list[str]) -> None:
    told = refusal(zipped(dict.fromkeys(names, grey(0))))
    assert f"holds {len(names)} PNG masks and the clip has 12 frames: give one mask for each frame" in told


def test_masks_of_the_same_name_are_not_guessed_at(zipped: Callable[..., Path]) -> None:
    assert "several folders" in refusal(
        zipped({f"{letter}/{index}.png": grey(0) for letter in "AB" for index in (1, 2)})
    )


def test_masks_of_another_size(zipped: Callable[..., Path]) -> None:
    files = whole() | {"00007.png": png(np.zeros((HEIGHT, WIDTH + 1), np.uint8))}
    assert "Mask 8 of 12 in “masks.zip” is 41 × 30 and the clip 40 × 30" in refusal(zipped(files))


@pytest.mark.parametrize(
    "name", ["../0.png", "a/../../0.png", "/etc/0.png", "..\\0.png", "C:\\0.png", "\\\\host\\0.png"]
)
def test_files_that_would_lie_outside(zipped: Callable[..., Path], name: str) -> None:
    assert "would lie outside of it" in refusal(zipped({**whole(), name: b"x"}))


def test_too_many_files(zipped: Callable[..., Path]) -> None:
    files = whole() | {f"{index}.txt": b"" for index in range(1100)}
    assert "far more files than the clip has frames" in refusal(zipped(files))


def test_too_many_bytes(zipped: Callable[..., Path]) -> None:
    path = zipped(whole())
    size = path.stat().st_size
    GroundTruth.open(path, CLIP, Limits(bytes=size)).close()
    assert "too large" in refusal(path, limits=Limits(bytes=size - 1))


def test_a_bomb_that_says_so(zipped: Callable[..., Path]) -> None:
    files = whole() | {"00003.png": bytes(50_000_000)}
    assert "Mask 4 of 12 in “masks.zip” is far too large for a picture of 40 × 30" in refusal(zipped(files))


def test_a_bomb_that_does_not_say_so(zipped: Callable[..., Path]) -> None:
    path = zipped(whole() | {"00003.png": grey(3) + bytes(50_000_000)})
    content, stated = path.read_bytes(), struct.pack("<I", len(grey(3)) + 50_000_000)
    assert content.count(stated) == 2  # before the file and in the directory
    path.write_bytes(content.replace(stated, struct.pack("<I", len(grey(3)))))
    assert "Mask 4 of 12 in “masks.zip” is not a PNG that can be read" in refusal(path)


def test_a_picture_that_says_it_is_huge(zipped: Callable[..., Path]) -> None:
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(bytes(100))), (b"IEND", b"")]
    content = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
    assert "Mask 4 of 12" in refusal(zipped(whole() | {"00003.png": content}))


@pytest.mark.parametrize(
    "content",
    [b"", b"GIF89a", grey(3)[:20], grey(3)[:60], grey(3).replace(b"IDAT", b"IDAX"), b"\xff\xd8\xff\xe0 a jpeg"],
)
def test_a_damaged_mask(zipped: Callable[..., Path], content: bytes) -> None:
    path = zipped(whole() | {"00003.png": content})
    assert "Mask 4 of 12 in “masks.zip” is not a PNG that can be read" in refusal(path)


def test_an_encrypted_zip(zipped: Callable[..., Path]) -> None:
    path = zipped(whole())
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    assert "is encrypted" in refusal(path)


def test_packings_that_are_not_read(zipped: Callable[..., Path]) -> None:
    assert "make a plain zip" in refusal(zipped(whole(), ZIP_BZIP2))
