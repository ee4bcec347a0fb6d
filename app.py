"""The page of the Space; `python app.py` serves the same on this machine.

MPGSAM2_MODEL says which models run, separated by commas, the usual one first: "nano", a published checkpoint
("large-mevis", ...), a folder, a file or a hub id; unset, all that suit the device. MPGSAM2_COMPILE=1 compiles their
image encoders before serving.
"""

from __future__ import annotations

import os

import mpgsam2  # noqa: F401  says how torch's threads wait, which they must know before torch is imported

# isort: split
import spaces  # noqa: F401  ZeroGPU's patches must be in place before torch is imported
import torch

from mpgsam2.demo import build_demo, launch_options
from mpgsam2.demo.ahead_of_time import compile_ahead
from mpgsam2.demo.launching import open_page
from mpgsam2.demo.models import load_models

torch.set_float32_matmul_precision("high")  # TF32 on a GPU; a processor computes as before
models = load_models(os.environ.get("MPGSAM2_MODEL"), "cuda" if torch.cuda.is_available() else "cpu")
demo = build_demo(models.loaded, left_out=models.left_out)
if os.environ.get("MPGSAM2_COMPILE") == "1":  # after the page has counted the parameters, which a compiled part keeps
    for model in models.loaded:
        compile_ahead(model)

if __name__ == "__main__":
    open_page(demo, **launch_options())
