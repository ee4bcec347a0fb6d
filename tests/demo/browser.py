"""What the tests in a real browser share: Chromium, and a served page."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import gradio as gr
from playwright.sync_api import Browser, expect, sync_playwright

TIMEOUT = 120_000  # milliseconds; generous, because the machine may be busy

CHROMIUM = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]

expect.set_options(timeout=TIMEOUT)


@contextmanager
def open_browser() -> Iterator[Browser]:
    """A Chromium that asks no host of its own for anything."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM)
        yield browser
        browser.close()


@contextmanager
def connect(demo: gr.Blocks, **options: Any) -> Iterator[str]:
    """Serve a demo while the block lasts, with these options of `launch`; yields its address."""
    url = demo.launch(prevent_thread_lock=True, quiet=True, **{"_frontend": False, **options})[
        1
    ]  # see `launch_options`
    try:
        yield url
    finally:
        demo.close()
