"""Uploads as strangers may send them, by mistake or by intent: two hundred files, the same ones every time.

Most are clips and zips of masks that were damaged by rule; the others say one thing and are another, point elsewhere,
or state sizes that nobody has room for. Some of the damage does no harm: such a file may as well be read.
"""

from __future__ import annotations

import gzip
import io
import random
import struct
import subprocess
import tarfile
import tempfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import imageio_ffmpeg

EXAMPLE = Path(__file__).parents[1] / "examples" / "appearance.mp4"
"""The clip to which the ground truths belong."""

_SUFFIXES = ("mp4", "mov", "mkv", "webm", "avi", "ts", "mpg", "ogv", "flv", "wmv", "gif")

Named = tuple[str, bytes]  # a file's name and its content


def strange_clips(folder: Path) -> list[Path]:
    """Writes the clips into a folder that exists."""
    clips = _clips()
    return _write(folder, [*_damaged(clips, per_file=9), *_lying(clips), *_pointing_elsewhere(), *_boasting(clips)])


def strange_truths(folder: Path) -> list[Path]:
    """Writes the zips of masks for `EXAMPLE` into a folder that exists."""
    zips = {"zip": EXAMPLE.with_suffix(".masks.zip").read_bytes(), "deflated.zip": _zip(_masks(), ZIP_DEFLATED)}
    return _write(folder, [*_damaged(zips, per_file=17), *_no_zips(), *_harmful_zips(), *_unfit_zips()])


def _write(folder: Path, files: list[Named]) -> list[Path]:
    paths = [folder / f"{number:03d} {name}" for number, (name, _) in enumerate(files)]
    for path, (_, content) in zip(paths, files, strict=True):
        path.write_bytes(content)
    return paths


# ------------------------------------------------------------------------------------------------------------ damage


def _flip(rng: random.Random, content: bytearray) -> None:
    """Other bytes in many places, half of the time only where headers are."""
    reach = rng.choice((len(content), min(len(content), 2000)))
    for _ in range(rng.choice((1, 5, 50))):
        content[rng.randrange(reach)] = rng.choice((0, 127, 255, rng.randrange(256)))


def _cut(rng: random.Random, content: bytearray) -> None:
    del content[rng.randrange(len(content)) :]


def _cut_out(rng: random.Random, content: bytearray) -> None:
    start = rng.randrange(len(content))
    del content[start : start + rng.choice((1, 4, 400))]


def _put_in(rng: random.Random, content: bytearray) -> None:
    start = rng.randrange(len(content))
    content[start:start] = rng.randbytes(rng.choice((1, 4, 400)))


def _blow_up(rng: random.Random, content: bytearray) -> None:
    """The greatest number there is, somewhere among the headers."""
    start = rng.randrange(min(len(content), 2000) - 8)
    content[start : start + 8] = rng.choice((b"\xff", b"\x7f")) + b"\xff" * 7


_DAMAGE = (_flip, _cut, _blow_up, _flip, _cut, _put_in, _flip, _cut, _cut_out)


def _damaged(files: dict[str, bytes], per_file: int) -> Iterator[Named]:
    for name, content in files.items():
        for turn in range(per_file):
            damage: Callable[[random.Random, bytearray], None] = _DAMAGE[turn % len(_DAMAGE)]
            changed = bytearray(content)
            damage(random.Random(f"{name} {turn}"), changed)
            yield f"{damage.__name__.strip('_')}.{name}", bytes(changed)


# ------------------------------------------------------------------------------------------------------------- clips


def _clips() -> dict[str, bytes]:
    """A sound clip of every container and an example, by what their names end in."""
    return {suffix: _encode(suffix) for suffix in _SUFFIXES} | {"example.mp4": EXAMPLE.read_bytes()}


def _encode(suffix: str) -> bytes:
    """15 frames of ffmpeg's moving test pattern."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"clip.{suffix}")
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin", "-f", "lavfi"]
        command += ["-i", "testsrc=size=64x48:rate=25:duration=0.6", "-bitexact", path]
        subprocess.run(command, check=True)
        return path.read_bytes()


def _lying(clips: dict[str, bytes]) -> Iterator[Named]:
    """What is not what its name says."""
    yield "gif called.mp4", clips["gif"]
    yield "mkv called.mp4", clips["mkv"]
    yield "mp4 called.gif", clips["mp4"]
    yield "no suffix", clips["mp4"]
    yield "nothing.mp4", b""
    yield "zero bytes.mp4", bytes(10_000)
    yield "noise.mp4", random.Random(0).randbytes(10_000)
    yield "text.mp4", b"Dear Sir or Madam,\n" * 100
    yield "page.mp4", b"<!DOCTYPE html><html><body onload=alert(1)>"
    yield "picture.mp4", _png(64, 48)
    yield "zip.mp4", EXAMPLE.with_suffix(".masks.zip").read_bytes()
    yield "packed.mp4", gzip.compress(clips["mp4"], mtime=0)
    yield "program.mp4", b"\x7fELF\x02\x01\x01" + bytes(1000)
    yield "only the first kilobyte is a video's.mp4", clips["mp4"][:1024] + b"text " * 1000


def _pointing_elsewhere() -> Iterator[Named]:
    """Playlists, scripts and descriptions that name a clip on this machine or an address, some in disguise."""
    playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:4,\n{EXAMPLE}\n#EXT-X-ENDLIST\n".encode()
    script = f"ffconcat version 1.0\nfile '{EXAMPLE}'\n".encode()
    session = b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n"
    manifest = f"""<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"
        mediaPresentationDuration="PT4S" profiles="urn:mpeg:dash:profile:isoff-main:2011"><Period><AdaptationSet
        mimeType="video/mp4"><Representation id="0" bandwidth="1"><BaseURL>{EXAMPLE}</BaseURL></Representation>
        </AdaptationSet></Period></MPD>""".encode()
    yield "playlist.mp4", playlist
    yield "playlist.m3u8", playlist.replace(str(EXAMPLE).encode(), b"http://127.0.0.1:9/clip.mp4")
    yield "script.mp4", script
    yield "session.mp4", session
    yield "manifest.mp4", manifest
    for name, text in {"playlist": playlist, "script": script, "session": session, "manifest": manifest}.items():
        # behind the letter that begins each packet of a transport stream, and behind a box too small to be one
        yield f"{name} in disguise.ts", b"G" * 400 + b"\n" + text
        yield f"{name} in disguise.mp4", b"\0\0\0\2ftyp\n" + text


def _boasting(clips: dict[str, bytes]) -> Iterator[Named]:
    """Headers that state more than there is, and pictures that are too large."""
    most = b"\xff" * 4
    yield "65535 wide.mp4", _patch(clips["example.mp4"], b"avc1", 28, most)
    yield "65535 wide.gif", _patch(clips["gif"], b"GIF89a", 6, most)
    yield "2147483647 wide.avi", _patch(clips["avi"], b"strf", 12, b"\xff\xff\xff\x7f" * 2)
    yield "4294967295 samples.mp4", _patch(clips["example.mp4"], b"stsz", 12, most)
    yield "4294967295 times.mp4", _patch(clips["example.mp4"], b"stts", 8, most)
    yield "4294967295 repeats.mp4", _patch(clips["example.mp4"], b"stts", 12, most)
    yield "4294967295 frames.avi", _patch(clips["avi"], b"strh", 40, most)
    yield "300 years.mkv", _patch(clips["mkv"], b"\x44\x89\x88", 3, struct.pack(">d", 1e13))
    yield "endless box.mp4", _patch(clips["example.mp4"], b"moov", -4, b"\x7f\xff\xff\xff")
    yield "too large.gif", _patch(clips["gif"], b"GIF89a", 6, struct.pack("<HH", 4000, 4000))


def _patch(content: bytes, mark: bytes, offset: int, value: bytes) -> bytes:
    """The content with other bytes so far from the first occurrence of a mark."""
    start = content.index(mark) + offset
    return content[:start] + value + content[start + len(value) :]


# ------------------------------------------------------------------------------------------------------------- zips


def _masks() -> dict[str, bytes]:
    """The example's own, by name."""
    with ZipFile(EXAMPLE.with_suffix(".masks.zip")) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _zip(files: dict[str, bytes], compression: int = ZIP_STORED) -> bytes:
    content = io.BytesIO()
    with ZipFile(content, "w") as archive:
        for name, data in files.items():
            archive.writestr(ZipInfo(name), data, compression)
    return content.getvalue()


def _png(width: int, height: int, data: bytes | None = None) -> bytes:
    """A grey PNG; its data, if given, may have another size than it states."""
    data = bytes((width + 1) * height) if data is None else data
    chunks = {
        b"IHDR": struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0),
        b"IDAT": zlib.compress(data),
        b"IEND": b"",
    }
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks.items()
    )


def _no_zips() -> Iterator[Named]:
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("00000.png"))
    yield "nothing.zip", b""
    yield "zero bytes.zip", bytes(10_000)
    yield "text.zip", b"Dear Sir or Madam,\n" * 100
    yield "clip.zip", EXAMPLE.read_bytes()
    yield "one mask.zip", _png(320, 240)
    yield "masks.tar", tar.getvalue()
    yield "empty.zip", _zip({})


def _harmful_zips() -> Iterator[Named]:
    masks = _masks()
    large = bytes(20_000_000)
    yield "upwards.zip", _zip({**masks, "../../escaped.png": _png(320, 240)})
    yield "absolute.zip", _zip({**masks, "/tmp/escaped.png": _png(320, 240)})
    yield "drive.zip", _zip({**masks, "C:\\escaped.png": _png(320, 240)})
    yield "bomb.zip", _zip({**masks, "00007.png": large}, ZIP_DEFLATED)
    hidden = _zip({**masks, "00007.png": masks["00007.png"] + large}, ZIP_DEFLATED)
    stated, true = (struct.pack("<I", len(masks["00007.png"]) + more) for more in (0, len(large)))
    yield "hidden bomb.zip", hidden.replace(true, stated)
    yield "bomb in a picture.zip", _zip({**masks, "00007.png": _png(320, 240, large)})
    yield "65535 wide.zip", _zip({**masks, "00007.png": _png(65_535, 65_535, b"")})
    yield "20000 files.zip", _zip({f"{number}": b"" for number in range(20_000)})
    yield "zip in a zip.zip", _zip({"masks.zip": _zip(masks)})
    link = ZipInfo("00007.png")
    link.external_attr = 0o120777 << 16  # of a symbolic link
    content = io.BytesIO(_zip({name: data for name, data in masks.items() if name != link.filename}))
    with ZipFile(content, "a") as archive:
        archive.writestr(link, str(EXAMPLE))
    yield "link.zip", content.getvalue()


def _unfit_zips() -> Iterator[Named]:
    masks = _masks()
    yield "one too few.zip", _zip(dict(list(masks.items())[1:]))
    yield "one of another size.zip", _zip({**masks, "00007.png": _png(321, 240)})
    yield "bzip2.zip", _zip(masks, ZIP_BZIP2)
    yield "encrypted.zip", _patch(_zip(masks), b"PK\x01\x02", 8, b"\x01\x00")
