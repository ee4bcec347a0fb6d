"""The sound of a clip laid under a video made from it; runs in a process of its own, see `guard`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer

from mpgsam2.video.clock import Listener
from mpgsam2.video.containers import open_container, time_base
from mpgsam2.video.probe import Stretch
from mpgsam2.video.retime import MOVFLAGS

_SAMPLE_RATE = 48_000
_MAX_SAMPLES_OFF = _SAMPLE_RATE // 50  # before silence is put in, or sound left out
_LEAD_SECONDS = 1.0  # decoded before the first one wanted, because decoders need to get going
_UNREADABLE = (av.FFmpegError, OSError, ValueError, MemoryError)


def lay_under(video: Path, out: Path, source: Path, stretches: Sequence[Stretch], start: float, duration: float) -> str:
    """Copy an mp4 with a stretch of a clip's sound under it, as AAC in stereo.

    Every sample is put where the picture was when it was heard: silence where the sound pauses, and nothing of what
    was heard while the clip's clock had jumped.

    Args:
        video: the mp4.
        out: the copy; may be there half-written where the answer is not "kept".
        source: the clip's file.
        stretches: its clock.
        start, duration: what is wanted, in seconds since the clip's first frame.

    Returns:
        "kept"; "none" if the clip has no sound there; "unreadable" if it has some that cannot be read.
    """
    with open_container(source) as heard:
        stream = heard.streams.best("audio")
        if not isinstance(stream, AudioStream):
            return "unreadable" if heard.streams.audio else "none"
        if stream.codec_context is None:
            return "unreadable"
        track = _Track(heard, stream, Listener(stretches), start, round(duration * _SAMPLE_RATE))
        with av.open(str(video)) as seen, av.open(str(out), "w", format="mp4", options=MOVFLAGS["mp4"]) as together:
            _write(seen, track, together)
    if track.errors > track.decoded:
        return "unreadable"
    return "kept" if track.placed else "none"


def _write(seen: InputContainer, track: _Track, together: OutputContainer) -> None:
    """Write pictures and sound in turns, as players read them."""
    stream = seen.streams.video[0]
    pictures = together.add_stream_from_template(stream)
    sound = together.add_stream("aac", rate=_SAMPLE_RATE, layout="stereo", bit_rate=128_000)
    packets, unit = (packet for packet in seen.demux(stream) if packet.size), time_base(stream)
    waiting = next(packets, None)
    written = 0

    def catch_up(time: float | None) -> None:
        nonlocal waiting
        while waiting is not None and (time is None or (waiting.dts or 0) * unit <= time):
            waiting.stream = pictures
            together.mux(waiting)
            waiting = next(packets, None)

    for samples in track.samples():
        frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="stereo")
        frame.sample_rate, frame.time_base, frame.pts = _SAMPLE_RATE, Fraction(1, _SAMPLE_RATE), written
        written += samples.shape[1]
        catch_up(written / _SAMPLE_RATE)
        together.mux(sound.encode(frame))
    together.mux(sound.encode(None))
    catch_up(None)


class _Track:
    """A stretch of a clip's sound without gaps.

    Attributes:
        decoded, errors: packets that gave sound, and that could not be read.
        placed: samples of the clip's own.
    """

    def __init__(
        self, container: InputContainer, stream: AudioStream, listener: Listener, start: float, length: int
    ) -> None:
        self.decoded = self.errors = self.placed = 0
        self._container, self._stream, self._listener = container, stream, listener
        self._start, self._length = start, length
        self._resampler: tuple[object, av.AudioResampler] | None = None

    def samples(self) -> Iterator[np.ndarray]:
        """Yield (2, N) float32, from the start of the stretch to where its sound or the stretch ends."""
        position = 0
        for time, samples in self._heard():
            place = round((time - self._start) * _SAMPLE_RATE)
            if self.placed and abs(place - position) <= _MAX_SAMPLES_OFF:
                place = position
            if place >= self._length:
                return
            if place < position:
                samples = samples[:, position - place :]
                place = position
            samples = samples[:, : self._length - place]
            if not samples.size:
                continue
            while position < place:
                silence = min(place - position, _SAMPLE_RATE)
                yield np.zeros((2, silence), np.float32)
                position += silence
            yield samples
            position += samples.shape[1]
            self.placed += samples.shape[1]

    def _heard(self) -> Iterator[tuple[float, np.ndarray]]:
        """Yield the clip's sound from somewhat before the start, with its time since the clip's first frame."""
        stream, unit = self._stream, time_base(self._stream)
        following: float | None = None
        for packet in self._packets():
            stamp = None if packet.pts is None else float(packet.pts * unit)
            shown = None if stamp is None else self._listener.shown(stamp)
            if stamp is not None and (shown is None or shown < self._start - _LEAD_SECONDS):
                continue
            try:
                frames = stream.decode(packet)
            except _UNREADABLE:
                self.errors += 1
                continue
            self.decoded += bool(frames)
            for frame in frames:
                samples = self._resampled(frame)
                time = following if shown is None else shown
                if time is not None and samples.size:
                    following = time + samples.shape[1] / _SAMPLE_RATE
                    yield time, samples
                shown = following

    def _packets(self) -> Iterator[av.Packet]:
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
            except _UNREADABLE:
                self.errors += 1
                return
            if packet is None:
                return
            if packet.size:
                yield packet

    def _resampled(self, frame: av.AudioFrame) -> np.ndarray:
        """Return (2, N) float32."""
        kind = frame.sample_rate, frame.format.name, frame.layout.name
        if self._resampler is None or self._resampler[0] != kind:
            self._resampler = kind, av.AudioResampler("fltp", "stereo", _SAMPLE_RATE)
        frame.pts = None
        parts = [part.to_ndarray() for part in self._resampler[1].resample(frame)]
        return np.concatenate(parts, axis=1) if parts else np.zeros((2, 0), np.float32)
