"""The results of one run as files, written while it goes on.

    overlay.mp4            the clip with every query's object tinted and outlined, with the clip's own sound
    prior.mp4              the mask prior over each frame
    masks.mp4              the mask's probability, before the threshold
    cutout.webm            the object alone, transparent around it (VP9 with alpha)
    side-by-side.mp4       prior, masks and overlay next to each other, one row per query
    strip.png, strip.pdf   up to six frames, each with its prior, mask and overlay, as a figure for print
    masks/00000.png …      the masks, 0 and 255, in the run's size, numbered as the run's frames
    masks.json             the masks as COCO run lengths
    run.json               what was run on what and how to repeat it, the verdicts, and the scores of every frame

Where a run asks several queries each has its own prior-A.mp4, masks-A.mp4, cutout-A.webm and masks/A/00000.png.

A run that stops early leaves the same files for the frames it came to, and says so in run.json. Every file appears
under its name only when it is whole. An earlier run's results are replaced once the first frame is there, and nothing
else in the folder is (`ownership`); a folder takes one run at a time (`lock`).
"""

from mpgsam2.export.bundle import bundle
from mpgsam2.export.exporter import Exporter
from mpgsam2.export.files import lettered
from mpgsam2.export.folder import check_folder, why_unwritten
from mpgsam2.export.ownership import results_in
from mpgsam2.export.record import read_record, verdict_record
from mpgsam2.export.rle import rle_decode, rle_encode

__all__ = [
    "Exporter",
    "bundle",
    "check_folder",
    "lettered",
    "read_record",
    "results_in",
    "rle_decode",
    "rle_encode",
    "verdict_record",
    "why_unwritten",
]
