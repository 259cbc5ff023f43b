"""Wordings in the house: those that ship with Thaw, and the record that one was published."""

from datetime import datetime
from importlib.resources import files

import msgspec

from models import operations
from models.database import Connection
from workflows.operations import WordingPublished
from workflows.phrase_lists import TEXT
from workflows.wordings import FORMS, Wording, read_wording


def shipped_wordings() -> list[Wording]:
    """Return the wordings that come with this release."""
    folder = files("workflows") / "wording"
    templates = [read_wording(name, (folder / f"{name}.txt").read_text(encoding="utf-8")) for name in FORMS]
    return [*templates, read_wording("phrases", TEXT)]


def record_wording(connection: Connection, wording: Wording, *, now: datetime, by: str, approved_by: str | None = None) -> None:
    """Say in the log that *wording* is used from now on, and which second person approved it."""
    done = WordingPublished(
        wording=wording.name, digest=wording.digest, approved_by=msgspec.UNSET if approved_by is None else approved_by
    )
    operations.append(connection, done, now=now, by=by)
