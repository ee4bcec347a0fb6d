"""The looks: Gradio's plain theme in the page's own colours. Only the visitor's own fonts, so none is asked for."""

from __future__ import annotations

from pathlib import Path

import gradio as gr
from gradio.themes import Font

STYLESHEET = Path(__file__).with_name("demo.css")


def build_theme() -> gr.themes.Base:
    """Return the theme; what goes beyond colours and radii stands in `STYLESHEET`."""
    return gr.themes.Base(
        primary_hue="teal",
        neutral_hue="slate",
        radius_size="lg",
        font=[Font("Inter"), Font("Segoe UI"), Font("Helvetica Neue"), Font("Arial"), Font("sans-serif")],
        font_mono=[Font("Consolas"), Font("Menlo"), Font("monospace")],
    ).set(
        body_background_fill="*neutral_50",
        body_background_fill_dark="*neutral_950",
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_400",
        block_label_text_color="*neutral_600",
        block_label_text_color_dark="*neutral_300",
        input_placeholder_color="*neutral_500",
        input_placeholder_color_dark="*neutral_400",
        link_text_color="*primary_700",
        link_text_color_hover="*primary_800",
        link_text_color_visited="*primary_700",
        link_text_color_dark="*primary_300",
        link_text_color_hover_dark="*primary_200",
        link_text_color_visited_dark="*primary_300",
        checkbox_border_color="*neutral_500",
        checkbox_border_color_dark="*neutral_300",
        block_border_width="1px",
        block_shadow="none",
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_hover="*primary_800",
        button_primary_background_fill_dark="*primary_700",
        button_primary_background_fill_hover_dark="*primary_600",
        button_primary_text_color="white",
    )
