"""Floating-point operations, counted as they are asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry, sdpa_flop_count

_aten = torch.ops.aten


class FlopCounter(TorchDispatchMode):
    """Within this context operations of matrix products, convolutions and attention are counted.

    A multiplication and the addition after it are two. Norms, activations and softmax, few beside these, are left out.
    The counts are those of `torch.utils.flop_counter`, whose own counter hangs on modules and fails in inference mode
    and which does not know the processor's attention.

    Attributes:
        total: so far.
    """

    def __init__(self) -> None:
        super().__init__()
        self.total = 0

    def __torch_dispatch__(
        self,
        func: torch._ops.OpOverload,
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        operation = func.overloadpacket
        if operation not in flop_registry and operation is not _aten._scaled_dot_product_flash_attention_for_cpu:
            with self:  # such as `linear`, which is a product and an addition
                parts = func.decompose(*args, **kwargs)
            if parts is not NotImplemented:
                return parts
        result = func(*args, **kwargs)
        if operation in flop_registry:
            self.total += flop_registry[operation](*args, **kwargs, out_val=result)
        elif operation is _aten._scaled_dot_product_flash_attention_for_cpu:
            self.total += sdpa_flop_count(*(x.shape for x in args[:3]))
        return result
