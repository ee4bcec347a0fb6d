"""What parameters alone determine, made once."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from mpgsam2.network.ways import is_plain


class Constant:
    """Keeps a tensor that was made of parameters, until they change or another one is asked for."""

    _made_of: tuple[object, ...] | None = None
    _made: Tensor

    def __call__(self, make: Callable[[], Tensor], *parameters: Tensor, size: tuple[int, ...] = ()) -> Tensor:
        """Return what `make` returns; made anew each time where there is something to learn or a compiler looks on.

        Args:
            make: of the parameters and the size, nothing else.
            parameters, size: what it depends on.
        """
        if is_plain() or torch.is_grad_enabled() or torch.compiler.is_compiling():
            return make()
        made_of = (*size, *((parameter.data_ptr(), parameter._version) for parameter in parameters))
        if self._made_of != made_of:
            self._made_of, self._made = made_of, make()
        return self._made
