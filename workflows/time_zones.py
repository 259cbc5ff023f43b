"""Time zones by name, from one database whose version is known."""

from functools import cache, lru_cache
from importlib.metadata import version
from importlib.resources import files
from zoneinfo import ZoneInfo


@lru_cache(maxsize=512)
def zone_named(name: str) -> ZoneInfo | None:
    """Return the time zone called *name*; None when nobody knows it.

    It comes from the package tzdata, locked in requirements.txt: a machine's own database may be of any year, and would decide
    otherwise.
    """
    parts = name.split("/")
    if not all(parts) or not set(parts).isdisjoint((".", "..")):
        return None
    try:
        with files("tzdata").joinpath("zoneinfo", *parts).open("rb") as data:
            return ZoneInfo.from_file(data, key=name)
    except (OSError, ValueError):
        return None


@cache
def zone_database() -> str:
    """Return the version of the time zone database that `zone_named` reads, such as ``2026.2`` for the second of that year."""
    return version("tzdata")
