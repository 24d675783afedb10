"""The scale of the images: asked where it is unknown, shown and changed where it is known."""

from collections.abc import Callable

import streamlit as st

from leukemia.imaging import scale
from leukemia.inference.batch import Batch
from pages.components import flash

FIELD = "pixel-size"
NEEDED = "Enter the micrometres of one pixel first."
WHERE = "Your camera software or a stage micrometer shows how large one pixel is."
ALL_IMAGES = (
    "What you enter applies to every image that you add here in this session, whatever its frame. Classify "
    "and each case ask for their own."
)
AUTOMATIC = (
    "Frames of 450 × 450 and 600 × 600 pixels count as native C-NMC frames. A TIFF or DICOM file "
    "may record its own scale. For other images you are asked here."
)
AGAIN = "Cells classified so far keep their scale. To change it, press Clear and drop them in again."


def show(batch_now: Callable[[], Batch], pixel_size: float) -> None:
    """Ask for the scale where images wait for it; else offer to see and change it.

    Parameters
    ----------
    batch_now : callable
        The batch, also at a press: it may be another one by then.
    pixel_size : float
        The model's own, micrometres per pixel.
    """
    batch = batch_now()
    off = f"{scale.UNCERTAINTY:.0%}"
    model = f"The model was trained at about {pixel_size:.2g} µm per pixel (an estimate, ±{off})."
    if count := batch.unscaled:
        images, their = ("images are", "their") if count > 1 else ("image is", "its")
        with st.container(border=True):
            st.markdown(
                f":material/straighten: **{count} {images} not classified: {their} scale is unknown.** "
                "How large is one pixel?"
            )
            _ask(batch_now, pixel_size)
            st.caption(f"{WHERE} {model} {ALL_IMAGES}")
        return
    with st.popover(f"Scale: {batch.scale or 'automatic'}", icon=":material/straighten:"):
        st.caption(AGAIN if batch.scale else AUTOMATIC)
        _ask(batch_now, pixel_size)
        if batch.scale:
            st.button("Back to automatic", on_click=lambda: batch_now().state_scale(None))
        st.caption(f"{WHERE} {model} {ALL_IMAGES}")


def field(pixel_size: float, key: str) -> None:
    """Ask for micrometres per pixel, within what can be resampled to the model's ``pixel_size``."""
    low, high = (pixel_size * end for end in scale.FACTORS)
    st.number_input(
        "Micrometres per pixel",
        min_value=low,
        max_value=high,
        value=None,
        step=0.001,
        format="%.4f",
        placeholder=f"{low:.3g} to {high:.3g}",
        key=key,
        width=220,
    )


def _ask(batch_now: Callable[[], Batch], pixel_size: float) -> None:
    def take() -> None:
        if value := st.session_state.get(FIELD):
            batch_now().state_scale(scale.stated(value))
        else:
            flash.put(FIELD, flash.WARNING, NEEDED)

    with st.container(horizontal=True, vertical_alignment="bottom"):
        field(pixel_size, FIELD)
        st.button("Use this scale", type="primary", on_click=take)
        st.button(
            "They are native C-NMC frames", on_click=lambda: batch_now().state_scale(scale.STATED_NATIVE)
        )
    flash.show(FIELD)
