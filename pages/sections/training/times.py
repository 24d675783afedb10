"""Lengths and points of time, for a reader."""

from datetime import UTC, datetime


def about(seconds: float) -> str:
    """A length of time, no more exact than an estimate is."""
    if seconds < 55:
        return f"{max(5, round(seconds / 5) * 5)} seconds"
    minutes = round(seconds / 60)
    if minutes < 100:
        return "1 minute" if minutes == 1 else f"{minutes} minutes"
    hours, rest = divmod(round(seconds / 600) * 10, 60)
    return f"{hours} h {rest} min" if rest and hours < 10 else f"{round(seconds / 3600)} hours"


def clock(seconds: float) -> str:
    """A length of time as a clock shows it."""
    hours, rest = divmod(int(max(0.0, seconds)), 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02d}:{left:02d} h" if hours else f"{minutes}:{left:02d} min"


def when(text: str) -> str:
    """A point of time as jobs write it (ISO 8601, UTC)."""
    at = datetime.fromisoformat(text)
    today = at.date() == datetime.now(UTC).date()
    return f"{at:%H:%M} UTC" if today else f"{at:%Y-%m-%d %H:%M} UTC"


def since(text: str) -> float:
    """Seconds from a point of time until now."""
    return (datetime.now(UTC) - datetime.fromisoformat(text)).total_seconds()
