"""Tensors by name: what training leaves in front of the names, and strict loading that says what does not fit."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from mpgsam2.errors import InputError

_PREFIXES = ("module.", "evf_model.")  # training can leave either or both in front of every name
_MAX_NAMES = 3  # of tensors of each kind, in the error


def strip_prefixes(state_dict: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Drop the prefixes that training left in front of every name (network.md 7)."""
    state_dict = dict(state_dict)
    for prefix in _PREFIXES:
        if state_dict and all(name.startswith(prefix) for name in state_dict):
            state_dict = {name.removeprefix(prefix): tensor for name, tensor in state_dict.items()}
    return state_dict


def load_strict(module: nn.Module, state_dict: Mapping[str, Tensor], *, assign: bool = False) -> None:
    """Load every tensor of `module`, in float32.

    Args:
        module: any.
        state_dict: a tensor for each of its own.
        assign: what is float32 already is not copied, but becomes the module's own, whether it is in memory or mapped
            from a file.

    Raises:
        InputError: tensors are missing, unexpected or wrongly shaped; the sentence counts and names them.
    """
    own = module.state_dict()
    wrong = [
        f"{name} {tuple(state_dict[name].shape)} instead of {tuple(own[name].shape)}"
        for name in own
        if name in state_dict and own[name].shape != state_dict[name].shape
    ]
    problems = {
        "missing": [name for name in own if name not in state_dict],
        "unexpected": [name for name in state_dict if name not in own],
        "wrongly shaped": wrong,
    }
    if any(problems.values()):
        parts = [
            f"{len(names)} {kind} ({', '.join(names[:_MAX_NAMES])}{', …' if len(names) > _MAX_NAMES else ''})"
            for kind, names in problems.items()
            if names
        ]
        raise InputError(f"The checkpoint does not fit the network: tensors {'; '.join(parts)}.")
    if assign:
        state_dict = {name: tensor.float().contiguous() for name, tensor in state_dict.items()}
    module.load_state_dict(state_dict, assign=assign)
