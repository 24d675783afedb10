"""Lengths and points of time in words."""

from datetime import UTC, datetime


def about(seconds: float) -> str:
    """Give a length of time no more exactly than an estimate is."""
    if seconds < 55:
        return f"{max(5, round(seconds / 5) * 5)} seconds"
    minutes = round(seconds / 60)
    if minutes < 100:
        return "1 minute" if minutes == 1 else f"{minutes} minutes"
    hours, rest = divmod(round(seconds / 600) * 10, 60)
    return f"{hours} h {rest} min" if rest and hours < 10 else f"{round(seconds / 3600)} hours"


def clock(seconds: float) -> str:
    """Give a length of time as a clock shows it."""
    hours, rest = divmod(int(max(0.0, seconds)), 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02d}:{left:02d} h" if hours else f"{minutes}:{left:02d} min"


def when(text: str) -> str:
    """Give a point of time (ISO 8601, UTC, as jobs write it) without today's date."""
    at = datetime.fromisoformat(text)
    today = at.date() == datetime.now(UTC).date()
    return f"{at:%H:%M} UTC" if today else f"{at:%Y-%m-%d %H:%M} UTC"
