"""The top of the page: what this is, and which model answers here."""

from __future__ import annotations

import html

import torch

from mpgsam2.network.model import MPGSAM2

PAPER = "https://arxiv.org/abs/2501.13667"

_ABILITIES = {
    "nano": "Trained on synthetic clips: finds coloured shapes by look or place, less surely by motion, and often "
    "notices what is not there.",
    "large-ytvos": "Trained on Ref-YouTube-VOS: everyday clips, one object named by a sentence.",
    "tiny-ytvos": "Trained on Ref-YouTube-VOS: everyday clips, one object named by a sentence.",
    "large-mevis": "Trained on MeViS: everyday clips, objects named by how they move.",
    "tiny-mevis": "Trained on MeViS: everyday clips, objects named by how they move.",
}


def head_html(model: MPGSAM2) -> str:
    """Title, one sentence, the link to the paper, and the badge of the model that runs."""
    return f"""
<header>
  <p class="eyebrow">MPG-SAM 2 · referring video object segmentation</p>
  <h1>Say what to look for. Get its mask in every frame.</h1>
  <p class="lead">Give a clip and a sentence: the network finds the object that the sentence names, marks it
  frame by frame, and shows how it came to its answer.
  <a href="{PAPER}" target="_blank" rel="noopener">Read the paper</a></p>
  {_badge(model)}
</header>"""


def _badge(model: MPGSAM2) -> str:
    ability = _ABILITIES.get(model.name, "A checkpoint of your own.")
    return (
        f'<p id="badge">Running here <b>{html.escape(model.name)}</b><b>{html.escape(_device_name(model.device))}</b>'
        f"<span>{ability}</span></p>"
    )


def _device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type.upper()
