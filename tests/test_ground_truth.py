"""True masks out of a zip, and the zips that are refused."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZipFile, ZipInfo

import numpy as np
import pytest
from PIL import Image

from mpgsam2.errors import InputError
from mpgsam2.ground_truth import GroundTruth
from mpgsam2.video import Clip, Limits, Selection, select

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
    assert "holds 3 PNG masks and the clip has 12 frames" in refusal(zipped(dict(list(whole().items())[:3])), part)


def test_a_closed_ground_truth_gives_no_mask(zipped: Callable[..., Path]) -> None:
    with GroundTruth.open(zipped(whole()), CLIP) as truth:
        pass
    with pytest.raises(InputError, match="Mask 1 of 12"):
        truth.mask(0)


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


@pytest.mark.parametrize("missing", [1, FRAMES - 1])
def test_one_mask_for_each_frame(zipped: Callable[..., Path], missing: int) -> None:
    files = dict(list(whole().items())[missing:])
    assert f"holds {FRAMES - missing} PNG masks and the clip has 12 frames" in refusal(zipped(files))


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
