"""Training: one loop, for the paper's recipes, for data of your own and, in `mpgsam2.nano.training`, for nano.

The loop, which knows a network, how its weights change, and accelerate:

- `loop`: a task's steps, from the last state to the end;
- `trainer`: a step; `states`: to go on from; `log`: what is told;
- `optimisation`: which weights learn, at what rates; `accelerator`: the processes; `loading`: those that make batches.

The paper's training (docs/training.md):

- `recipes`: its stages; `paper`: a stage as the loop takes it; `start`: the network that it begins with;
- `sources`, `clip_frames`, `augmentation`, `clip_batches`: from data sets to clips; `sentences`: whether they can be
  read; `held_out`, `validation`: scores;
- `objective`, `losses`, `forward`: from clips to losses;
- `command`: `train`.
"""
