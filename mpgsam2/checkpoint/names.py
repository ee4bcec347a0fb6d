"""How the files of a checkpoint are called (network.md 7)."""

from __future__ import annotations

import re

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "model.safetensors"
INDEX = ".index.json"
"""Ends the name of a file that says which tensor is in which shard."""

STANDARD_FILES = (WEIGHTS_FILE, "pytorch_model.bin")
"""What `save_pretrained` calls the weights, or what their shards begin with; the first is preferred."""

SUFFIXES = (".safetensors", ".bin", ".pt", ".pth", ".ckpt")
"""What a file of weights ends in, in lower case, the preferred ones first."""

SHARD = re.compile(r"(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})(?P<suffix>\.\w+)")
"""The name of one of several files that hold a checkpoint together."""


def is_weights(name: str) -> bool:
    """Return whether a file of that name may hold a network's weights, rather than what else lies beside them."""
    name = name.lower()
    return name.endswith(SUFFIXES) and not _TRAINING.search(name) and not _START.fullmatch(name)


# What trainers save beside the weights, to go on from it.
_TRAINING = re.compile(r"(?<![a-z])(optim|optimizer|scheduler|scaler|rng|random_states|training_args)(?![a-z])")
# BEiT-3's and SAM 2's own weights, from which training starts.
_START = re.compile(r"beit3_.*patch\d+_\d+.*|sam2(\.1)?_hiera_(tiny|small|base_plus|large|t|s|b\+|l)\.\w+")
