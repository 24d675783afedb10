"""The first visitor after a start, at whatever address; and a small screen."""

import pytest

from tests.support.browser import Server, at_rest

# From the first byte on, whether the navigation of Streamlit's older kind of application ever shows.
WATCH = """
window.bare = 0;
const watch = () => {
  if (document.querySelector('[data-testid=stSidebarNav]')) window.bare += 1;
  setTimeout(watch, 20);
};
watch();
"""


@pytest.mark.parametrize("name", ["cases", "dataset", "performance", "training"])
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
    at_rest(page)
    assert page.evaluate(OVERLAPS) == []


# The contrast of the words on each primary button with what they stand on, WCAG 2.2's relative luminance.
CONTRAST = """
() => [...document.querySelectorAll('button[data-testid^="stBaseButton-primary"]')].map(button => {
  const light = colour => colour.match(/[\\d.]+/g).slice(0, 3).map(Number).map(part => part / 255)
    .map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
    .reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);
  const style = getComputedStyle(button);
  const both = [light(style.color), light(style.backgroundColor)].sort((a, b) => b - a);
  return (both[0] + 0.05) / (both[1] + 0.05);
})
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_words_on_a_primary_button_are_legible(sessions, tiny_bundle, tmp_path, scheme):
    with Server(tiny_bundle, tmp_path / "log.txt", tmp_path / "data") as server:
        page = sessions.open(server, "dataset?section=import", "Dataset", scheme=scheme)
        page.get_by_role("button", name="Start the import").wait_for()
        contrasts = page.evaluate(CONTRAST)
        assert contrasts and min(contrasts) >= 4.5
