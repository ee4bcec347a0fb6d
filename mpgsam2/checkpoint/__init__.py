"""From a name to a ready model: find the checkpoint, download it if it is on the hub, read it, load it strictly.

A checkpoint is a folder as `save_pretrained` leaves it (weights in one file or in shards, perhaps a `config.json`, and
the vocabulary's files), or a single file of weights with the vocabulary near it. Both may lie anywhere in a folder or
in a repository of the hub.
"""

from __future__ import annotations

from mpgsam2.checkpoint.find import PUBLISHED, SHORT_NAMES
from mpgsam2.checkpoint.load import MEVIS_WINDOW, load_model
from mpgsam2.checkpoint.save import check_replaceable, save_checkpoint

__all__ = [
    "MEVIS_WINDOW",
    "PUBLISHED",
    "SHORT_NAMES",
    "check_replaceable",
    "load_model",
    "save_checkpoint",
]
