"""Training of nano from scratch on the synthetic world, by the loop of `mpgsam2.training`.

- `recipe`: the stages, their worlds, lengths and rates: one place to read and to change.
- `stage`: a stage as the loop takes it; `trainee`: the network at its beginning, and its objective.
- `data`: batches of clips.
- `targets`: what the network is told about a clip: masks, coverage of patches, attributes, words.
- `losses`: the objective.
- `growth`: a trained nano in a network of other sizes.
- `refit`: the tracker's inputs after training of the prior alone.
- `progress`: what has been learned so far.
- `command`: `train-nano`.
"""
