"""What was seen and heard together stays within 50 ms, in videos of every part of a clip."""

from __future__ import annotations

import subprocess
from fractions import Fraction
from pathlib import Path

import av
import imageio_ffmpeg
import numpy as np
import pytest

from mpgsam2.video import CutOutWriter, Selection, VideoWriter, add_sound, open_clip, select

FRAMES, RATE = 48, 12
BEEPS = (6, 30)  # frames at which a beep begins; the picture is white then


def ffmpeg(*arguments: object, content: bytes | None = None) -> bytes:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", *map(str, arguments)]
    return subprocess.run(command, input=content, stdout=subprocess.PIPE, check=True).stdout


def frame_times(uneven: bool) -> list[float]:
    """Of the frames: the second half may be three times as slow."""
    if not uneven:
        return [index / RATE for index in range(FRAMES)]
    return [index / RATE if index < 24 else 2 + (index - 24) / 4 for index in range(FRAMES)]


def make(path: Path, *, uneven: bool = False, picture_late: float = 0, sound_late: float = 0) -> Path:
    """Black frames, white ones at the beeps, and the beeps."""
    pictures = b"".join(bytes([255 if index in BEEPS else 0]) * (64 * 48 * 3) for index in range(FRAMES))
    times = frame_times(uneven)
    beeps = "+".join(f"between(t\\,{times[beep]:.6f}\\,{times[beep] + 0.1:.6f})" for beep in BEEPS)
    length = times[-1] + 0.25
    when = "if(lt(N\\,24)\\,N/12\\,2+(N-24)/4)" if uneven else "N/12"
    setpts = f"settb=1/12000,setpts=round(({when}+{picture_late})/TB)"
    encoder = ("libvpx", "-deadline", "realtime") if path.suffix == ".webm" else ("libx264", "-bf", 0)
    ffmpeg(
        *("-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "64x48", "-r", RATE, "-i", "-"),
        *("-itsoffset", sound_late, "-f", "lavfi", "-i", f"aevalsrc=0.8*sin(2500*t)*({beeps}):d={length}:s=44100"),
        *("-vf", setpts, "-fps_mode", "passthrough", "-enc_time_base", "1/12000", "-c:v", *encoder, path),
        content=pictures,
    )
    return path


def onsets(path: Path) -> list[float]:
    """When the sound of a file begins after silence, in seconds."""
    decoded = ffmpeg("-i", path, "-f", "f32le", "-ac", 1, "-ar", 8000, "-")
    loud = np.abs(np.frombuffer(decoded, np.float32)) > 0.1
    starts = [index for index in np.flatnonzero(loud) if not loud[max(0, index - 400) : index].any()]
    return [index / 8000 for index in starts]


KINDS = {
    "plain.mp4": {},
    "late picture.mp4": {"picture_late": 1},
    "late picture.webm": {"picture_late": 0.333},
    "late sound.mkv": {"sound_late": 0.5},
    "uneven.mp4": {"uneven": True},
    "joined.ts": {},
}


@pytest.mark.parametrize("kind", KINDS)
def test_seen_and_heard_together_stays_together(tmp_path: Path, kind: str) -> None:
    shift = KINDS[kind].get("sound_late", 0) - KINDS[kind].get("picture_late", 0)
    path = make(tmp_path / kind, **KINDS[kind])
    times, heard = frame_times(kind.startswith("uneven")), [frame_times(kind.startswith("uneven"))[b] for b in BEEPS]
    if kind == "joined.ts":
        path.write_bytes(path.read_bytes() * 2)
        times, heard = [*times, *(time + 4 for time in times)], [*heard, *(time + 4 for time in heard)]
    clip = open_clip(path)
    np.testing.assert_allclose(clip.times, times, atol=0.005)
    for selection in (Selection(), Selection(first=5, last=40), Selection(first=24, every=3)):
        part = select(clip, selection)
        video = tmp_path / "out.mp4"
        with VideoWriter(video, 64, 48, part.fps, part.varying_times) as writer:
            for frame in part:
                writer.write(frame)
        start = times[part.numbers.start]
        assert add_sound(video, part.source, part.source.times[part.numbers.start], part.duration) == "kept"
        wanted = [time + shift - start for time in heard if 0 <= time + shift - start < part.duration - 0.1]
        assert onsets(video) == pytest.approx(wanted, abs=0.05)
        shown = open_clip(video)
        np.testing.assert_allclose(shown.times, np.array([times[n] for n in part.numbers]) - start, atol=0.005)


@pytest.mark.parametrize("suffix", ["mp4", "webm", "ts"])
def test_a_gap_in_the_pictures_is_meant_where_the_sound_goes_on(tmp_path: Path, suffix: str) -> None:
    """A recorded screen that stands still while somebody talks; without sound in it the clock is taken to jump."""
    encoder = ("libvpx", "-deadline", "realtime") if suffix == "webm" else ("libx264", "-bf", 0)
    for sound, gap in (("d=19", 15), ("d=1", 0)):
        path = tmp_path / f"a.{suffix}"
        ffmpeg(
            *("-f", "lavfi", "-i", "testsrc=size=64x48:rate=12:duration=4"),
            *("-f", "lavfi", "-i", f"aevalsrc=0.5*sin(2500*t):s=48000:{sound}"),
            *("-vf", "settb=1/12000,setpts=(N/12+15*gte(N\\,24))/TB", "-fps_mode", "passthrough"),
            *("-enc_time_base", "1/12000", "-pix_fmt", "yuv420p", "-c:v", *encoder, path),
        )
        clip = open_clip(path)
        np.testing.assert_allclose(clip.times, [index / 12 + gap * (index >= 24) for index in range(48)], atol=0.005)
        assert len(clip.stretches) == (1 if gap else 2)


@pytest.mark.parametrize("writer", [VideoWriter, CutOutWriter])
def test_uneven_times_are_written(tmp_path: Path, writer: type[VideoWriter]) -> None:
    times = [0.0, 0.1, 0.15, 1.0, 1.04, 3.0]
    path = tmp_path / ("a.mp4" if writer is VideoWriter else "a.webm")
    with writer(path, 65, 48, Fraction(2), times) as written:
        for index in range(5):  # a run that was stopped before its last frame
            frame = np.full((48, 65, writer.channels), 40 * index, np.uint8)
            frame[:20, :, -1] = 0
            written.write(frame)
    clip = open_clip(path)
    np.testing.assert_allclose(clip.times, times[:5], atol=0.001)
    assert clip.variable_rate and [path.name for path in tmp_path.iterdir()] == [path.name]
    if writer is CutOutWriter:
        with av.open(str(path)) as container:
            assert "alpha_mode" in map(str.lower, container.streams.video[0].metadata)
        assert b"\x53\xc0\x81\x01" in path.read_bytes()  # the element of WebM that says so
        command = (
            "-c:v",
            "libvpx-vp9",
            "-i",
            path,
            "-fps_mode",
            "passthrough",
            "-f",
            "rawvideo",
            "-pix_fmt",
            "rgba",
            "-",
        )
        alpha = np.frombuffer(ffmpeg(*command), np.uint8).reshape(5, 48, 66, 4)[..., 3]
        assert alpha[0, :18].max() < 30
    else:
        last = ffmpeg("-i", path, "-vf", "showinfo", "-f", "null", "-")
        assert last == b""
        with av.open(str(path)) as container:
            assert float(container.duration / av.time_base) == pytest.approx(3.0, abs=0.01)
