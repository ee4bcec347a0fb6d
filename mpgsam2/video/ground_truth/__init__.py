"""The true masks of a clip, from a zip of pictures: those of the chosen frames looked over once, then read one by one.

- `archive` finds the mask pictures in a zip, and which frame each is of;
- `picture` decodes one, to numbers;
- `reading` tells from all of them what the numbers mean: the object, the ground, or nothing that is scored;
- `truth` joins these to `GroundTruth`.
"""

from mpgsam2.video.ground_truth.truth import GroundTruth

__all__ = ["GroundTruth"]
