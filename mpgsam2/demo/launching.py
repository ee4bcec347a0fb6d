"""Opening the page on a machine: in a browser where there is a desktop, and with a line that says where it is."""

from __future__ import annotations

import os
import sys
from typing import Any

import gradio as gr


def open_page(demo: gr.Blocks, **options: Any) -> None:
    """Serve a page until the process is ended.

    Args:
        demo: as `build_demo` makes it.
        options: of `launch`.
    """
    if os.environ.get("SPACE_ID"):  # a Space shows its page itself
        demo.launch(**options)
        return
    desktop = has_desktop()
    _, address, _ = demo.launch(prevent_thread_lock=True, inbrowser=desktop, **options)
    how = "opens in your browser" if desktop else "is ready: open it in a browser"
    print(f"The page {how}: {address} (Ctrl-C ends it)", flush=True)
    demo.block_thread()


def has_desktop() -> bool:
    """Return whether a browser's window could be seen here: on this machine's screen, or on one it is handed on to."""
    if sys.platform in ("darwin", "win32"):
        return "SSH_CONNECTION" not in os.environ
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
