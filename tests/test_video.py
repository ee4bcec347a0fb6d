"""Clips in and videos out, with the real decoder and the real encoder."""

from __future__ import annotations

import os
import pickle
import re
import signal
import subprocess
import threading
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import cv2
import imageio_ffmpeg
import numpy as np
import pytest

from mpgsam2.errors import InputError
from mpgsam2.video import FOLDER_RATE, Clip, CutOutWriter, EncoderError, Limits, VideoWriter, add_sound, open_clip
from mpgsam2.video import writer as writer_module
from mpgsam2.video.rate import frame_rate


def ffmpeg(*arguments: object) -> str:
    """Runs the bundled ffmpeg; returns what it reports."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-nostdin", "-y", *map(str, arguments)]
    return subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False).stderr


def pattern(path: Path, *output: object, size: str = "64x48", rate: str = "30", seconds: float = 1) -> Path:
    """A video of ffmpeg's moving test pattern."""
    ffmpeg("-f", "lavfi", "-i", f"testsrc=size={size}:rate={rate}:duration={seconds}", *output, path)
    assert path.stat().st_size > 0
    return path


def cut(path: Path, share: float) -> Path:
    """A copy of the file's first part only."""
    content = path.read_bytes()
    short = path.with_name(f"cut_{path.name}")
    short.write_bytes(content[: int(len(content) * share)])
    return short


def refusal(path: object, limits: Limits | None = None) -> str:
    """The sentence with which a clip is refused; checks that it gives nothing of the machine away."""
    with pytest.raises(InputError) as caught:
        open_clip(path, limits)
    sentence = str(caught.value)
    assert "/" not in sentence
    assert "\n" not in sentence
    return sentence


@pytest.fixture(scope="module")
def clip_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seconds, 90 frames, index in front."""
    return pattern(tmp_path_factory.mktemp("clip") / "a.mp4", "-g", "12", "-movflags", "+faststart", seconds=3)


# ----------------------------------------------------------------------------------------------------------- reading


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv", "webm", "avi", "ts", "mpg", "ogv", "flv", "wmv"])
def test_every_common_container_is_read(tmp_path: Path, suffix: str) -> None:
    clip = open_clip(pattern(tmp_path / f"a.{suffix}"))
    assert (clip.width, clip.height, clip.frame_count) == (64, 48, 30)
    assert float(clip.fps) == pytest.approx(30, abs=0.1)
    frames = list(clip)
    assert len(frames) == 30
    assert all(frame.shape == (48, 64, 3) and frame.dtype == np.uint8 for frame in frames)


def test_an_animated_gif_is_a_clip(tmp_path: Path) -> None:
    clip = open_clip(pattern(tmp_path / "a.gif", rate="10"))
    assert (clip.frame_count, clip.fps) == (10, 10)


def test_frames_are_rgb_and_in_order(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    colours = [(220, 30, 30), (30, 220, 30), (30, 30, 220), (200, 200, 40)]
    with VideoWriter(path, 64, 48, Fraction(10)) as writer:
        for colour in colours:
            writer.write(np.full((48, 64, 3), colour, np.uint8))
    means = [frame.mean(axis=(0, 1)) for frame in open_clip(path)]
    np.testing.assert_allclose(means, colours, atol=4)


def test_a_clip_can_be_read_again_and_left_half_way(clip_path: Path) -> None:
    clip = open_clip(clip_path)
    frames = iter(clip)
    first = next(frames)
    frames.close()
    assert next(frames, None) is None
    whole = list(clip)
    assert len(whole) == 90
    np.testing.assert_array_equal(whole[0], first)
    assert (whole[0] != whole[45]).any()


def test_a_clip_crosses_to_another_process(clip_path: Path) -> None:
    clip = pickle.loads(pickle.dumps(open_clip(clip_path)))
    assert isinstance(clip, Clip)
    assert sum(1 for _ in clip) == 90


@pytest.mark.parametrize("rate", ["30000/1001", "24000/1001", "25", "50/3"])
def test_the_frame_rate_is_an_exact_fraction(tmp_path: Path, rate: str) -> None:
    clip = open_clip(pattern(tmp_path / "a.mp4", rate=rate))
    assert clip.fps == Fraction(rate)
    assert not clip.variable_rate
    assert clip.duration == pytest.approx(clip.frame_count / float(Fraction(rate)))


@pytest.mark.parametrize("suffix", ["mp4", "webm"])
def test_a_variable_rate_keeps_every_frame_and_the_duration(tmp_path: Path, suffix: str) -> None:
    # One second at 30 frames a second, one at 10.
    thin_out = ["-vf", "select='if(lt(n,30),1,not(mod(n,3)))'", "-fps_mode", "vfr"]
    clip = open_clip(pattern(tmp_path / f"a.{suffix}", *thin_out, seconds=2))
    assert clip.variable_rate
    assert clip.frame_count == sum(1 for _ in clip) == 40
    assert clip.fps == Fraction(39 * 10, 19)  # 39 steps from 0 to 1.9 s
    assert clip.duration == pytest.approx(2, abs=0.1)


@pytest.mark.parametrize(("degrees", "size"), [(90, (48, 64)), (180, (64, 48)), (270, (48, 64))])
def test_a_phone_video_is_turned_upright(tmp_path: Path, degrees: int, size: tuple[int, int]) -> None:
    lying, upright = tmp_path / "lying.mp4", tmp_path / "upright.mp4"
    frame = np.zeros((48, 64, 3), np.uint8)
    frame[:24, :32] = 255  # a white corner, top left
    with VideoWriter(lying, 64, 48, Fraction(10)) as writer:
        for _ in range(3):
            writer.write(frame)
    ffmpeg("-display_rotation", degrees, "-i", lying, "-c", "copy", upright)  # counter-clockwise
    clip = open_clip(upright)
    assert (clip.width, clip.height) == size
    shown = next(iter(clip))
    assert shown.shape == (size[1], size[0], 3)
    np.testing.assert_allclose(shown, np.rot90(frame, degrees // 90), atol=40)


@pytest.mark.parametrize("size", ["65x47", "33x33", "64x101"])
def test_odd_sizes_are_read_as_they_are(tmp_path: Path, size: str) -> None:
    clip = open_clip(pattern(tmp_path / "a.mp4", "-pix_fmt", "yuv444p", size=size))
    assert f"{clip.width}x{clip.height}" == size
    assert next(iter(clip)).shape == (clip.height, clip.width, 3)


@pytest.mark.parametrize(
    "encoding", [["-c:v", "png"], ["-c:v", "qtrle"], ["-c:v", "prores_ks", "-pix_fmt", "yuva444p10"]]
)
def test_transparency_is_ignored(tmp_path: Path, encoding: list[str]) -> None:
    path = tmp_path / "a.mov"
    ffmpeg("-f", "lavfi", "-i", "color=0xC86432@0.3:size=64x48:rate=10:duration=1,format=rgba", *encoding, path)
    clip = open_clip(path)
    assert clip.frame_count == 10
    np.testing.assert_allclose(next(iter(clip)), np.broadcast_to((200, 100, 50), (48, 64, 3)), atol=4)


def test_repeated_frames_do_not_end_a_clip(tmp_path: Path) -> None:
    # Theora stores a frame that repeats the one before as an empty packet, at which the decoder yields nothing.
    path = tmp_path / "a.ogv"
    ffmpeg("-f", "lavfi", "-i", "testsrc=size=64x48:rate=5:duration=2", "-vf", "fps=30", path)
    clip = open_clip(path)
    assert clip.frame_count >= 10
    frames = list(clip)
    assert len(frames) == clip.frame_count
    assert np.abs(np.int16(frames[0]) - frames[-1]).max() > 100  # the second digit of the test picture's clock


def test_a_rate_is_taken_only_where_something_can_be_shown_at_it() -> None:
    assert frame_rate([Fraction(25)], [0, 1e9]) == (25, False)  # the second frame's time is broken
    assert frame_rate([None], [0, 0.1, 0.3]) == (Fraction(20, 3), True)
    assert frame_rate([Fraction(0), Fraction(30), Fraction(10)], [0, 0.1, 0.2]) == (10, False)
    assert frame_rate([Fraction(1000)], [0, 0.0005, 0.001]) == (2000, False)
    assert frame_rate([Fraction(1)], [0, 0.033, 0.067, 0.1]) == (30, False)  # milliseconds, as in WebM
    with pytest.raises(InputError, match="does not say when"):
        frame_rate([None], [0, 1e9])
    with pytest.raises(InputError, match="does not say when"):
        frame_rate([Fraction(10**9)], [0, 1e-9])


def test_a_trimmed_clip_that_hides_frames_is_not_broken(tmp_path: Path, clip_path: Path) -> None:
    trimmed = tmp_path / "trimmed.mp4"
    ffmpeg("-ss", 1.15, "-i", clip_path, "-t", 1.3, "-c", "copy", trimmed)
    stated = int(cv2.VideoCapture(str(trimmed)).get(cv2.CAP_PROP_FRAME_COUNT))
    clip = open_clip(trimmed)
    assert clip.frame_count < stated  # the edit list hides what comes before the cut
    assert sum(1 for _ in clip) == clip.frame_count


def test_a_sound_track_may_outlast_the_picture(tmp_path: Path, clip_path: Path) -> None:
    path = tmp_path / "a.mkv"
    ffmpeg("-i", clip_path, "-f", "lavfi", "-i", "sine=duration=5", "-c:v", "copy", path)
    assert open_clip(path).frame_count == 90


def test_the_digest_is_the_file_s(clip_path: Path, tmp_path: Path) -> None:
    same = tmp_path / "other name.mp4"
    same.write_bytes(clip_path.read_bytes())
    assert open_clip(clip_path).sha256() == open_clip(same).sha256()
    assert re.fullmatch("[0-9a-f]{64}", open_clip(same).sha256())


# ----------------------------------------------------------------------------------------------------------- folders


def test_a_folder_of_images_is_a_clip_in_natural_order(tmp_path: Path) -> None:
    for number in (10, 9, 1):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.full((31, 45, 3), (0, 0, number * 20), np.uint8))  # BGR: red
    (tmp_path / "notes.txt").write_text("not a frame")
    (tmp_path / "._1.png").write_text("what macOS leaves behind")
    clip = open_clip(tmp_path)
    assert (clip.width, clip.height, clip.frame_count, clip.fps) == (45, 31, 3, FOLDER_RATE)
    assert [tuple(frame[0, 0]) for frame in clip] == [(20, 0, 0), (180, 0, 0), (200, 0, 0)]
    assert open_clip(tmp_path, folder_fps=Fraction(6)).fps == 6


def test_transparent_images_give_their_colours(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "0.png"), np.full((8, 8, 4), (50, 100, 200, 30), np.uint8))
    assert tuple(next(iter(open_clip(tmp_path)))[0, 0]) == (200, 100, 50)


def test_folders_that_are_no_clip_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "frames"
    folder.mkdir()
    assert "no image in the folder “frames”" in refusal(folder)
    for number in range(3):
        cv2.imwrite(str(folder / f"{number}.png"), np.zeros((20, 30, 3), np.uint8))
    assert "at most 2 frames" in refusal(folder, Limits(frames=2))
    assert "30 × 20" in refusal(folder, Limits(pixels=500))
    assert "too large" in refusal(folder, Limits(bytes=10))
    cv2.imwrite(str(folder / "3.png"), np.zeros((20, 31, 3), np.uint8))
    assert "“3.png” is 31 × 20" in refusal(folder)
    (folder / "3.png").write_bytes(b"no image at all")
    assert "“3.png” in “frames” cannot be read, only 3 frames before it" in refusal(folder)


# --------------------------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize("nothing", [None, ""])
def test_no_clip(nothing: str | None) -> None:
    assert "No clip was given" in refusal(nothing)


def test_a_clip_that_is_not_there(tmp_path: Path) -> None:
    assert "There is no clip “gone.mp4”" in refusal(tmp_path / "gone.mp4")


@pytest.mark.parametrize("name", ["a" * 300, "a\0b"])
def test_a_name_that_no_file_can_have(name: str) -> None:
    assert "There is no clip" in refusal(name)


def test_an_address_is_not_a_clip() -> None:
    with pytest.raises(InputError, match="There is no clip"):
        open_clip("http://127.0.0.1:1/a.mp4")


def test_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").touch()
    assert "empty file" in refusal(tmp_path / "a.mp4")


@pytest.mark.parametrize(
    "content",
    [
        "just text\n" * 100,
        "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:3,\n{clip}\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile {clip}\n",
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n",
    ],
)
def test_text_that_calls_itself_a_video_is_never_followed(tmp_path: Path, clip_path: Path, content: str) -> None:
    path = tmp_path / "a.mp4"
    path.write_text(content.format(clip=clip_path))
    assert "is not a video" in refusal(path)


def test_a_still_picture_is_not_a_video(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((20, 30, 3), np.uint8))
    assert "is not a video" in refusal(tmp_path / "a.png")


def test_sound_alone(tmp_path: Path) -> None:
    ffmpeg("-f", "lavfi", "-i", "sine=duration=1", tmp_path / "a.mp4")
    assert "holds no video" in refusal(tmp_path / "a.mp4")


def test_zero_frames(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    pattern(path)
    content = path.read_bytes()
    # Keep the header, drop every frame.
    path.write_bytes(content[: content.index(b"\x1f\x43\xb6\x75")])
    assert re.search("no frame|No frame", refusal(path))


@pytest.mark.parametrize("frames", [89, 90])
def test_too_long(clip_path: Path, frames: int) -> None:
    limits = Limits(frames=frames)
    if frames == 90:
        assert open_clip(clip_path, limits).frame_count == 90
    else:
        assert "too long: at most 89 frames" in refusal(clip_path, limits)


def test_too_large(clip_path: Path) -> None:
    assert open_clip(clip_path, Limits(pixels=64 * 48)).width == 64
    assert "64 × 48" in refusal(clip_path, Limits(pixels=64 * 48 - 1))


def test_too_many_bytes(clip_path: Path) -> None:
    size = clip_path.stat().st_size
    seconds = open_clip(clip_path, Limits(bytes=size)).duration
    assert f"at most {seconds / 2:.0f} s" in refusal(clip_path, Limits(seconds=seconds / 2))
    assert re.search(r"\d MB, and at most 0\.0 MB", refusal(clip_path, Limits(bytes=size - 1)))


def test_cut_off_before_its_index(tmp_path: Path) -> None:
    assert "No frame of “cut_a.mp4” could be read" in refusal(cut(pattern(tmp_path / "a.mp4"), 0.6))


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "webm", "avi"])
def test_cut_off_part_way(tmp_path: Path, suffix: str) -> None:
    options = ["-movflags", "+faststart"] if suffix == "mp4" else []
    path = cut(pattern(tmp_path / f"a.{suffix}", "-g", "12", *options, seconds=3), 0.6)
    readable = re.search(r"broken part-way: only (\d+) of its 90 frames could be read", refusal(path))
    assert readable and 30 < int(readable[1]) < 80


def test_damaged_in_the_middle(tmp_path: Path, clip_path: Path) -> None:
    content = bytearray(clip_path.read_bytes())
    middle, hole = len(content) // 2, len(content) // 10
    content[middle : middle + hole] = bytes(hole)
    (tmp_path / "a.mp4").write_bytes(content)
    readable = re.search(r"only (\d+) of its 90 frames", refusal(tmp_path / "a.mp4"))
    assert readable and 20 < int(readable[1]) < 90


def test_a_clip_that_changes_under_the_run(tmp_path: Path) -> None:
    path = pattern(tmp_path / "a.mp4")
    clip = open_clip(path)
    pattern(path, size="80x48")
    with pytest.raises(InputError, match="changes its picture size at frame 0"):
        list(clip)
    pattern(path, seconds=0.5)
    with pytest.raises(InputError, match=r"Frame 15 of “a\.mp4” could not be read"):
        list(clip)


# ----------------------------------------------------------------------------------------------------------- writing


def write(path: Path, width: int, height: int, fps: Fraction, count: int = 13) -> list[np.ndarray]:
    frames = []
    with VideoWriter(path, width, height, fps) as writer:
        for index in range(count):
            frame = np.zeros((height, width, 3), np.uint8)
            frame[..., 0] = np.linspace(0, 255, width)[None]
            frame[..., 1] = np.linspace(0, 255, height)[:, None]
            frame[..., 2] = 10 * index
            frames.append(frame)
            writer.write(frame)
    return frames


def test_what_is_written_plays_in_a_browser(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    write(path, 64, 48, Fraction(30000, 1001))
    report = ffmpeg("-i", path)
    stream = next(line for line in report.splitlines() if "Video:" in line)
    assert "h264" in stream and "yuv420p(tv, bt709" in stream and "64x48" in stream and "29.97 fps" in stream
    assert "Audio:" not in report
    content = path.read_bytes()
    assert content[4:8] == b"ftyp"
    assert content.index(b"moov") < content.index(b"mdat")


def test_what_is_written_is_what_was_given(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    frames = write(path, 64, 48, Fraction(30000, 1001))
    clip = open_clip(path)
    assert (clip.width, clip.height, clip.frame_count, clip.fps) == (64, 48, 13, Fraction(30000, 1001))
    assert np.abs(np.int16(list(clip)) - np.int16(frames)).mean() < 4


@pytest.mark.parametrize(("width", "height"), [(65, 47), (64, 47), (65, 48), (1, 1), (854, 480)])
def test_odd_sizes_get_their_edge_doubled_and_nothing_is_rescaled(tmp_path: Path, width: int, height: int) -> None:
    path = tmp_path / "a.mp4"
    frames = write(path, width, height, Fraction(25))
    clip = open_clip(path)
    assert (clip.width, clip.height) == (width + width % 2, height + height % 2)
    padded = np.pad(frames[0], ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    assert np.abs(np.int16(next(iter(clip))) - np.int16(padded)).mean() < 6


def test_a_key_frame_at_least_every_twelve(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    write(path, 160, 120, Fraction(25), count=25)
    report = ffmpeg("-i", path, "-vf", "showinfo", "-f", "null", "-")
    keys = [index for index, key in enumerate(re.findall(r"iskey:(\d)", report)) if key == "1"]
    assert keys[0] == 0 and keys[-1] >= 13
    assert max(np.diff(keys)) <= 12


def test_no_half_file_is_left_by_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with pytest.raises(RuntimeError), VideoWriter(path, 64, 48, Fraction(25)) as writer:
        writer.write(np.zeros((48, 64, 3), np.uint8))
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_the_file_appears_only_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with VideoWriter(path, 64, 48, Fraction(25)) as writer:
        writer.write(np.zeros((48, 64, 3), np.uint8))
        assert not path.exists()
    assert list(tmp_path.iterdir()) == [path]


def test_a_video_of_no_frames_is_no_file(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "a.mp4", 64, 48, Fraction(25)):
        pass
    assert list(tmp_path.iterdir()) == []


def test_an_encoder_that_dies_is_an_error_and_leaves_no_file(tmp_path: Path) -> None:
    frame = np.zeros((48, 64, 3), np.uint8)
    with pytest.raises(OSError), VideoWriter(tmp_path / "gone" / "a.mp4", 64, 48, Fraction(25)) as writer:
        for _ in range(1000):
            writer.write(frame)
    writer.close()
    with (
        pytest.raises(OSError),
        VideoWriter(tmp_path / "gone" / "a.mp4", 64, 48, Fraction(25)) as writer,
    ):
        writer.write(frame)  # fits into the pipe, so that only the end can tell
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("signal_", "while_", "told"),
    [
        (signal.SIGSTOP, "writing", "came to a standstill"),
        (signal.SIGSTOP, "closing", "came to a standstill"),
        (signal.SIGKILL, "writing", "was ended from outside"),
        (signal.SIGKILL, "closing", "was ended from outside"),
    ],
)
def test_an_encoder_that_is_stopped_or_killed_is_told_from_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, signal_: signal.Signals, while_: str, told: str
) -> None:
    monkeypatch.setattr(writer_module, "ENCODER_TIMEOUT", 1.0)
    frame = np.zeros((480, 640, 3), np.uint8)
    with pytest.raises(EncoderError, match=told), VideoWriter(tmp_path / "a.mp4", 640, 480, Fraction(25)) as writer:
        writer.write(frame)
        writer._encoder.send_signal(signal_)
        for _ in range(100 if while_ == "writing" else 0):
            writer.write(frame)
    assert writer._encoder.poll() is not None
    assert list(tmp_path.iterdir()) == []


def test_a_frame_of_another_size_is_refused(tmp_path: Path) -> None:
    with (
        pytest.raises(ValueError, match=r"\(48, 65, 3\) uint8 in a video of 48 × 64"),
        VideoWriter(tmp_path / "a.mp4", 64, 48, Fraction(25)) as writer,
    ):
        writer.write(np.zeros((48, 65, 3), np.uint8))


def test_a_process_forked_meanwhile_does_not_keep_a_video_from_its_end(tmp_path: Path) -> None:
    """As ZeroGPU forks: after the writer was opened, into a process that outlives it."""
    held, release = os.pipe()
    writer = VideoWriter(tmp_path / "a.mp4", 64, 48, Fraction(25))
    writer.write(np.zeros((48, 64, 3), np.uint8))
    child = os.fork()
    if not child:
        os.close(release)
        os.read(held, 1)
        os._exit(0)
    try:
        closing = threading.Thread(target=writer.close, daemon=True)
        closing.start()
        closing.join(60)
        assert not closing.is_alive()
    finally:
        os.close(release)
        os.waitpid(child, 0)
    assert open_clip(tmp_path / "a.mp4").frame_count == 1


# ------------------------------------------------------------------------------------------------------ transparency


def cut_outs(count: int, width: int, height: int) -> np.ndarray:
    """(count, height, width, 4), a square that moves to the right; all around it is transparent."""
    frames = np.full((count, height, width, 4), (230, 60, 90, 0), np.uint8)
    for index, frame in enumerate(frames):
        frame[height // 4 : height // 2, index : index + width // 2, 3] = 255
    return frames


def decoded(path: Path, width: int, height: int) -> np.ndarray:
    """The frames of a WebM with their transparency, (T, height, width, 4) uint8 RGBA."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-c:v", "libvpx-vp9", "-i", path]
    command += ["-f", "rawvideo", "-pix_fmt", "rgba", "-"]
    frames = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
    return np.frombuffer(frames, np.uint8).reshape(-1, height, width, 4)


@pytest.mark.parametrize(("width", "height"), [(64, 48), (65, 47)])
def test_a_cut_out_keeps_its_transparency(tmp_path: Path, width: int, height: int) -> None:
    frames = cut_outs(14, width, height)
    with CutOutWriter(tmp_path / "a.webm", width, height, Fraction(30000, 1001)) as writer:
        for frame in frames:
            writer.write(frame)
    shown = decoded(tmp_path / "a.webm", width + width % 2, height + height % 2)[:, :height, :width]
    assert len(shown) == 14
    assert ((shown[..., 3] > 127) == (frames[..., 3] > 127)).mean() > 0.999
    assert np.abs(np.int16(shown[..., 3]) - frames[..., 3]).mean() < 2
    inside = frames[..., 3] > 0
    assert np.abs(np.int16(shown[inside]) - frames[inside]).mean() < 3
    report = ffmpeg("-i", tmp_path / "a.webm")
    assert "vp9" in report and "bt709" in report and re.search(r"alpha_mode\s*: 1", report)
    assert open_clip(tmp_path / "a.webm").fps == Fraction(30000, 1001)


def test_of_a_cut_out_no_half_file_is_left(tmp_path: Path) -> None:
    frame = cut_outs(1, 64, 48)[0]
    with pytest.raises(RuntimeError), CutOutWriter(tmp_path / "a.webm", 64, 48, Fraction(25)) as writer:
        writer.write(frame)
        raise RuntimeError
    with pytest.raises(OSError), CutOutWriter(tmp_path / "gone" / "a.webm", 64, 48, Fraction(25)) as writer:
        writer.write(frame)
    with (
        pytest.raises(ValueError, match="48, 64, 3"),
        CutOutWriter(tmp_path / "b.webm", 64, 48, Fraction(25)) as writer,
    ):
        writer.write(frame[..., :3])
    assert list(tmp_path.iterdir()) == []


# ------------------------------------------------------------------------------------------------------------- sound


@pytest.fixture
def silent(tmp_path: Path) -> Path:
    """Two seconds of pictures."""
    return pattern(tmp_path / "silent.mp4", rate="25", seconds=2)


def sounding(path: Path, *options: object, sound: str = "aevalsrc=sin(2*PI*440*t)*gte(t\\,1.5):d=4:s=44100") -> Path:
    """Four seconds with a tone from 1.5 s on."""
    ffmpeg("-f", "lavfi", "-i", "testsrc=size=64x48:rate=25:duration=4", "-f", "lavfi", "-i", sound, *options, path)
    return path


def heard(path: Path) -> np.ndarray:
    """The sound of a file at 8 kHz."""
    command = [
        imageio_ffmpeg.get_ffmpeg_exe(),
        "-v",
        "error",
        "-i",
        path,
        "-f",
        "f32le",
        "-ac",
        "1",
        "-ar",
        "8000",
        "-",
    ]
    return np.frombuffer(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout, np.float32)


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv", "webm", "avi", "ts", "mpg", "ogv", "flv", "wmv"])
def test_sound_is_put_under_the_pictures_it_belongs_to(tmp_path: Path, silent: Path, suffix: str) -> None:
    before = list(open_clip(silent))
    assert add_sound(silent, open_clip(sounding(tmp_path / f"a.{suffix}")), 1.0, 2.0) == "kept"
    samples = heard(silent)
    assert len(samples) / 8000 == pytest.approx(2, abs=0.1)
    assert np.flatnonzero(np.abs(samples) > 0.3)[0] / 8000 == pytest.approx(0.5, abs=0.1)
    np.testing.assert_array_equal(list(open_clip(silent)), before)
    report = ffmpeg("-i", silent)
    assert "Audio: aac" in report and "stereo" in report
    content = silent.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")


def test_without_sound_nothing_changes(tmp_path: Path, silent: Path) -> None:
    before = silent.read_bytes()
    short = sounding(tmp_path / "short.mp4", sound="sine=duration=1")
    assert add_sound(silent, open_clip(pattern(tmp_path / "mute.mp4")), 0, 2) == "none"
    assert add_sound(silent, open_clip(short), 2, 2) == "none"
    assert silent.read_bytes() == before


@pytest.mark.parametrize("damage", ["unknown", "noise"])
def test_sound_that_cannot_be_read_leaves_the_video_as_it_is(tmp_path: Path, silent: Path, damage: str) -> None:
    before = silent.read_bytes()
    if damage == "unknown":
        path = sounding(tmp_path / "a.avi", "-c:a", "pcm_s16le")
        clip = open_clip(path)
        content = bytearray(path.read_bytes())
        place = content.rindex(b"strf") + 8
        assert content[place : place + 2] == b"\x01\x00"  # the number of PCM
        content[place : place + 2] = b"\x34\x12"
    else:
        path = sounding(tmp_path / "a.mp4", "-movflags", "+faststart")
        clip = open_clip(path)
        content = bytearray(path.read_bytes())
        place = content.index(b"mdat") + 4
        content[place:] = np.random.default_rng(0).bytes(len(content) - place)
    path.write_bytes(content)
    assert add_sound(silent, clip, 0, 2) == "unreadable"
    assert silent.read_bytes() == before
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted([path.name, silent.name])


def test_sound_is_never_fetched_from_elsewhere(tmp_path: Path, silent: Path) -> None:
    clip = open_clip(sounding(tmp_path / "a.ts"))
    playlist = tmp_path / "list.mp4"
    clip = replace(clip, path=playlist)
    playlist.write_text(f"ffconcat version 1.0\nfile {tmp_path / 'a.ts'}\n")
    assert add_sound(silent, clip, 0, 2) != "kept"
    playlist.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:3,\n{tmp_path / 'a.ts'}\n#EXT-X-ENDLIST\n")
    assert add_sound(silent, clip, 0, 2) != "kept"
