"""How a worker of ZeroGPU hands over what it made: in a file, of which only the name is sent.

Workers are killed when their time is up. One that is killed while it sends a picture leaves half a message in the pipe,
for whose rest the page would wait, the slot taken, until ZeroGPU's client gives up after 20 minutes. A name is shorter
than what a pipe takes as a whole or not at all (`select.PIPE_BUF`).
"""

from __future__ import annotations

import pickle
from pathlib import Path

from mpgsam2.inference.results import FrameResult
from mpgsam2.network.insight import Sight

Made = tuple[tuple[FrameResult, ...], list[Sight]]
"""The results of one frame, and what was seen of the network since the one before."""


def hand_over(made: Made, folder: Path) -> str:
    """Write what was made of one frame to a file; returns its name."""
    name = str(made[0][0].index)
    with (folder / name).open("wb") as file:
        pickle.dump(made, file, pickle.HIGHEST_PROTOCOL)
    return name


def take(name: str, folder: Path) -> Made:
    """Read what was handed over, and remove the file."""
    file = folder / name
    made = pickle.loads(file.read_bytes())
    file.unlink()
    return made
