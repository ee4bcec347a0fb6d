"""What tells the weights of one network from those of any other."""

from __future__ import annotations

import hashlib
from weakref import WeakKeyDictionary

import torch

from mpgsam2.network.model import MPGSAM2

_fingerprints: WeakKeyDictionary[torch.nn.Module, str] = WeakKeyDictionary()


def fingerprint(network: MPGSAM2) -> str:
    """Return the hex SHA-256 of a network's weights: of their names in order, dtypes, shapes and bytes.

    Two networks have the same one if and only if they hold the same weights, wherever these came from and on whatever
    device they are. It is reckoned once for each network, so the weights must not change afterwards.
    """
    shared = network.mm_extractor  # by the network in every dtype
    if shared not in _fingerprints:
        digest = hashlib.sha256()
        for name, tensor in sorted(network.state_dict().items()):
            digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
            digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
        _fingerprints[shared] = digest.hexdigest()
    return _fingerprints[shared]
