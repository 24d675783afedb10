"""Alerts are on the trail once, until they are over."""

from leukemia.audit import trail, verify
from leukemia.monitoring import alerts
from leukemia.operating_point import OperatingPoint
from leukemia.reports import monitoring_wording as wording
from tests.support.monitoring_factory import darker_and_larger


def note(data, report):
    return [one.event for one in alerts.record(data, report, wording.sentences(report))]


def test_an_alert_is_recorded_once_and_again_when_it_comes_back(data, add, reported):
    add(15)
    assert note(data, reported()) == []
    add(20, seed=2, change=lambda cells: cells.assign(brightness=cells["brightness"] * 0.75))
    assert note(data, reported()) == [trail.ALERT]
    assert note(data, reported()) == []
    (one,) = alerts.active(data)
    assert one.who == alerts.WHO
    assert one.version == "Version 3"
    assert one.reason.startswith("Brightness of the mean colour: lower than")
    add(40, seed=3)
    assert note(data, reported()) == [trail.ALERT_OVER]
    assert alerts.active(data) == []
    add(20, seed=4, change=darker_and_larger)
    assert set(note(data, reported())) == {trail.ALERT}
    assert verify.verify(data).is_whole


def test_another_version_has_alerts_of_its_own(data, add, reported):
    add(20, change=darker_and_larger)
    assert note(data, reported()) == [trail.ALERT] * 2
    add(12, seed=2, version=4, point=OperatingPoint(0.2, 0.7, 0.5))
    assert note(data, reported()) == []
    assert len(alerts.active(data)) == 2
