"""SAM 2's image encoder, its first stages strip by strip (Ryali et al., "Hiera", 2023)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from sam2.modeling.backbones.hieradet import Hiera
from torch import Tensor
from torch.overrides import TorchFunctionMode

from mpgsam2.network.constant import Constant
from mpgsam2.network.ways import is_plain

_STRIP_SIZE = 2**20  # numbers; the widest of a block's arrays is four times as large


class StripwiseHiera(Hiera):
    """Hiera that takes the stages of windowed attention in strips of whole windows, with the same result.

    Up to the third stage windows of a quarter, then half the resolution tile the image alike and do not see each
    other. Strips small enough for the processor's cache spare the memory the widest arrays of the network.
    """

    def __init__(self, **sizes: Any) -> None:
        """Build it; `sizes` are those of SAM 2's Hiera."""
        with _ReadableNumbers():
            super().__init__(**sizes)
        self._positions = Constant()

    def forward(self, images: Tensor) -> list[Tensor]:
        """Map B × 3 × S × S to the four stages' features, B × channels × S/4 × S/4 to S/32 × S/32."""
        if is_plain():
            return super().forward(images)
        x = self.patch_embed(images.contiguous(memory_format=torch.channels_last))
        x = x + self._get_pos_embed(x.shape[1:3])  # B × S/4 × S/4 × channels
        first, second = self.stage_ends[:2]
        window = self.window_spec[0]
        rows = x.shape[1]
        if x.is_cpu and not torch.compiler.is_compiling():
            rows = window * max(1, _STRIP_SIZE // x[:, :window].numel())
        strips = [self._run(strip, range(second + 1)) for strip in x.split(rows, dim=1)]
        stages = {end: torch.cat([strip[end] for strip in strips], dim=1) for end in (first, second)}
        stages |= self._run(stages[second], range(second + 1, len(self.blocks)))
        return [stages[end].permute(0, 3, 1, 2) for end in self.stage_ends]

    def _get_pos_embed(self, hw: tuple[int, int]) -> Tensor:
        """Return 1 × H × W × channels."""
        enlarge = super()._get_pos_embed
        return self._positions(lambda: enlarge(hw).contiguous(), self.pos_embed, self.pos_embed_window, size=hw)

    def _run(self, x: Tensor, blocks: range) -> dict[int, Tensor]:
        """Take B × H × W × channels through some blocks; what leaves each stage, by the stage's last block."""
        stages = {}
        for number in blocks:
            x = self.blocks[number](x)
            if number in self.stage_ends:
                stages[number] = x
        return stages


class _ReadableNumbers(TorchFunctionMode):
    """Within this context `linspace` is on the processor: Hiera reads numbers of it, also when built on "meta"."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = {**(kwargs or {}), **({"device": "cpu"} if func is torch.linspace else {})}
        return func(*args, **kwargs)
