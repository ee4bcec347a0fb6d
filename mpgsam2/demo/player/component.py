"""The player as a Gradio component."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import gradio as gr

from mpgsam2.demo.player.value import PlayerValue
from mpgsam2.export.drawing import hex_of, is_light
from mpgsam2.palette import PALETTE, PALETTE_NAMES

_FOLDER = Path(__file__).parent
_STYLES = ("panes.css", "controls.css", "timeline.css", "insight.css")
# Gradio runs a component's script as the body of one function: the files share its scope, each builds on those before.
_SCRIPTS = (
    *("dom.js", "files.js", "transport.js", "take_home.js", "panes.js"),
    *("levels.js", "compose.js", "look.js", "overlay.js"),
    *("series.js", "chart.js", "meanings.js", "timeline.js", "insight.js", "player.js"),
)


class Player(gr.HTML):
    """Three panes in step, their controls and a timeline; its value is a `PlayerValue`, or None for a blank player.

    Gradio keeps the value's files in its cache and serves them. The template itself holds no value: Gradio would run a
    visitor's text in it as code. The scripts put text in as text.

    Args:
        value: what it shows at first.
        options: of every Gradio component, such as `elem_id` and `visible`.
    """

    data_model = PlayerValue

    def __init__(self, value: PlayerValue | None = None, **options: Any) -> None:
        super().__init__(
            value,
            html_template=_read("player.html"),
            css_template="\n".join(map(_read, _STYLES)),
            js_on_load="\n".join(['"use strict";', _palette(), *map(_read, _SCRIPTS)]),
            apply_default_css=False,
            **options,
        )

    def api_info(self) -> dict[str, Any]:
        """Return the JSON schema of the value, in place of the string that `gr.HTML` states."""
        return self.data_model.model_json_schema()


def _palette() -> str:
    """Return the colours of masks, for the scripts."""
    colours = [
        {"name": name, "rgb": colour, "colour": hex_of(colour), "light": is_light(colour)}
        for name, colour in zip(PALETTE_NAMES, PALETTE, strict=True)
    ]
    return f"const PALETTE = {json.dumps(colours)};"


@cache  # Gradio makes every component anew with each update of the page
def _read(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")
