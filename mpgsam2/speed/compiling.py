"""`torch.compile` for the parts that take the most time."""

from __future__ import annotations

from mpgsam2.network.model import MPGSAM2


def compile_parts(network: MPGSAM2) -> None:
    """Compile BEiT-3's blocks, Hiera and SAM 2's memory attention, in place; each at its first call."""
    network.beit3.encoder.compile()
    network.visual_model.image_encoder.trunk.compile()
    network.visual_model.memory_attention.compile(dynamic=True)  # its memories grow with the first frames
