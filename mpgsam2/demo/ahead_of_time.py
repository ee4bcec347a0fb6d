"""Ahead-of-time compilation for ZeroGPU, where `torch.compile` would compile anew for every visitor."""

from __future__ import annotations

import spaces
import torch
from torch import Tensor, nn

from mpgsam2.inference.segmenter import Segmenter
from mpgsam2.network.device import MOST_IMAGES
from mpgsam2.network.model import MPGSAM2

_COMPILING_SECONDS = 600


def export_trunk(model: Segmenter) -> torch.export.ExportedProgram:
    """Export SAM 2's image encoder as one program, for 1 to 8 images at a time, in the model's dtype."""
    side = model.config.tracker.image_size
    images = torch.zeros(2, 3, side, side, device=model.device)
    batch = torch.export.Dim("batch", min=1, max=MOST_IMAGES)
    with torch.no_grad():
        return torch.export.export(_Trunk(model.network), (images,), dynamic_shapes=({0: batch},))


class _Trunk(nn.Module):
    """The image encoder with its dtype, since an exported program forgets the context that it was exported in."""

    def __init__(self, network: MPGSAM2) -> None:
        super().__init__()
        self.autocast = network.visual_model.autocast
        self.trunk = network.visual_model.image_encoder.trunk

    def forward(self, images: Tensor) -> list[Tensor]:
        with self.autocast():
            return self.trunk(images)


def compile_ahead(model: Segmenter) -> None:
    """Compile the image encoder, on a GPU that ZeroGPU lends for it, and use what comes out from now on.

    Its weights then live in the compiled program alone.
    """

    @spaces.GPU(duration=_COMPILING_SECONDS)
    def compiled() -> object:
        return spaces.aoti_compile(export_trunk(model))

    model.fingerprint  # noqa: B018  reckoned while the weights are there
    spaces.aoti_apply(compiled(), model.network.visual_model.image_encoder.trunk)
    model.network.compiled = True
