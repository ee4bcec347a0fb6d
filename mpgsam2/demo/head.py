"""The top of the page: what this is, and which model answers here."""

from __future__ import annotations

import html
import os
from collections.abc import Sequence
from urllib.parse import quote

import torch

from mpgsam2.network.model import MPGSAM2

PAPER = "https://arxiv.org/abs/2501.13667"

_ABILITIES = {
    "nano": "Trained on synthetic clips: finds coloured shapes by look, place or relation, less surely by motion, and "
    "mostly notices what is not there. Try the examples, or your own simple clip.",
    "large-ytvos": "Trained on Ref-YouTube-VOS: everyday clips, one object named by a sentence.",
    "tiny-ytvos": "Trained on Ref-YouTube-VOS: everyday clips, one object named by a sentence.",
    "large-mevis": "Trained on MeViS: everyday clips, objects named by how they move.",
    "tiny-mevis": "Trained on MeViS: everyday clips, objects named by how they move.",
}


def head_html(models: Sequence[MPGSAM2]) -> str:
    """Title, one sentence, links to the paper and to this Space's code, and a badge of every model that runs."""
    return f"""
<header>
  <p class="eyebrow">MPG-SAM 2 · referring video object segmentation</p>
  <h1>Say what to look for. Get its mask in every frame.</h1>
  <p class="lead">Give a clip and a sentence: the network finds the object that the sentence names, marks it
  frame by frame, and shows how it came to its answer.
  {_link("Read the paper", PAPER)}{_code()}</p>
  {"".join(map(_badge, models))}
</header>"""


def _link(text: str, address: str) -> str:
    return f'<a href="{address}" target="_blank" rel="noopener">{text}</a>'


def _code() -> str:
    """The code of the Space that this runs on; elsewhere the reader has it before them."""
    space = os.environ.get("SPACE_ID", "")
    return " · " + _link("See the code", f"https://huggingface.co/spaces/{quote(space)}/tree/main") if space else ""


def _badge(model: MPGSAM2) -> str:
    ability = _ABILITIES.get(model.name, "A checkpoint of your own.")
    return (
        f'<p class="badge">Running here <b>{html.escape(model.name)}</b>'
        f"<b>{html.escape(_device_name(model.device))}</b>"
        f"<span>{ability}</span></p>"
    )


def _device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type.upper()
