"""A function of tensors as one CUDA graph, which the host launches in a single call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves, tree_map


class Graphed:
    """A function whose kernels are recorded once and then replayed for other tensors of the same shapes.

    One frame of the tracker is several hundred small kernels, and launching them one by one takes the host longer than
    running them takes the GPU.

    Args:
        function: of tensors, perhaps in tuples and lists; what it does must not depend on their values.
        arguments: to record it with.
    """

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        own = tree_map(_copy, arguments)
        self._inputs = tree_leaves(own)
        # Libraries choose their kernels and take their workspaces at the first calls, which must not be recorded.
        aside = torch.cuda.Stream()
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):
            for _ in range(2):
                function(*own)
        torch.cuda.current_stream().wait_stream(aside)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):
            self._outputs = function(*own)

    def __call__(self, *arguments: Any) -> Any:
        """Return what the function returns for these arguments, in tensors of its own."""
        for own, given in zip(self._inputs, tree_leaves(arguments), strict=True):
            if isinstance(own, Tensor):
                own.copy_(given)
        self._graph.replay()
        return tree_map(_copy, self._outputs)


def _copy(x: Any) -> Any:
    return x.clone() if isinstance(x, Tensor) else x
