"""Building a network without drawing its first weights, for when a checkpoint's take their place at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch.overrides import TorchFunctionMode


class SkipInitialisation(TorchFunctionMode):
    """Within this context `torch.nn.init` does nothing, so that parameters keep whatever the memory held.

    Only for networks of which every tensor is loaded afterwards. Drawing the large network's weights takes half a
    minute and touches all of its memory once more than need be; buffers that a module computes stay as they are (they
    would not, were it built on the meta device).
    """

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if getattr(func, "__module__", None) == "torch.nn.init":
            return args[0] if args else kwargs["tensor"]
        return func(*args, **kwargs)
