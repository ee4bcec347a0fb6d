"""What lossy compression leaves of pictures: JPEG of each alone, H.264 of a clip."""

from __future__ import annotations

import subprocess
from typing import cast

import cv2
import numpy as np


def through_jpeg(frames: np.ndarray, quality: int) -> np.ndarray:
    """Return (T, H, W, 3) uint8 RGB frames as JPEG of a quality in 0..100 gives them back."""
    decoded = np.empty_like(frames)
    for frame, out in zip(frames, decoded, strict=True):
        bgr = cv2.cvtColor(frame, cv2.COLOR_RGB2BGR)
        coded = cv2.imencode(".jpg", bgr, (cv2.IMWRITE_JPEG_QUALITY, quality))[1]
        cv2.cvtColor(cast(np.ndarray, cv2.imdecode(coded, cv2.IMREAD_COLOR)), cv2.COLOR_BGR2RGB, dst=out)
    return decoded


def through_h264(frames: np.ndarray, crf: int) -> np.ndarray:
    """Return (T, H, W, 3) uint8 RGB frames of even size as H.264 gives them back; crf: 0 (lossless) to 51.

    Raises OSError where the encoder or the decoder fails.
    """
    height, width = frames.shape[1:3]
    raw = ["-f", "rawvideo", "-pix_fmt", "rgb24"]
    # one thread: the bytes must not depend on the machine's number of cores
    coding = ["-vf", "scale=out_color_matrix=bt709:out_range=tv", "-pix_fmt", "yuv420p", "-c:v", "libx264"]
    coding += ["-preset", "veryfast", "-crf", str(crf), "-threads", "1", "-f", "h264"]
    coded = _ffmpeg([*raw, "-s", f"{width}x{height}", "-i", "-", *coding, "-"], frames.tobytes())
    decoding = ["-threads", "1", "-f", "h264", "-i", "-", "-fps_mode", "passthrough"]
    decoding += ["-vf", "scale=in_color_matrix=bt709:in_range=tv", *raw, "-"]
    return np.frombuffer(_ffmpeg(decoding, coded), np.uint8).reshape(frames.shape).copy()


def _ffmpeg(arguments: list[str], given: bytes) -> bytes:
    """Return what ffmpeg makes of the bytes given, standard input to standard output."""
    import imageio_ffmpeg  # only here: training may run where there is none, on clips without H.264

    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-filter_threads", "1", *arguments]
    done = subprocess.run(command, input=given, capture_output=True, check=False)
    if done.returncode:
        raise OSError(f"ffmpeg failed: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout
