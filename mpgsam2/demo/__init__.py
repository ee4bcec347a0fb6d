"""The page: a clip and a sentence in, and how the network comes to its answer shown.

- `layout` places the components; `head`, `examples`, `options`, `player` and `about` make its parts, `theme` its looks;
- `handlers` and `example_handlers` answer a visitor's clicks, `api` the calls of programs, `sessions` tidies up;
- `run` is what both do: from a clip and `settings` to files, with the clip's `frames` and the model's pass from `gpu`;
- `show` and `status` say how a run stands, in pictures and in words.
"""

from mpgsam2.demo.layout import build_demo, launch_options

__all__ = ["build_demo", "launch_options"]
