"""Where everything stands on the page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from mpgsam2.demo.about import ABOUT
from mpgsam2.demo.api import serve
from mpgsam2.demo.examples import FOLDER, build_examples, load_examples
from mpgsam2.demo.gpu import frame_loop
from mpgsam2.demo.handlers import connect
from mpgsam2.demo.head import head_html
from mpgsam2.demo.page import Page
from mpgsam2.demo.panes import build_panes
from mpgsam2.demo.run import LIMITS
from mpgsam2.demo.status import IDLE, status_html
from mpgsam2.demo.theme import STYLESHEET, build_theme
from mpgsam2.network.model import MPGSAM2

_QUEUE = 20  # visitors who may wait
_HOUR = 3600  # seconds


def build_demo(model: MPGSAM2, examples: Path = FOLDER) -> gr.Blocks:
    """The page, ready for `launch(**launch_options())`.

    Args:
        model: as `load_model` returns it, already on the device where it runs.
        examples: folder with `examples.json` and its clips; without that list there are no examples.
    """
    loop = frame_loop(model)
    with gr.Blocks(title="MPG-SAM 2", analytics_enabled=False, delete_cache=(_HOUR, _HOUR)) as demo:
        page = _build_page(model, examples)
        connect(page, model, loop)
        serve(page, model, loop)
    return demo.queue(max_size=_QUEUE)


def launch_options() -> dict[str, Any]:
    """What belongs to the page but is given to `launch`."""
    return {
        "theme": build_theme(),
        "css_paths": STYLESHEET,
        "footer_links": ["api", "settings"],
        "max_file_size": LIMITS.bytes,
        "allowed_paths": [str(FOLDER)],
        "run_history": False,
    }


def _build_page(model: MPGSAM2, examples: Path) -> Page:
    gr.HTML(head_html(model), elem_id="head")
    with gr.Row(elem_id="inputs", equal_height=False):
        with gr.Column(min_width=300, scale=6):
            clip = gr.Video(label="Clip", sources=["upload"], height="min(400px, 64vw)", elem_id="clip")
        with gr.Column(min_width=300, scale=7):
            expression = gr.Textbox(
                label="Sentence",
                placeholder="the red circle that moves to the left",
                max_lines=1,
                elem_id="expression",
            )
            run = gr.Button("Run", variant="primary")
            build_examples(load_examples(examples), clip, expression)
    with gr.Row(elem_id="progress"):
        status = gr.HTML(status_html(IDLE), elem_id="status")
        leave = gr.Button("Stop", visible=False, scale=0, min_width=120)
        stop = gr.Button("Stop", visible=False, scale=0, min_width=120)
    panes = build_panes()
    bundle = gr.DownloadButton("Download masks and record (.zip)", visible=False, elem_id="bundle")
    gr.HTML(ABOUT, elem_id="about")
    record = gr.JSON(label="Record", visible=False)
    return Page(clip, expression, run, leave, stop, status, panes, bundle, record)
