"""Help with words: what a model knows as buttons, and which words of a sentence it does not know, before any run."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence

import gradio as gr

from mpgsam2.checkpoint.tokenizer import WordTokenizer
from mpgsam2.demo.scripts import script
from mpgsam2.inference.segmenter import Segmenter
from mpgsam2.inference.understanding import NAMELESS
from mpgsam2.nano.synthetic.word_groups import word_groups

SENTENCES = {
    "By appearance": ("the person in a red jacket", "the small brown dog"),
    "By what it does": ("the dog jumping over the fence", "the man riding a bicycle"),
    "By where it is": ("the car on the left", "the bird at the back"),
    "By what is beside it": ("the child next to the horse", "the boat behind the bridge"),
    "By how it changes": ("the truck that turns to the right", "the person who leaves last"),
}
"""Of each kind, for models that were trained on people's own sentences."""


def build_words(models: Sequence[Segmenter]) -> gr.HTML:
    """Place the help below the sentences; `words.js` shows the part of the model that is chosen."""
    parts = "".join(_part(model, hidden=bool(number)) for number, model in enumerate(models))
    nameless = " ".join(sorted(NAMELESS))
    return gr.HTML(
        f'<div class="unknown" role="status" data-nameless="{nameless}"></div>{parts}',
        js_on_load=script("words"),
        elem_id="words",
    )


def _part(model: Segmenter, *, hidden: bool) -> str:
    name = html.escape(model.name)
    groups: Mapping[str, Sequence[str]]
    if isinstance(model.tokenizer, WordTokenizer):
        words = " ".join(model.tokenizer.words)
        told, groups, kind = f"Words that {name} knows", word_groups(model.tokenizer.words), "word"
    else:
        words, told, groups, kind = "", "Sentences to begin with", SENTENCES, "sentence"
    rows = "".join(
        f"<dt>{html.escape(group)}</dt><dd>{_chips(phrases, kind)}</dd>" for group, phrases in groups.items()
    )
    return (
        f'<details data-model="{name}" data-words="{html.escape(words)}"{" hidden" if hidden else ""}>'
        f"<summary>{told}</summary><dl>{rows}</dl></details>"
    )


def _chips(phrases: Iterable[str], kind: str) -> str:
    return "".join(
        f'<button type="button" data-{kind}="{html.escape(phrase)}">{html.escape(phrase)}</button>'
        for phrase in phrases
    )
