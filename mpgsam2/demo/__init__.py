"""The page: a clip and a sentence in, and how the network comes to its answer shown.

- `layout` places the components, `head`, `examples`, `panes` and `about` make its parts, `theme` its looks;
- `handlers` answers a visitor's clicks, `api` the calls of programs;
- `run` is what both do: one run from clip to files, with the model's pass from `gpu`.
"""

from mpgsam2.demo.layout import build_demo, launch_options

__all__ = ["build_demo", "launch_options"]
