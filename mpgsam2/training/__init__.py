"""Training of nano from scratch on the synthetic world (network.md 8 for the published objective).

- `recipe`: the stages, their worlds, lengths and rates: one place to read and to change.
- `data`: batches from worker processes.
- `targets`: what the network is told about a clip: masks, coverage of patches, attributes, words.
- `losses`: the objective.
- `growth`: a trained nano in a network of other sizes.
- `refit`: the tracker's inputs after training of the prior alone.
- `progress`: what has been learned so far.
- `loop`: one stage from its last checkpoint to its end.
"""

from mpgsam2.training.loop import main

__all__ = ["main"]
