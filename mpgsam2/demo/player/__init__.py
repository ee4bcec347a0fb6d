"""The player: mask prior, per-frame masks and overlay in step to the frame, and under them what happened in each frame.

- `value` is what it shows: nothing yet, the newest frame of a run, or a run's videos and record;
- `component` is the Gradio component, put together from `player.html`, the style sheets and the scripts beside it.
"""

from mpgsam2.demo.player.component import Player
from mpgsam2.demo.player.value import PlayerValue, live_value, result_value

__all__ = ["Player", "PlayerValue", "live_value", "result_value"]
