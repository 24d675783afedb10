"""Whether the stain of a field is matched to the training cells, and how far from those its cells lie."""

from collections.abc import Sequence

import streamlit as st

from leukemia.bundles.bundle import Bundle
from leukemia.inference import stain_match
from leukemia.inference.answer import Answer
from leukemia.inference.batch import Batch
from leukemia.inference.classifier import Classifier
from pages.components import model_in_service

MATCH = "Match the stain to the training cells"
MATCH_NEW = "Match the stain of new fields to the training cells"
WHAT = (
    "Shifts the colours that the model reads, so that those of all cells of the field together are those of "
    "the training cells. The pictures stay as they are, and switching it off gives the same answers as "
    "before. It can change an answer, also wrongly, and more so where a field has few cells. A cell that is "
    "still unlike the training cells is not answered."
)

# Whole cells of a field under which matching takes away most of what tells them apart; see docs/fields.md.
FEW = 3
BY_FEW = (
    f"Matched by fewer than {FEW} cells: their own colours are taken for the stain. Of C-NMC's cells matched "
    "one by one, 20 of 245 ALL cells were called Normal-like, and 11 as they are."
)


def show(batch: Batch, key: str, bundle: Bundle) -> None:
    """Offer to match the stain of a field, and tell the distance of its cells before and after.

    Parameters
    ----------
    batch : Batch
    key : str
        Of the field.
    bundle : Bundle
        The model that answered.
    """
    limit, answers = bundle.novelty_limit, [one.answer for one in batch.shown(key)]
    if limit is None or stain_match.distances(answers, limit) is None:
        return
    name = f"stain-{key}"
    # The batch says how it is.
    st.session_state[name] = batch.is_matched(key)

    def take() -> None:
        if st.session_state[name]:
            batch.match_stain(key, model_in_service.classifier())
        else:
            batch.unmatch_stain(key)

    st.toggle(MATCH, key=name, on_change=take, **_offer(bundle))
    tell(answers, limit)


def tell(answers: Sequence[Answer], limit: float) -> None:
    """Say how far the cells of a field lie from the training cells, where that was measured."""
    if found := stain_match.distances(answers, limit):
        if found.after is not None and found.cells < FEW:
            st.warning(BY_FEW, icon=":material/palette:")
        st.caption(f"From the training cells: {found}. A cell is answered up to a distance of {limit:.2f}.")


def for_new_fields(key: str, bundle: Bundle) -> bool:
    """Offer to match the stain of fields that are added from now on; whether that is chosen.

    Parameters
    ----------
    key : str
        Keeps this choice apart from others.
    bundle : Bundle
        The model that answers.
    """
    return st.toggle(MATCH_NEW, key=key, **_offer(bundle))


def match_all(batch: Batch, classifier: Classifier) -> None:
    """Match the stain of all answered fields of a batch, where the model allows it."""
    if stain_match.why_not(classifier.bundle):
        return
    for key in batch.fields:
        if not batch.needs_scale(key) and not batch.is_matched(key):
            batch.match_stain(key, classifier)


def _offer(bundle: Bundle) -> dict[str, object]:
    problem = stain_match.why_not(bundle)
    return {"help": problem or WHAT, "disabled": bool(problem)}
