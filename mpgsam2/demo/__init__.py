"""The page: a clip and a sentence in, and how the network comes to its answer shown.

- `layout` places the components; `head`, `examples`, `options`, `player` and `about` make its parts, `theme` its looks;
- `handlers` and `example_handlers` answer clicks, `api` the calls of programs, and `given` checks what both give;
- `turns` lets one after the other run, in the order of the `line`, at the `pace` of the place, in a thread of `worker`;
- `run` is what happens then: from clip and `settings` to files, with the clip's `frames` and the pass on the `gpu`;
- `sessions` owns the files of visitors in the process's `home`, `uploads` takes them, `gate` lets nothing else in;
- `looks` tells which frames a run would use, `show` and `status` say how a run stands, in pictures and in words.
"""

from mpgsam2.demo.layout import build_demo, launch_options

__all__ = ["build_demo", "launch_options"]
