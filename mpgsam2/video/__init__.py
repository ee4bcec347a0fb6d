"""Clips in, videos out, one frame at a time.

- `open_clip` looks at a video file or a folder of images before any other work and refuses what cannot be used;
- `Clip` hands its frames out, as often as it is iterated over, in constant memory;
- `select` takes a part of a clip, which is a clip again: a range of frames, every n-th, at a smaller size;
- `hold` has a clip's frames decoded once in a run, however often they are read;
- `VideoWriter` takes frames one by one and leaves an mp4 that every browser plays;
- `CutOutWriter` takes frames with transparency and leaves a WebM that keeps it;
- `add_sound` puts a clip's sound under an mp4 made from it.

Each kind of clip has its own reader: `file` for video files, `animation` for animated WebP and PNG, `folder` for
folders of images. What strangers send is first looked over in a process of its own (`guard`).

What a clip's frames are:

- every frame that can be decoded, once each, in the order shown; nothing is dropped or doubled;
- a phone's rotation (and a photo's, from its EXIF) is applied and pixels are made square, so width and height are those
  that the viewer sees; otherwise nothing is rescaled;
- colours are those that ffmpeg itself shows; a high dynamic range is brought into the ordinary one;
- transparency is ignored: the colours stored under it are the frame;
- each has the time at which it is shown, also where the frame rate varies or the file's clock jumps.
"""

from mpgsam2.video.clip import Clip, open_clip
from mpgsam2.video.cutout import CutOutWriter
from mpgsam2.video.folder import FOLDER_RATE
from mpgsam2.video.held import hold
from mpgsam2.video.limits import Limits
from mpgsam2.video.selection import SelectedClip, Selection, select
from mpgsam2.video.sound import Sound, add_sound
from mpgsam2.video.writer import EncoderError, VideoWriter

__all__ = [
    "FOLDER_RATE",
    "Clip",
    "CutOutWriter",
    "EncoderError",
    "Limits",
    "SelectedClip",
    "Selection",
    "Sound",
    "VideoWriter",
    "add_sound",
    "hold",
    "open_clip",
    "select",
]
