"""How rules speak to people: the same words for days and names everywhere."""

from datetime import date

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def spoken(day: date) -> str:
    """Return *day* as in ``Wed 7 Jan 2026``, on any machine: the log must not depend on a locale."""
    return f"{WEEKDAYS[day.weekday()]} {day.day} {_MONTHS[day.month - 1]} {day.year}"


def coded(said: object) -> str | None:
    """Return a code word as it is, and of words that are kept outside the log only that there are some."""
    return said if said is None or isinstance(said, str) else "in words"


def words(name: str) -> str:
    """Return an identifier such as ``note_due`` as words."""
    return name.replace("_", " ")
