"""The button that hands out the zip of all files."""

from __future__ import annotations

import gradio as gr
from gradio.data_classes import FileData


class ZipButton(gr.DownloadButton):
    """A `gr.DownloadButton` whose value may be asked for; Gradio's own leaves an empty file for each call."""

    is_template = True  # or Gradio looks for a component of this name in the browser

    def preprocess(self, payload: FileData | None) -> str | None:
        """Return the path of the zip, None for none."""
        return payload.path if payload else None
