"""Codes of our own for a Structured Report: no public system has one for what a research model calls a cell.

Values have at most 16 characters, meanings 64.
"""

from highdicom.sr import CodedConcept
from pydicom.sr.codedict import codes

from leukemia.cases.verdicts import REJECTED
from leukemia.inference.decisions import NOT_COMPARABLE
from leukemia.operating_point import ALL_LIKE, INDETERMINATE, NORMAL_LIKE, UNCLASSIFIED

# Designators of private schemes begin with 99 (PS3.3 8.2).
SCHEME = "99LEUKDASH"
DISPUTED = "Disputed"


def own(value: str, meaning: str) -> CodedConcept:
    """A code of our own."""
    return CodedConcept(value, SCHEME, meaning)


PROCEDURE = own("classification", "White blood cells classified by a research model")
CASE = own("case", "All cells of the case")
CELL = own("cell", "White blood cell")
PROBABILITY = own("probability-all", "Probability of ALL by the model")
LOW = own("normal-below", "Limit: Normal-like below this probability")
HIGH = own("all-from", "Limit: ALL-like from this probability on")
THRESHOLD = own("threshold", "Threshold for sensitivity and specificity")
DECISION = own("decision", "Decision by the model")
VERDICT = own("verdict", "Verdict of a reader")
FINAL = own("counts-as", "Counts as, with readers' verdicts")
STAIN = own("stain-matched", "Stain matched before the model answered")
YES, NO = own("yes", "Yes"), own("no", "No")
# Each word that a cell can be called by.
WORDS = {
    word: own(word.lower().replace(" ", "-"), word)
    for word in (ALL_LIKE, INDETERMINATE, NORMAL_LIKE, NOT_COMPARABLE, UNCLASSIFIED, REJECTED, DISPUTED)
}
COMMENT, DEVICE = codes.DCM.Comment, codes.DCM.Device
NO_UNIT, PERCENT = codes.UCUM.NoUnits, codes.UCUM.Percent
CELLS = CodedConcept("{cells}", "UCUM", "cells")
