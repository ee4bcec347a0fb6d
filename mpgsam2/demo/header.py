"""The top of the page: what this is, and which model answers here."""

from __future__ import annotations

import html
import os
import re
from collections.abc import Mapping, Sequence
from urllib.parse import quote

import torch

from mpgsam2.inference.segmenter import Segmenter

# What a GPU's name says of its maker, its memory and its form.
_MAKE = re.compile(
    r"NVIDIA |GeForce |Tesla | MIG .*| \w+ Server Edition| Laptop GPU|[ -](PCIe|SXM\d?|NVL|HBM\w*|\d+GB)(?![^ -])"
)
PAPER = "https://arxiv.org/abs/2501.13667"

_DATA = {
    "ytvos": ("Ref-YouTube-VOS", "Everyday clips, and one object named by what it is, looks like and does."),
    "mevis": ("MeViS", "Everyday clips, and objects named by how they move; in parts of 24 frames."),
}
_NANO = (
    "Finds everyday things and coloured shapes in drawn clips, by name, look, place or relation, less surely by "
    "motion, and mostly notices what is not there. Try the examples, or your own simple drawing; real footage is "
    "beyond it."
)


def head_html(models: Sequence[Segmenter], left_out: Mapping[str, str]) -> str:
    """Return the top of the page.

    Args:
        models: that run here, the usual one first.
        left_out: why others do not, a sentence by the model's name.

    Returns:
        Title, one sentence, links to the paper and to this Space's code, and a badge of every model.
    """
    return f"""
<header>
  <p class="eyebrow">MPG-SAM 2 · referring video object segmentation</p>
  <h1>Say what to look for. Get its mask in every frame.</h1>
  <p class="lead">Give a clip and a sentence: the network finds the object that the sentence names, marks it
  frame by frame, and shows how it came to its answer.
  {_link("Read the paper", PAPER)}{_code()}</p>
  {"".join(map(_badge, models, [True] + [False] * len(models)))}{_missing(left_out)}
</header>"""


def _link(text: str, address: str) -> str:
    return f'<a href="{address}" target="_blank" rel="noopener">{text}</a>'


def _code() -> str:
    """Return the code of the Space that this runs on; elsewhere the reader has it before them."""
    space = os.environ.get("SPACE_ID", "")
    return " · " + _link("See the code", f"https://huggingface.co/spaces/{quote(space)}/tree/main") if space else ""


def _badge(model: Segmenter, usual: bool) -> str:
    """Return what answers: "MPG-SAM 2 large, trained on Ref-YouTube-VOS, on an H200", and what that is good for."""
    size, _, data = model.name.partition("-")
    if data in _DATA:
        trained, good_for = _DATA[data]
        trained = f"trained on {trained}, "
    elif model.name == "nano":
        trained, good_for = "trained on synthetic clips, ", _NANO
    else:
        size, trained, good_for = model.name, "", "A checkpoint of your own."
    name = html.escape(f"MPG-SAM 2 {size}, {trained}on {device_in_words(model.device)}")
    where = "Running here" if usual else "Also here"
    return f'<p class="badge">{where} <b>{name}</b><span>{good_for}</span></p>'


def _missing(left_out: Mapping[str, str]) -> str:
    """Return why some models are not here; the same reason is told once."""
    reasons: dict[str, list[str]] = {}
    for name, reason in left_out.items():
        reasons.setdefault(reason, []).append(name)
    return "".join(
        f'<p class="badge">Not here <b>{html.escape(", ".join(names))}</b><span>{html.escape(reason)}</span></p>'
        for reason, names in reasons.items()
    )


def device_in_words(device: torch.device) -> str:
    """Return a device as sentences name it: "an H200", "an RTX PRO 6000", "the CPU"."""
    if device.type != "cuda":
        return f"the {device.type.upper()}"
    name = _MAKE.sub("", torch.cuda.get_device_name(device))
    return f"{'an' if name[0] in 'AEFHILMNORSX8' else 'a'} {name}"  # as the letters are spoken
