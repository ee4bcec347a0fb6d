"""How well a model does on clips of the synthetic world that training never sees."""

from mpgsam2.nano.evaluation.clips import (
    EVALUATION_SEED_OFFSET,
    FAMILIES,
    THING_CLIPS,
    VALIDATION_CLIPS,
    calibration_clips,
    sentences,
    validation_clips,
)
from mpgsam2.nano.evaluation.measure import evaluate
from mpgsam2.nano.evaluation.scores import Frames, Quality, Scores, SentenceScore
from mpgsam2.nano.evaluation.sheet import contact_sheet
from mpgsam2.nano.evaluation.summary import summarise, table

__all__ = [
    "EVALUATION_SEED_OFFSET",
    "FAMILIES",
    "THING_CLIPS",
    "VALIDATION_CLIPS",
    "Frames",
    "Quality",
    "Scores",
    "SentenceScore",
    "calibration_clips",
    "contact_sheet",
    "evaluate",
    "sentences",
    "summarise",
    "table",
    "validation_clips",
]
