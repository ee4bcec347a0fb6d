"""Two handles under the clip that choose its first and last frame, with pictures of both."""

from __future__ import annotations

import html

import gradio as gr

from mpgsam2.demo.scripts import script
from mpgsam2.demo.status import notice_html
from mpgsam2.video import Clip

_HTML = """
<div class="trim" hidden>
  <video muted playsinline preload="auto" aria-label="Where it begins"></video>
  <div class="rail">
    <input type="range" aria-label="Begin at" min="1" max="1" value="1">
    <input type="range" aria-label="End at" min="1" max="1" value="1">
    <p></p>
  </div>
  <video muted playsinline preload="auto" aria-label="Where it ends"></video>
</div>
<p class="unplayable" role="status" hidden>This browser cannot play the clip. A run reads it all the same.</p>
"""

FROM_HANDLES = "() => JSON.parse(document.body.dataset.trim)"
"""JavaScript: the first and the last frame that were chosen, counted from 1; null for the clip's last."""

TO_HANDLES = """(first, last) => {
  document.dispatchEvent(new CustomEvent("trim", { detail: [first, last] }));
  return [];
}"""
"""JavaScript: shows a first and a last frame that were given as numbers."""


def build_trim() -> gr.HTML:
    """Place the handles; they are seen once a clip is there that the browser plays and `remark_html` has told of it."""
    return gr.HTML(_HTML, js_on_load=script("trim"), elem_id="trim")


def remark_html(sentence: str, clip: Clip | None) -> str:
    """Return a remark on the frames that are used, as the page shows it, with what handles must know of the clip."""
    if clip is None:
        return notice_html(sentence)
    times = " ".join(f"{time:.4g}" for time in clip.times) if clip.variable_rate else ""
    data = f'data-frames="{clip.frame_count}" data-rate="{float(clip.fps):.6f}" data-times="{times}"'
    return f'<p class="notice" {data}>{html.escape(sentence)}</p>'
