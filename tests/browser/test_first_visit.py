"""The first visitor after a start, at whatever address; and a small screen."""

import pytest

from tests.support.browser import Server

# From the first byte on, whether the navigation of Streamlit's older kind of application ever shows.
WATCH = """
window.bare = 0;
const watch = () => {
  if (document.querySelector('[data-testid=stSidebarNav]')) window.bare += 1;
  setTimeout(watch, 20);
};
watch();
"""


@pytest.mark.parametrize("name", ["dataset", "performance", "training"])
def test_the_first_deep_link_after_a_start_shows_no_bare_page(sessions, tiny_bundle, tmp_path, name):
    with Server(tiny_bundle, tmp_path / "log.txt", tmp_path / "data") as server:
        page = sessions.open(server, name, name.capitalize(), before=WATCH)
        page.get_by_text("For research use only").wait_for()
        assert page.evaluate("window.bare") == 0


# Of every chart: its title, where that overlaps its legend.
OVERLAPS = """
() => [...document.querySelectorAll('.js-plotly-plot')].filter(chart => {
  const box = part => chart.querySelector(part)?.getBoundingClientRect();
  const [title, legend] = [box('.gtitle'), box('.legend')];
  return title && legend && legend.width && title.left < legend.right && legend.left < title.right
    && title.top < legend.bottom && legend.top < title.bottom;
}).map(chart => chart.querySelector('.gtitle').textContent)
"""
CHARTS = "document.querySelectorAll('.js-plotly-plot .gtitle').length"


@pytest.mark.parametrize(("section", "charts"), [("threshold", 3), ("calibration", 2), ("prevalence", 1)])
def test_on_a_narrow_screen_no_title_overlaps_its_legend(sessions, server, section, charts):
    page = sessions.open(server, f"performance?section={section}", "Performance", width=768)
    page.wait_for_function(f"{CHARTS} >= {charts}")
    assert page.evaluate(OVERLAPS) == []
