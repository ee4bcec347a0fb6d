"""Clips in, videos out, one frame at a time.

- `open_clip` looks at a video file or a folder of images before any other work and refuses what cannot be used;
- `Clip` hands its frames out, as often as it is iterated over, in constant memory;
- `VideoWriter` takes frames one by one and leaves an mp4 that every browser plays.

Each kind of clip has its own reader: `file` for video files, `folder` for folders of images.

What a clip's frames are:

- every frame that can be decoded, once each, in the order shown; nothing is dropped, doubled or rescaled;
- a phone's rotation (and a photo's, from its EXIF) is applied, so width and height are those the viewer sees;
- transparency is ignored: the colours stored under it are the frame;
- a clip whose frame rate varies keeps all of its frames and takes its mean rate, so results last as long as the clip.
"""

from mpgsam2.video.clip import Clip, open_clip
from mpgsam2.video.folder import FOLDER_RATE
from mpgsam2.video.limits import Limits
from mpgsam2.video.writer import VideoWriter

__all__ = ["FOLDER_RATE", "Clip", "Limits", "VideoWriter", "open_clip"]
