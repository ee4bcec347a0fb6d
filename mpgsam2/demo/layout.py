"""Where everything stands on the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import gradio as gr
from starlette.middleware import Middleware

from mpgsam2.demo.api import serve
from mpgsam2.demo.clip_inspection import ClipInspectors
from mpgsam2.demo.example_handlers import connect_examples
from mpgsam2.demo.examples import FOLDER, build_examples, load_examples, own_files, own_places
from mpgsam2.demo.frames import LIMITS
from mpgsam2.demo.gpu import frame_loop
from mpgsam2.demo.handlers import connect
from mpgsam2.demo.header import head_html
from mpgsam2.demo.home import home
from mpgsam2.demo.mcp import mcp_wanted
from mpgsam2.demo.models import by_name
from mpgsam2.demo.options import build_options, build_sentences
from mpgsam2.demo.page import Page
from mpgsam2.demo.player import Player
from mpgsam2.demo.request_filter import RequestFilter
from mpgsam2.demo.scheduler import Scheduler
from mpgsam2.demo.scripts import script
from mpgsam2.demo.sessions import Sessions
from mpgsam2.demo.shared import Shares
from mpgsam2.demo.status import IDLE, status_html
from mpgsam2.demo.theme import STYLESHEET, build_theme
from mpgsam2.demo.trim import build_trim
from mpgsam2.demo.vocabulary_help import build_words
from mpgsam2.demo.zip_button import ZipButton
from mpgsam2.inference.segmenter import Segmenter

_MAX_EVENTS = 200  # that may wait in Gradio's queue; runs have a line of their own


def build_demo(
    models: Sequence[Segmenter], examples: Path = FOLDER, *, left_out: Mapping[str, str] | None = None
) -> gr.Blocks:
    """Return the page, ready for `launch(**launch_options())`.

    Args:
        models: as `load_model` returns them, already on the device where they run; the first is the usual one.
        examples: folder with `examples.json` and its clips; without that list there are no examples.
        left_out: why other models do not run here, a sentence by the model's name.

    Raises:
        InputError: two of the models have the same name.
    """
    home()  # before Gradio asks where its files go
    named = by_name(models)
    loaded = load_examples(examples, *(model.fingerprint for model in models))
    gr.set_static_paths(own_places(examples))  # served where they lie: a copy would be somebody's to delete
    sessions = Sessions(own_files(examples))
    scheduler = Scheduler(named, frame_loop(named), sessions)
    with gr.Blocks(title="MPG-SAM 2", analytics_enabled=False) as demo:
        gr.HTML(head_html(models, left_out or {}), elem_id="head")
        with gr.Row(elem_id="inputs", equal_height=False):
            with gr.Column(min_width=300, scale=6):
                clip = gr.Video(label="Clip", sources=["upload", "webcam"], height="min(400px, 64vw)", elem_id="clip")
                trim = build_trim()
                notice = gr.HTML("", js_on_load=script("camera"), elem_id="notice")
            with gr.Column(min_width=300, scale=7):
                sentences = build_sentences()
                build_words(models)
                run = gr.Button("Run", variant="primary", elem_id="run")
                cards = build_examples(loaded)
                settings = build_options(sentences, list(named))
        with gr.Row(elem_id="progress"):
            status = gr.HTML(status_html(IDLE), js_on_load=script("busy"), elem_id="status")
            stop = gr.Button("Stop", visible=False, scale=0, min_width=120)
        player = Player(elem_id="player")
        with gr.Row(elem_id="home", equal_height=False):
            everything: dict[str, Any] = {"visible": False, "scale": 0, "min_width": 260}
            files = gr.Button("Download everything (.zip)", elem_id="bundle", **everything)
            bundle = ZipButton("Download everything (.zip)", elem_id="shared-bundle", **everything)
            copy_link = gr.Button("Copy a link to these settings", scale=0, min_width=260, elem_id="copy-link")
            share = gr.Button("Copy a link to this result", visible=False, scale=0, min_width=260, elem_id="share")
            link = gr.Textbox(
                label="Link to these settings",
                show_label=False,
                container=False,
                interactive=False,
                max_lines=1,
                placeholder="Every setting, but neither clip nor ground truth.",
                elem_id="link",
            )
        example = gr.Textbox("", visible=False)
        page = Page(
            clip=clip,
            settings=settings,
            trim=trim,
            notice=notice,
            run=run,
            stop=stop,
            status=status,
            player=player,
            files=files,
            bundle=bundle,
            shown=gr.State(),
            share=share,
            token=gr.Textbox("", visible=False),
            example=example,
            link=link,
            copy_link=copy_link,
        )
        completed = connect(page, scheduler, ClipInspectors(), sessions)
        connect_examples(page, demo, cards, loaded, models[0].name, Shares(), completed)
        serve(page, scheduler)
        demo.unload(scheduler.ended)
        demo.unload(sessions.ended)
    demo.sessions = sessions  # for the gate
    return demo.queue(max_size=_MAX_EVENTS, api_open=False)


def launch_options() -> dict[str, Any]:
    """Return what belongs to the page but is given to `launch`."""
    return {
        "theme": build_theme(),
        "css_paths": STYLESHEET,
        "footer_links": ["api", "settings"],
        "max_file_size": LIMITS.bytes,
        # Named, because the page may be started from another folder.
        "allowed_paths": [str(place) for place in own_places(FOLDER)],
        "run_history": False,
        "enable_monitoring": False,
        "app_kwargs": {"middleware": [Middleware(RequestFilter)]},
        "mcp_server": mcp_wanted(),
        "_frontend": False,  # or Gradio asks itself for the page, and gives up where a busy machine takes three seconds
    }
