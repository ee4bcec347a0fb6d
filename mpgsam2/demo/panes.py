"""The three pictures of a run side by side: stills while it goes on, videos at its end."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import gradio as gr
import numpy as np

from mpgsam2.demo.pictures import data_uri, shrunk
from mpgsam2.pipeline import Progress
from mpgsam2.render import PALETTE, overlay, prior_heatmap, probability_map

_SCALE = '<div class="legend">0<i class="scale"></i>1</div>'
_SWATCH = f'<div class="legend"><i class="swatch" style="background: rgb{PALETTE[0]}"></i>the object</div>'
_TEXTS = (
    ("prior", "Mask prior", "Where the sentence points in each frame, before any tracking.", _SCALE),
    ("masks", "Per-frame masks", "How sure the network is of every pixel, before the threshold.", _SCALE),
    ("overlay", "Final overlay", "The mask above one half, laid over the clip.", _SWATCH),
)


@dataclass(frozen=True)
class Pane:
    """One picture: its heading, then either the still or the video."""

    title: str
    still: gr.HTML
    video: gr.Video


def build_panes() -> tuple[Pane, Pane, Pane]:
    """Place prior, masks and overlay in a row, which becomes a column on a narrow screen."""
    with gr.Row(elem_id="panes", equal_height=False):
        return tuple(_build_pane(*texts) for texts in _TEXTS)


def _build_pane(name: str, title: str, caption: str, legend: str) -> Pane:
    with gr.Column(elem_id=f"pane-{name}", elem_classes="pane", min_width=280):
        gr.HTML(f"<h2>{title}</h2><p>{caption}</p>{legend}", elem_classes="caption")
        still = gr.HTML(blank(), elem_classes="still")
        video = gr.Video(
            label=title, show_label=False, interactive=False, visible=False, loop=True, buttons=["download"]
        )
    return Pane(title, still, video)


def blank() -> str:
    """HTML of a pane that has nothing to show."""
    return '<div class="blank"></div>'


def stills(progress: Progress) -> tuple[str, str, str]:
    """HTML of the newest frame's prior, mask probability and overlay, with the pictures inside as small JPEGs."""
    frame, result = progress.frame, progress.result
    size = shrunk(*frame.shape[:2])
    frame = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
    probability = cv2.resize(np.float32(result.probability), size, interpolation=cv2.INTER_AREA)
    mask = cv2.resize(result.mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST).astype(bool)
    pictures = (prior_heatmap(frame, result.prior), probability_map(probability), overlay(frame, mask))
    return tuple(
        f'<img src="{data_uri(picture)}" alt="{title} of frame {progress.index + 1}">'
        for (_, title, *_), picture in zip(_TEXTS, pictures, strict=True)
    )
