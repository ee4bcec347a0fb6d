"""What a visitor can set besides the clip: the sentences, and folded away, everything else."""

from __future__ import annotations

from collections.abc import Sequence

import gradio as gr
from gradio.components import Component

from mpgsam2.demo.frames import MOST_FRAMES
from mpgsam2.demo.request_parsing import MOST_CHARACTERS
from mpgsam2.demo.settings import Settings
from mpgsam2.inference.query import LETTERS
from mpgsam2.network.dtype import DTYPES
from mpgsam2.network.parts import Part
from mpgsam2.settings import SETTINGS


def build_sentences() -> gr.Textbox:
    """Return the box of the sentences."""
    return gr.Textbox(
        label="Sentence",
        info=f"Up to {len(LETTERS)}, one a line. Shift+Enter runs it.",
        placeholder="the red car on the left",
        lines=2,
        max_lines=len(LETTERS),
        max_length=MOST_CHARACTERS,
        elem_id="sentences",
    )


def build_options(sentences: gr.Textbox, models: Sequence[str]) -> dict[str, Component]:
    """Place all other settings in a folded section.

    Args:
        sentences: as `build_sentences` made it.
        models: names of the models that run here, the usual one first.

    Returns:
        The component of every one of `SETTINGS`, in that order.
    """
    usual = Settings()
    made: dict[str, Component] = {"sentences": sentences}
    with gr.Accordion("Options", open=False, elem_id="options"):
        made["without"] = gr.CheckboxGroup(
            [(part.label, part.value) for part in Part],
            label="Switch off",
            info="Parts of the network, as in the paper's ablation.",
        )
        made["compare"] = gr.Checkbox(
            usual.compare, label="Compare with the full network", info="A full, B without these parts."
        )
        with gr.Row():
            made["first"] = gr.Number(usual.first, label="First frame", precision=0, min_width=110)
            made["last"] = gr.Number(None, label="Last frame", precision=0, min_width=110)
            made["every"] = gr.Number(usual.every, label="Every n-th", precision=0, min_width=110)
            made["longest_side"] = gr.Number(None, label="Longest side, px", precision=0, min_width=110)
        gr.Markdown(
            f"Empty or 0: to the clip's end, at its own size. One run takes at most {MOST_FRAMES} frames.",
            elem_classes="hint",
        )
        with gr.Row():
            made["model"] = gr.Dropdown(list(models), value=models[0], label="Model", info="Those that run here.")
            made["dtype"] = gr.Dropdown(
                list(DTYPES), value=usual.dtype, label="Matrix products in", info="auto: what suits the device."
            )
        with gr.Row():
            made["ground_truth"] = gr.File(
                label="Ground truth: a zip of PNG masks", file_types=[".zip"], height=160, scale=4
            )
            made["object"] = gr.Number(
                None, label="Object", info="Its number, if the masks hold several.", precision=0, min_width=150
            )
        made["scored"] = gr.Textbox(usual.scored, visible=False)
        # The look is chosen in the player, which draws it; these carry it to runs and links.
        made["threshold"] = _slider("threshold")
        made["opacity"] = _slider("opacity")
        made["dimmed"] = _slider("dimmed")
        made["pattern"] = gr.Checkbox(usual.pattern, visible=False)
        made["colours"] = gr.JSON([], visible=False)
    return {name: made[name] for name in SETTINGS}


def _slider(name: str) -> gr.Slider:
    """Build a slider that nobody sees."""
    setting = SETTINGS[name]
    return gr.Slider(*setting.bounds, setting.default, visible=False)
