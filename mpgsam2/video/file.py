"""Video files: looking one over and reading its frames."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import av
import imageio_ffmpeg
import numpy as np
from av.codec.context import ThreadType
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from mpgsam2.errors import InputError
from mpgsam2.video.clock import run_on, steadier
from mpgsam2.video.containers import ffmpeg_input, open_container, shown, time_base
from mpgsam2.video.display import THREADS, Display
from mpgsam2.video.limits import Limits
from mpgsam2.video.probe import Probe
from mpgsam2.video.rate import frame_rate
from mpgsam2.video.wording import frames_in_words

# Decoders that may work on several frames at once. Theora's, when it does, hands out frames that it has not filled yet.
_FRAME_BY_FRAME = frozenset({"h264", "hevc", "vp9", "av1", "libdav1d"})
_UNREADABLE = (av.FFmpegError, OSError, ValueError, MemoryError)


def probe_file(path: Path, limits: Limits, seen: Callable[[int], None]) -> Probe:
    """Look a video file over, to its last frame.

    Every frame is decoded once (without colour conversion), because only that tells how many there really are.

    Args:
        path: of the file.
        limits: the largest clip that is taken.
        seen: called with the number of frames seen so far.

    Raises:
        InputError: not a video, no frames, broken part-way, or beyond one of the limits.
    """
    name = shown(path)
    with open_container(path) as container:
        stream = _video(container, name)
        limits.check_pixels(name, stream.codec_context.width, stream.codec_context.height)
        unit, stated = time_base(stream), _stated_frames(container, stream)
        decoding = _Decoding(container, stream)
        shown_at: list[float | None] = []
        decoded_at: list[float | None] = []
        display: Display | None = None
        for frame in decoding.frames():
            if display is None:
                display = Display(frame, stream.sample_aspect_ratio)
                limits.check_pixels(name, display.width, display.height)
            if not display.fits(frame):
                raise InputError(
                    f"“{name}” changes its picture size at frame {len(shown_at)}, from {display.width} × "
                    f"{display.height} to {frame.width} × {frame.height}: convert it to one size and try again."
                )
            for stamp, of_all in ((frame.pts, shown_at), (frame.dts, decoded_at)):
                of_all.append(None if stamp is None else float(stamp * unit))
            limits.check_frames(name, len(shown_at))
            seen(len(shown_at))
        rates = stream.average_rate, stream.guessed_rate, stream.base_rate
        has_sound = bool(container.streams.audio)
        number = stream.index
        avi = container.format.name == "avi"
        broadcast = bool(container.format.flags & av.format.Flags.ts_discont.value)
    if display is None:
        raise InputError(f"“{name}” has no frame that can be read: export or upload it again.")
    # The stated count alone proves nothing: a trimmed phone clip states the frames that it hides too, and WebM's count
    # is only its duration times a rate. Broken is what has fewer frames than stated and makes the decoder complain.
    # A broadcast states no count, and may begin with what leans on frames before it.
    if len(shown_at) < stated and (decoding.errors or (not broadcast and _decoder_complains(path, number))):
        of_how_many = f"of its {frames_in_words(stated)}" if stated <= limits.frames else "frames"
        raise InputError(
            f"“{name}” is broken part-way: only {len(shown_at)} {of_how_many} could be read; export or upload it again."
        )
    usual = next((float(1 / rate) for rate in rates if rate), None)
    stamps = steadier(shown_at, decoded_at) if avi else shown_at
    times, stretches = run_on(stamps, usual, broadcast, lambda: _sound_times(path) if has_sound else ())
    fps, variable_rate = frame_rate(rates, times)
    limits.check_seconds(name, times[-1] + float(1 / fps))
    clock = stretches if has_sound else ()
    return Probe(display.width, display.height, fps, len(times), variable_rate, times, clock, display.hdr)


def file_frames(path: Path, numbers: range) -> Generator[np.ndarray]:
    """Yield a video file's frames of those numbers, (H, W, 3) uint8 RGB; closing the generator releases the file.

    What lies between them is decoded without colour conversion, what comes after them not at all.
    """
    with open_container(path) as container:
        stream = _video(container, shown(path))
        display: Display | None = None
        frames = _Decoding(container, stream).frames()
        for index, frame in enumerate(islice(frames, numbers[-1] + 1 if numbers else 0)):
            display = display or Display(frame, stream.sample_aspect_ratio)
            if index in numbers:
                yield display.picture(frame)


@dataclass
class _Decoding:
    """One pass over a stream's frames.

    Attributes:
        errors: what could not be decoded after the first frame. Before it nothing is broken: a recording that starts
            in the middle of a broadcast begins with what leans on frames before it.
    """

    container: InputContainer
    stream: VideoStream
    errors: int = 0

    def frames(self) -> Iterator[av.VideoFrame]:
        """Yield the frames in the order shown; what cannot be decoded is passed over and counted."""
        started = False
        for packet in self._packets():
            try:
                frames = self.stream.decode(packet)
            except av.EOFError:
                return
            except _UNREADABLE:
                self.errors += started
                continue
            for frame in frames:
                started = True
                yield frame

    def _packets(self) -> Iterator[av.Packet | None]:
        """Yield the stream's packets, and None at last, which fetches what the decoder still holds.

        AVI and Ogg mark a frame that merely repeats the one before by an empty packet, which the decoder would take
        for the end.
        """
        packets = self.container.demux(self.stream)
        while True:
            try:
                packet = next(packets, None)
            except _UNREADABLE:
                self.errors += 1
                packet = None
            if packet is None:
                yield None
                return
            if packet.size:
                yield packet


def _video(container: InputContainer, name: str) -> VideoStream:
    """Return the stream that players show, ready to be decoded."""
    stream = container.streams.best("video")
    if (
        not isinstance(stream, VideoStream)
        or stream.codec_context is None  # no decoder knows it
        or stream.disposition & Disposition.attached_pic  # the cover of a song
    ):
        raise InputError(
            f"No frame of “{name}” could be read: it holds no video, or it is cut off or damaged; export or upload it "
            "again."
        )
    by_frame = stream.codec_context.name in _FRAME_BY_FRAME
    stream.thread_type = ThreadType.AUTO if by_frame else ThreadType.SLICE
    stream.codec_context.thread_count = THREADS
    return stream


def _sound_times(path: Path) -> list[float]:
    """Return what a file's clock says at each packet of its sound, in seconds, as far as they can be read."""
    times: list[float] = []
    with open_container(path) as container, suppress(*_UNREADABLE):
        stream = container.streams.best("audio")
        if stream is not None:
            unit, packets = time_base(stream), container.demux(stream)
            for packet in packets:
                if packet.pts is not None:
                    times.append(float(packet.pts * unit))
    return times


def _stated_frames(container: InputContainer, stream: VideoStream) -> int:
    """Return the number of frames that a file states, in so many words or by its duration; 0 if it does not."""
    if stream.frames or not stream.average_rate:
        return stream.frames
    if stream.duration and stream.time_base:
        return int(stream.duration * stream.time_base * stream.average_rate)
    return int((container.duration or 0) / av.time_base * stream.average_rate)


def _decoder_complains(path: Path, stream: int) -> bool:
    """Return whether ffmpeg, decoding the whole of a file's stream of that number, reports any error."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "error", *ffmpeg_input(path)]
    # Times of its own, because those of a clip whose rate varies would not suit the output and be complained of.
    command += ["-map", f"0:{stream}", "-vf", "setpts=N/TB", "-fps_mode", "passthrough", "-f", "null", "-"]
    return bool(subprocess.run(command, stderr=subprocess.PIPE, check=False).stderr.strip())
