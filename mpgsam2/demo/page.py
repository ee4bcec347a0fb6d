"""The components that the handlers speak to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.components import Component

from mpgsam2.demo.player import Player


@dataclass(frozen=True)
class Page:
    """What a visitor fills in, presses and sees."""

    clip: gr.Video
    settings: dict[str, Component]  # by `SETTINGS`, in that order
    trim: gr.HTML  # handles of the first and the last frame
    notice: gr.HTML  # which frames of the clip will be used
    run: gr.Button
    stop: gr.Button
    status: gr.HTML
    player: Player
    files: gr.Button  # writes all files of the result in the look that is chosen, and hands them out
    bundle: gr.DownloadButton  # the zip of all files; seen where it is there from the beginning, of a shared result
    shown: gr.State  # what the player shows, a `shown_result.Shown`
    share: gr.Button
    token: gr.Textbox  # unseen: of the result that is being shared
    example: gr.Textbox  # unseen: name of the example that is shown, for links
    link: gr.Textbox
    copy_link: gr.Button


def event_of(component: Component, name: str) -> Callable[..., Any]:
    """Return an event of a component, such as "change": Gradio makes these methods when a class is made."""
    return getattr(component, name)
