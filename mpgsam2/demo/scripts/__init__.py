"""The page's own JavaScript: a file per component that runs it when it is shown."""

from __future__ import annotations

from pathlib import Path


def script(name: str) -> str:
    """Return the text of `<name>.js`, for a component's `js_on_load` or an event's `js`."""
    return (Path(__file__).parent / f"{name}.js").read_text(encoding="utf-8").strip()
