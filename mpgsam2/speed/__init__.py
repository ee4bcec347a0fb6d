"""How fast the network is, in how much memory, and how near to what the machine can do."""

from mpgsam2.speed.case import Case, cases
from mpgsam2.speed.check import Comparison, compare
from mpgsam2.speed.measure import Measurement, measure
from mpgsam2.speed.report import record, table
from mpgsam2.speed.weights import load_or_make, weights_by_rule

__all__ = [
    "Case",
    "Comparison",
    "Measurement",
    "cases",
    "compare",
    "load_or_make",
    "measure",
    "record",
    "table",
    "weights_by_rule",
]
