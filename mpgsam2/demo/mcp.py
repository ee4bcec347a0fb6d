"""Whether the page is an MCP server too, which whoever serves it has to ask for."""

from __future__ import annotations

import os


def mcp_wanted() -> bool:
    """Return whether MPGSAM2_MCP is 1; then `gradio[mcp]` must be installed."""
    return os.environ.get("MPGSAM2_MCP") == "1"
