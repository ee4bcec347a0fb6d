"""Building a network without drawing its first weights, for when a checkpoint's tensors take their place at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch.overrides import TorchFunctionMode


class SkipInitialisation(TorchFunctionMode):
    """Within this context `torch.nn.init` does nothing, so that parameters keep whatever the memory held.

    Only for networks of which every tensor is replaced afterwards. Drawing the large network's weights takes half a
    minute; memory that nothing is written to costs nothing. What a module computes while it is built, such as tables of
    positions, is there as ever (it would not be, were it built on the meta device).
    """

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if getattr(func, "__module__", None) == "torch.nn.init":
            return args[0] if args else kwargs["tensor"]
        return func(*args, **kwargs)
