"""Two things that somebody does before the page is laid out anew: a browser sends both in one message."""

from unittest import mock

from streamlit.proto.WidgetStates_pb2 import WidgetStates
from streamlit.testing.v1.element_tree import ElementTree


def at_once(page, *changed):
    """Run a page on what was changed of these widgets, in this order; it must not fail."""
    order = [one.proto.id for one in changed]
    laid_out = ElementTree.get_widget_states

    def get_widget_states(self):
        states = {one.id: one for one in laid_out(self).widgets}
        last = [states.pop(one) for one in order if one in states]
        return WidgetStates(widgets=[*states.values(), *last])

    with mock.patch.object(ElementTree, "get_widget_states", get_widget_states):
        page.run()
    assert not page.exception
    return page
