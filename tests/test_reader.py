"""Clips of every make are read as a viewer sees them: every frame, at its time, in its colours, the right way up."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from itertools import accumulate, pairwise
from pathlib import Path

import cv2
import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image

import mpgsam2
from mpgsam2.errors import InputError
from mpgsam2.video import Limits, Selection, open_clip, select
from mpgsam2.video.clock import Listener, run_on
from mpgsam2.video.hdr import HLG, PQ, to_sdr

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()
EXAMPLE = Path(__file__).parents[1] / "examples" / "appearance.mp4"
WIDTH, HEIGHT, FRAMES = 64, 48, 9


def ffmpeg(*arguments: object, frames: np.ndarray | None = None) -> bytes:
    """Runs the bundled ffmpeg, frames on its standard input if there are any; returns its standard output."""
    command = [FFMPEG, "-v", "error", "-nostdin"[: 0 if frames is not None else None], "-y", *map(str, arguments)]
    content = None if frames is None else frames.tobytes()
    return subprocess.run([word for word in command if word], input=content, stdout=subprocess.PIPE, check=True).stdout


def scene(count: int = FRAMES) -> np.ndarray:
    """Frames that get brighter, with a red bar that goes to the right and a blue corner at the top left."""
    frames = np.empty((count, HEIGHT, WIDTH, 3), np.uint8)
    for index, frame in enumerate(frames):
        frame[...] = 30 + 150 * index // count
        frame[:, 4 * (index % 14) + 4 : 4 * (index % 14) + 12] = (250, 40, 40)
        frame[:16, :16] = (40, 40, 250)
    return frames


def encode(path: Path, *options: object, count: int = FRAMES, rate: int = 25) -> Path:
    """A clip of the scene."""
    raw = ("-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{WIDTH}x{HEIGHT}", "-r", rate, "-i", "-")
    ffmpeg(*raw, *map(str, options), path, frames=scene(count))
    return path


def shown_by_ffmpeg(path: Path, width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """The frames of a file as the ffmpeg program converts them."""
    out = ffmpeg("-i", path, "-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "rgb24", "-")
    return np.frombuffer(out, np.uint8).reshape(-1, height, width, 3)


def times_by_ffmpeg(path: Path) -> np.ndarray:
    """When the ffmpeg program shows the frames of a file, in seconds."""
    out = ffmpeg("-i", path, "-fps_mode", "passthrough", "-enc_time_base", "1/1000", "-f", "framecrc", "-")
    rows = [line.split(",") for line in out.decode().splitlines() if not line.startswith("#")]
    return np.array([int(row[2]) / 1000 for row in rows])


# ------------------------------------------------------------------------------------------------ containers, codecs

CODECS = {
    "h264": ("libx264 -crf 12 -g 4 -pix_fmt yuv420p", "mp4 mov mkv avi ts m2ts mpg flv 3gp"),
    "hevc": ("libx265 -crf 12 -x265-params log-level=none -pix_fmt yuv420p", "mp4 mkv ts flv"),
    "av1": ("libsvtav1 -crf 20 -preset 12 -pix_fmt yuv420p -svtav1-params log=0", "mp4 mkv webm"),
    "vp8": ("libvpx -b:v 2M -deadline realtime -pix_fmt yuv420p", "mkv webm"),
    "vp9": ("libvpx-vp9 -crf 10 -b:v 0 -deadline realtime -pix_fmt yuva420p -auto-alt-ref 0", "webm mkv"),
    "mpeg4": ("mpeg4 -q:v 2 -bf 2", "mp4 avi mkv wmv ts"),
    "mpeg2": ("mpeg2video -q:v 2 -bf 2", "mpg ts mov"),
    "theora": ("libtheora -q:v 10", "ogv mkv"),
    "prores": ("prores_ks", "mov"),
    "mjpeg": ("mjpeg -q:v 2 -pix_fmt yuvj420p", "avi mov"),
    "wmv2": ("wmv2 -q:v 2", "wmv avi"),
    "ffv1": ("ffv1", "mkv"),
}


@pytest.mark.parametrize(
    ("codec", "container"), [(codec, suffix) for codec, (_, all_of) in CODECS.items() for suffix in all_of.split()]
)
def test_every_frame_of_every_make(tmp_path: Path, codec: str, container: str) -> None:
    path = encode(tmp_path / f"a.{container}", "-threads", 1, "-c:v", *CODECS[codec][0].split())
    clip = open_clip(path)
    assert (clip.width, clip.height, clip.frame_count, clip.fps) == (WIDTH, HEIGHT, FRAMES, 25)
    assert not clip.variable_rate
    np.testing.assert_allclose(clip.times, np.arange(FRAMES) / 25, atol=0.005)
    frames = np.int16(list(clip))
    if codec != "theora":  # of which ffmpeg itself sometimes shows an empty frame
        assert np.abs(frames - shown_by_ffmpeg(path)).max() <= 2
    distances = np.abs(frames[:, None] - scene()[None]).mean(axis=(2, 3, 4))
    assert distances.argmin(axis=1).tolist() == list(range(FRAMES))  # each is itself and no other


@pytest.mark.parametrize("atom", [b"wide", b"skip", b"free", b"styp"])
def test_a_movie_may_begin_with_any_atom(tmp_path: Path, atom: bytes) -> None:
    path = encode(tmp_path / "a.mov", "-c:v", "mpeg4", "-movflags", "+faststart")
    content = path.read_bytes()
    if atom != b"styp":
        path.write_bytes(b"\0\0\0\x08" + atom + content)
    else:
        ffmpeg("-i", path, "-c", "copy", "-movflags", "+frag_keyframe+empty_moov", tmp_path / "b.mp4")
        path.write_bytes((tmp_path / "b.mp4").read_bytes().replace(b"ftyp", b"styp", 1))
    assert open_clip(path).frame_count == len(list(open_clip(path))) == FRAMES


def test_a_camcorder_s_packets_bear_times(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.mts", "-c:v", "libx264", "-f", "mpegts", "-mpegts_m2ts_mode", 1)
    assert path.read_bytes()[4:5] == path.read_bytes()[196:197] == b"\x47"
    assert open_clip(path).frame_count == FRAMES


def test_a_broadcast_that_begins_between_key_frames_is_read_from_the_next_one(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.ts", "-c:v", "libx264", "-g", 12, "-bf", 0, "-sc_threshold", 0, "-crf", 10, count=36)
    content = path.read_bytes()
    packets = [content[start : start + 188] for start in range(0, len(content), 188)]
    video = [index for index, packet in enumerate(packets) if (packet[1] & 0x1F, packet[2]) == (1, 0)]
    begin = [index for index in video if packets[index][1] & 0x40][3]  # the fourth frame's first
    path.write_bytes(b"".join(packet for i, packet in enumerate(packets) if i >= begin or i not in video))
    clip = open_clip(path)
    assert clip.frame_count == 24 and clip.fps == 25
    assert np.abs(np.int16(next(iter(clip))) - scene(36)[12]).mean() < 8


@pytest.mark.parametrize("form", ["webp", "png"])
def test_animated_pictures_are_clips(tmp_path: Path, form: str) -> None:
    pictures = [Image.fromarray(frame) for frame in scene()]
    lengths = [100] * 5 + [300] * 4
    options = {"lossless": True} if form == "webp" else {}
    path = tmp_path / f"a.{form}"
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=lengths, loop=0, **options)
    clip = open_clip(path)
    assert (clip.width, clip.height, clip.frame_count, clip.variable_rate) == (WIDTH, HEIGHT, FRAMES, True)
    np.testing.assert_allclose(clip.times, [0, *accumulate(length / 1000 for length in lengths[:-1])], atol=1e-6)
    np.testing.assert_array_equal(list(clip), scene())
    np.testing.assert_array_equal(list(select(clip, Selection(first=2, every=3))), scene()[2::3])
    assert "too large" in _refusal(path, Limits(pixels=WIDTH * HEIGHT - 1))
    assert "at most 8 frames" in _refusal(path, Limits(frames=8))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert "broken part-way" in _refusal(path)
    pictures[0].save(path)
    assert "still picture" in _refusal(path) or "too large" in _refusal(path)


def _refusal(path: Path, limits: Limits | None = None) -> str:
    with pytest.raises(InputError) as caught:
        open_clip(path, limits)
    return str(caught.value)


def test_the_cover_of_a_song_is_no_clip(tmp_path: Path) -> None:
    Image.fromarray(scene()[0]).save(tmp_path / "cover.png")
    cover = ("-i", tmp_path / "cover.png", "-map", 0, "-map", 1, "-c:v", "png", "-disposition:v", "attached_pic")
    ffmpeg("-f", "lavfi", "-i", "sine=d=1", *cover, tmp_path / "song.mp4")
    assert "holds no video" in _refusal(tmp_path / "song.mp4")


@pytest.mark.parametrize("count", [1, 2000, 240])
def test_any_rate_is_a_rate(tmp_path: Path, count: int) -> None:
    clip = open_clip(encode(tmp_path / "a.mp4", "-c:v", "libx264", rate=count))
    assert (clip.fps, clip.frame_count, clip.variable_rate) == (count, FRAMES, False)


# --------------------------------------------------------------------------------------------- pictures and colours


def interlaced(path: Path, *encoder: object) -> Path:
    """Ten frames, each of two fields from different moments."""
    source = ("-f", "lavfi", "-i", "testsrc2=s=160x120:r=20:d=1", "-vf", "interlace=scan=tff")
    ffmpeg(*source, *encoder, "-flags", "+ildct+ilme", path)
    return path


@pytest.mark.parametrize("encoder", [("libx264", "-x264-params", "tff=1"), ("mpeg2video", "-q:v", 2)])
@pytest.mark.parametrize("suffix", ["mp4", "ts"])
def test_interlaced_frames_are_their_own(tmp_path: Path, encoder: tuple[object, ...], suffix: str) -> None:
    path = interlaced(tmp_path / f"a.{suffix}", "-pix_fmt", "yuv420p", "-c:v", *encoder)
    frames = np.int16(list(open_clip(path)))
    assert len(frames) == 10
    assert np.abs(frames - shown_by_ffmpeg(path, 160, 120)).max() <= 2
    assert all((a != b).any() for a, b in pairwise(frames))


def test_no_memory_that_was_not_filled_reaches_a_frame(tmp_path: Path) -> None:
    """Fresh memory is filled with one value, then with another: not a pixel may tell, nor where a file is damaged."""
    paths = [
        interlaced(tmp_path / "interlaced.mp4", "-c:v", "libx264", "-x264-params", "tff=1"),
        encode(tmp_path / "anamorphic.mp4", "-c:v", "libx264", "-vf", "setsar=7/5"),
        encode(tmp_path / "odd.gif", "-vf", "crop=61:47"),
        encode(tmp_path / "deep.mov", "-c:v", "prores_ks"),
    ]
    for suffix, encoder in (("mp4", "libx264"), ("avi", "mjpeg"), ("webm", "libvpx"), ("mpg", "mpeg2video")):
        path = encode(tmp_path / f"damaged.{suffix}", "-c:v", encoder, count=30)
        content = bytearray(path.read_bytes())
        content[len(content) // 2 : len(content) // 2 + 60] = bytes(60)
        path.write_bytes(content)
        paths.append(path)
    program = (
        "import sys, hashlib; from pathlib import Path; import mpgsam2.video.file as file; file.THREADS = 1\n"
        "for path in sys.argv[1:]:\n"
        "    frames = list(file.file_frames(Path(path), range(1000)))\n"
        "    print(len(frames), hashlib.sha256(b''.join(f.tobytes() for f in frames)).hexdigest())"
    )
    told = {
        subprocess.run(
            [sys.executable, "-c", program, *paths],
            env={**os.environ, "MALLOC_PERTURB_": value, "PYTHONPATH": str(Path(__file__).parents[1])},
            stdout=subprocess.PIPE,
            check=True,
        ).stdout
        for value in ("85", "170")
    }
    assert len(told) == 1
    counts = [int(line.split()[0]) for line in told.pop().splitlines()]
    assert len(counts) == len(paths) and min(counts) > 5


def test_a_frame_is_handed_out_only_when_it_is_whole(tmp_path: Path) -> None:
    """ffmpeg's Theora decoder, given several frames at once, now and then gives an empty one."""
    clip = open_clip(encode(tmp_path / "a.mkv", "-c:v", "libtheora", "-q:v", 10))
    assert len({b"".join(frame.tobytes() for frame in clip) for _ in range(60)}) == 1


TAGGED = "scale=out_color_matrix={m}:out_range={r},setparams=colorspace={c}:range={r}"


@pytest.mark.parametrize("range_", ["tv", "pc"])
@pytest.mark.parametrize(("matrix", "tag"), [("bt601", "smpte170m"), ("bt709", "bt709"), ("bt2020", "bt2020nc")])
@pytest.mark.parametrize("pixels", ["yuv420p", "yuv422p10le", "yuv444p"])
def test_colours_are_those_that_ffmpeg_shows(tmp_path: Path, matrix: str, tag: str, range_: str, pixels: str) -> None:
    turned = TAGGED.format(m=matrix, c=tag, r=range_)
    path = encode(tmp_path / "a.mkv", "-vf", turned, "-pix_fmt", pixels, "-c:v", "ffv1", count=2)
    frames = np.int16(list(open_clip(path)))
    assert np.abs(frames - shown_by_ffmpeg(path)).max() <= 2
    assert np.abs(frames[:, 30:, 40:] - scene(2)[:, 30:, 40:]).max() <= 4  # and those that went in


@pytest.mark.parametrize("flip", [(), ("-display_hflip",), ("-display_vflip",)])
@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_pictures_are_turned_and_mirrored_as_players_do(tmp_path: Path, degrees: int, flip: tuple[str, ...]) -> None:
    lying = encode(tmp_path / "a.mp4", "-c:v", "libx264", "-crf", 8, "-pix_fmt", "yuv444p", count=2)
    ffmpeg("-display_rotation", degrees, *flip, "-i", lying, "-c", "copy", tmp_path / "b.mp4")
    clip = open_clip(tmp_path / "b.mp4")
    size = (WIDTH, HEIGHT) if degrees % 180 == 0 else (HEIGHT, WIDTH)
    assert (clip.width, clip.height) == size
    assert np.abs(np.int16(list(clip)) - shown_by_ffmpeg(tmp_path / "b.mp4", *size)).mean() < 2


@pytest.mark.parametrize(("aspect", "width"), [("4/3", 85), ("10/11", 58), ("1/1", 64), ("64/45", 91)])
@pytest.mark.parametrize("suffix", ["mp4", "mpg"])
def test_pixels_are_square(tmp_path: Path, aspect: str, width: int, suffix: str) -> None:
    clip = open_clip(encode(tmp_path / f"a.{suffix}", "-vf", f"setsar={aspect}", "-q:v", 2, "-crf", 10))
    assert abs(clip.width - width) <= 2 and clip.height == HEIGHT  # MPEG-2 stores the picture's shape, not the pixel's
    stretched = cv2.resize(scene()[0], (clip.width, clip.height), interpolation=cv2.INTER_CUBIC)
    assert np.abs(np.int16(next(iter(clip))) - stretched).mean() < 6
    if suffix == "mp4":
        ffmpeg("-display_rotation", 90, "-i", clip.path, "-c", "copy", tmp_path / "upright.mp4")
        upright = open_clip(tmp_path / "upright.mp4")
        assert (upright.width, upright.height) == (clip.height, clip.width)


@pytest.mark.parametrize(("name", "transfer"), [("smpte2084", PQ), ("arib-std-b67", HLG)])
def test_a_high_dynamic_range_is_brought_into_the_ordinary_one(tmp_path: Path, name: str, transfer: int) -> None:
    paper = {PQ: 0.581, HLG: 0.75}[transfer]  # white paper, 203 cd/m² (ITU-R BT.2408, table 1)
    for level, low, high in ((0.0, 0, 2), (paper, 236, 252), (1.0, 250, 255)):
        grey = round(64 + level * 876)
        tags = f"colorspace=bt2020nc:color_primaries=bt2020:color_trc={name}:range=tv"
        picture = f"color=s=64x48:d=0.2:r=10,format=yuv420p10le,geq=lum={grey}:cb=512:cr=512,setparams={tags}"
        ffmpeg("-f", "lavfi", "-i", picture, "-c:v", "libx265", "-x265-params", "log-level=none", tmp_path / "a.mov")
        clip = open_clip(tmp_path / "a.mov")
        assert clip.hdr
        frame = next(iter(clip))
        assert low <= frame.mean() <= high and np.ptp(frame) <= 2
    ramp = to_sdr(np.repeat(np.linspace(0, 1, 50)[:, None], 3, axis=1), transfer)
    assert np.diff(ramp, axis=0).min() > -1e-9 and np.ptp(ramp, axis=1).max() < 0.01
    assert not open_clip(EXAMPLE).hdr


# ------------------------------------------------------------------------------------------------------------- time


def spaced(path: Path, expression: str, count: int = 24) -> Path:
    """A clip of the scene at 12 frames/s whose times an expression of ffmpeg's `setpts` changes."""
    timed = ("-vf", f"setpts={expression}", "-fps_mode", "passthrough", "-enc_time_base", "1/12000")
    return encode(path, *timed, "-c:v", "libx264", "-bf", 0, count=count, rate=12)


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "webm", "ts"])
def test_five_kinds_of_clock(tmp_path: Path, suffix: str) -> None:
    encoder = ("-c:v", "libvpx", "-deadline", "realtime") if suffix == "webm" else ("-c:v", "libx264", "-bf", "0")
    even = [index / 12 for index in range(24)]
    late = [time if index < 12 else 1 + (index - 12) / 4 for index, time in enumerate(even)]
    clocks = {"N/12/TB": even, "if(lt(N\\,12)\\,N/12\\,1+(N-12)/4)/TB": late, "(3.5+N/12)/TB": even}
    if suffix != "webm":
        clocks["(N/12+gte(N\\,12)*3000)/TB"] = even
    for expression, times in clocks.items():
        timed = ("-vf", f"setpts={expression}", "-fps_mode", "passthrough", "-enc_time_base", "1/12000")
        path = encode(tmp_path / f"a.{suffix}", *timed, *encoder, "-pix_fmt", "yuv420p", count=24, rate=12)
        clip = open_clip(path)
        np.testing.assert_allclose(clip.times, times, atol=0.005)
        assert clip.frame_count == len(list(clip)) == 24
        assert clip.variable_rate == (times is late)
        assert clip.fps == 12 if times is even else clip.duration == pytest.approx(late[-1], abs=0.3)


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "webm"])
@pytest.mark.parametrize("times", ["4*gte(N,5)+N/60+0.7*floor(N/10)", "2*floor(N/8)+mod(N,8)/100", "(N+floor(N/3))/30"])
def test_a_recorded_screen_that_stands_still_is_not_broken(tmp_path: Path, suffix: str, times: str) -> None:
    """Its frames are fewer than its length and rate say, and closer together than its rate."""
    encoder = ("libvpx", "-deadline", "realtime") if suffix == "webm" else ("libx264",)
    path = tmp_path / f"a.{suffix}"
    timed = ("-vf", f"settb=1/1000,setpts='round(1000*({times}))'", "-fps_mode", "passthrough")
    encode(path, *timed, "-enc_time_base", "1/1000", "-c:v", *encoder, "-pix_fmt", "yuv420p", count=30)
    clip, shown = open_clip(path), times_by_ffmpeg(path)
    assert clip.variable_rate and len(shown) == 30
    np.testing.assert_allclose(clip.times, shown - shown[0], atol=0.002)


@pytest.mark.parametrize("joined", [1, 2])
def test_guessed_times_are_no_times(tmp_path: Path, joined: int) -> None:
    """AVI says when a frame is decoded, not when it is shown, which differs where frames lean on later ones."""
    path = encode(tmp_path / "a.mp4", "-c:v", "libx264", "-g", 12, "-bf", 3, "-pix_fmt", "yuv420p", count=50)
    ffmpeg("-i", path, "-c", "copy", path := tmp_path / "a.avi")
    path.write_bytes(path.read_bytes() * joined)
    clip = open_clip(path)
    assert (clip.frame_count, clip.fps, clip.variable_rate) == (50 * joined, 25, False)


@pytest.mark.parametrize("suffix", ["ts", "mpg"])
def test_joined_captures_run_on(tmp_path: Path, suffix: str) -> None:
    path = encode(tmp_path / f"a.{suffix}", "-c:v", "mpeg2video", "-q:v", 2, "-bf", 0, "-g", 6, count=24)
    path.write_bytes(path.read_bytes() * 2)
    clip = open_clip(path)
    assert (clip.frame_count, clip.fps, clip.variable_rate) == (48, 25, False)
    np.testing.assert_allclose(clip.times, np.arange(48) / 25, atol=0.005)
    assert np.abs(np.int16(list(clip)) - np.concatenate([scene(24)] * 2)).mean() < 8


def test_clocks_that_jump_stand_still_or_say_nothing() -> None:
    steady, (whole,) = run_on([5.0, 5.1, 5.2], 0.1, broadcast=True)
    assert steady == pytest.approx([0, 0.1, 0.2]) and whole == pytest.approx((5.0, 5.3, 0))
    back, stretches = run_on([1.5, 1.6, 1.7, 0.2, 0.3, 0.4], 0.1, broadcast=False)
    assert back == pytest.approx([0, 0.1, 0.2, 0.3, 0.4, 0.5])
    np.testing.assert_allclose(stretches, [(1.5, 1.8, 0), (0.2, 0.5, 0.3)])
    ahead, stretches = run_on([0, 0.1, 0.2, 3000.2, 3000.3], 0.1, broadcast=False)
    assert ahead == pytest.approx([0, 0.1, 0.2, 0.3, 0.4]) and len(stretches) == 2
    slides = [0.0, 20.0, 40.0, 60.0]
    assert run_on(slides, 1.0, broadcast=False)[0] == pytest.approx(slides)
    still = [index / 10 for index in range(300)] + [45.0, 45.1]  # half a minute of a screen on which nothing moves
    assert run_on(still, 0.1, broadcast=False)[0] == pytest.approx(still)
    doubled, _ = run_on([0, 0.1, 0.1, 0.05, 0.2], 0.1, broadcast=False)
    assert doubled == pytest.approx([0, 0.1, 0.101, 0.102, 0.2])
    assert run_on([None, None, None], 0.04, broadcast=False)[0] == pytest.approx([0, 0.04, 0.08])
    assert run_on([7.0], None, broadcast=False)[0] == (0.0,)


def test_sound_follows_the_frames_over_jumps() -> None:
    once = [1.5 + index / 10 for index in range(10)]
    _, back = run_on(once * 2, 0.1, broadcast=True)
    listener = Listener(back)
    heard = [listener.shown(stamp) for stamp in (1.4, 1.5, 2.4, 2.49, 2.6, 1.45, 1.5, 2.49, 2.8)]
    assert heard == pytest.approx([-0.1, 0, 0.9, 0.99, None, 0.95, 1.0, 1.99, 2.3])
    _, ahead = run_on([0, 0.1, 0.2, 100.0, 100.1], 0.1, broadcast=True)
    listener = Listener(ahead)
    assert [listener.shown(stamp) for stamp in (0, 0.25, 0.31, 50, 100, 100.1)] == pytest.approx(
        [0, 0.25, None, None, 0.3, 0.4]
    )


# ------------------------------------------------------------------------------------------------ names and folders


def test_names_need_not_be_utf_8(tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path) + b"/dossier \xe9"
    os.mkdir(folder)
    path = Path(os.fsdecode(folder + b"/caf\xe9.mp4"))
    shutil.copy(encode(tmp_path / "a.mp4", "-c:v", "libx264"), path)
    clip = open_clip(path)
    assert clip.name == "caf\ufffd.mp4" and len(list(clip)) == FRAMES
    path.unlink()
    for index in range(3):
        Image.new("RGB", (8, 8)).save(os.fsdecode(folder + b"/%d \xe9.png" % index))
    assert len(list(open_clip(os.fsdecode(folder)))) == 3
    Path(os.fsdecode(folder + b"/1 \xe9.png")).write_bytes(b"nothing")
    assert "“1 \ufffd.png” in “dossier \ufffd”" in _refusal(Path(os.fsdecode(folder)))
    assert "no clip “caf\ufffd.mp4”" in _refusal(path)


def test_a_name_is_told_in_one_line(tmp_path: Path) -> None:
    for name in ("a\nb.mp4", "a\x1b[31mb.mp4", "a\u2028b.mp4", "a\r.mp4"):
        (tmp_path / name).write_bytes(b"nothing")
        told = _refusal(tmp_path / name)
        assert told.splitlines() == [told] and "\ufffd" in told and "\x1b" not in told
    family = "\U0001f468\u200d\U0001f469 שלום.mp4"
    assert f"“{family}”" in _refusal(tmp_path / family)


def test_a_picture_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    for suffix, options in (("jpg", {"quality": 95}), ("png", {}), ("webp", {}), ("tif", {}), ("bmp", {})):
        folder = tmp_path / suffix
        folder.mkdir()
        for index in range(2):
            Image.fromarray(scene()[index]).save(folder / f"{index}.{suffix}", **options)
        clip = open_clip(folder)
        assert np.abs(np.int16(list(clip)) - scene()[:2]).mean() < 8
        last = folder / f"1.{suffix}"
        last.write_bytes(last.read_bytes()[: last.stat().st_size // 2])
        assert f"“1.{suffix}” in “{suffix}” cannot be read, only 1 frame before it" in _refusal(folder)
        with pytest.raises(InputError, match="cannot be read"):
            list(clip)


def test_a_link_to_nothing_is_no_frame_to_drop(tmp_path: Path) -> None:
    for index in range(2):
        Image.new("RGB", (8, 8)).save(tmp_path / f"{index}.png")
    (tmp_path / "2.png").symlink_to(tmp_path / "0.png")
    assert open_clip(tmp_path).frame_count == 3
    (tmp_path / "3.png").symlink_to(tmp_path / "gone.png")
    assert "“3.png”" in _refusal(tmp_path) and "link to nothing" in _refusal(tmp_path)


def test_deep_and_grey_and_lying_pictures(tmp_path: Path) -> None:
    deep = np.uint16(np.linspace(0, 65535, 64 * 48)).reshape(48, 64)
    turned = Image.Exif()
    turned[0x0112] = 6  # to be turned clockwise
    pictures: dict[str, Callable[[Path], object]] = {
        "deep.png": lambda path: cv2.imwrite(str(path), deep),
        "deep.tif": lambda path: cv2.imwrite(str(path), deep),
        "grey.jpg": lambda path: Image.fromarray(np.uint8(deep >> 8)).save(path, quality=98),
        "lies.jpg": lambda path: Image.fromarray(np.rot90(np.uint8(deep >> 8)).copy()).save(
            path, quality=98, exif=turned
        ),
    }
    for name, write in pictures.items():
        folder = tmp_path / name.replace(".", "-")
        folder.mkdir()
        write(folder / name)
        (frame,) = open_clip(folder)
        assert np.abs(np.int16(frame) - np.int16(deep >> 8)[..., None]).max() <= 4, name


# --------------------------------------------------------------------------------------------------------- the masks


@pytest.fixture(scope="module")
def expected(model: mpgsam2.Segmenter) -> np.ndarray:
    """The masks of the example's sentence in its first four frames."""
    return masks(model, EXAMPLE)


def masks(model: mpgsam2.Segmenter, path: Path) -> np.ndarray:
    part = select(open_clip(path), Selection(last=3))
    return np.array([result.mask for result in model.segment(part, "the blue star")])


@pytest.mark.parametrize(
    "make",
    [
        ("a.mp4", "-c:v", "libsvtav1", "-crf", "20", "-preset", "10", "-svtav1-params", "log=0"),
        ("a.mp4", "-vf", "scale=240:240,setsar=4/3", "-c:v", "libx264", "-crf", "14"),
    ],
)
def test_the_same_frames_have_the_same_masks(
    tmp_path: Path, model: mpgsam2.Segmenter, expected: np.ndarray, make: tuple[str, ...]
) -> None:
    name, *options = make
    ffmpeg("-i", EXAMPLE, "-frames:v", 4, *options, tmp_path / name)
    found = masks(model, tmp_path / name)
    assert expected.any() and found.shape == expected.shape
    assert (expected & found).sum() / (expected | found).sum() >= 0.95


@pytest.mark.parametrize("wrong", ["clip.mp4", b"clip.mp4", Path("clip.mp4")])
def test_a_name_is_no_frames(model: mpgsam2.Segmenter, wrong: object) -> None:
    with pytest.raises(InputError, match="open_clip"):
        model.segment(wrong, "the red circle")
    with pytest.raises(InputError, match="iterable"):
        model.segment(None, "the red circle")


def test_reading_leaves_others_settings_alone() -> None:
    program = "import os, mpgsam2.video; print(os.environ['OPENCV_FFMPEG_CAPTURE_OPTIONS'])"
    env = {**os.environ, "OPENCV_FFMPEG_CAPTURE_OPTIONS": "mine", "PYTHONPATH": str(Path(__file__).parents[1])}
    assert subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, env=env).stdout == b"mine\n"


def test_a_part_of_a_part_is_a_part_of_the_whole(tmp_path: Path) -> None:
    whole = open_clip(encode(tmp_path / "a.mp4", "-c:v", "libx264"))
    part = select(select(whole, Selection(1, 7, 2, 48)), Selection(1, None, 2, 60))
    assert (part.source, part.numbers) == (whole, range(3, 8, 4))
    assert part.selection == Selection(3, 7, 4, 48)
    assert (part.width, part.height, part.fps) == (48, 36, Fraction(25, 4))
    assert select(select(whole, Selection(every=2)), Selection(first=1)).selection == Selection(2, None, 2)
    assert part.times == pytest.approx([0, 4 / 25])
