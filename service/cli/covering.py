"""Whether a colleague who is named for an absence makes any calls: only where the playbook of the rep's days wants that."""

from collections.abc import Iterator

from models import playbooks
from models.database import Connection
from service.times import shown_day
from service.wording import plain
from workflows.calendars import Absence
from workflows.commands import SetCalendar
from workflows.lead import Rep


def colleagues_call(connection: Connection, rep: Rep) -> bool:
    """Tell whether the playbook that the days of *rep* follow has colleagues make the calls of whoever is away."""
    digest = rep.playbook.digest if rep.playbook else ""
    found = playbooks.playbooks_by_digest(connection, [digest]).get(digest)
    return bool(found and found.capacity.long_gap == "colleague")


def named_in_vain(connection: Connection, command: SetCalendar | None, cover: str | None) -> Iterator[str]:
    """Yield the warning that *cover*, named by *command*, will make no calls, where the playbook has no colleague call."""
    digest = (command.digest if command else None) or ""
    found = playbooks.playbooks_by_digest(connection, [digest]).get(digest) if cover else None
    if command is None or cover is None or found is None or found.capacity.long_gap == "colleague":
        return
    yield (
        f"--cover {plain(cover, 80)} changes nothing yet: the days of {plain(command.rep, 80)} follow "
        f'{found.id}@{found.version}, which has long_gap = "{found.capacity.long_gap}". Under a playbook with '
        f'long_gap = "colleague" {plain(cover, 80)} makes the calls that notes promise for the absence.'
    )


def span(absence: Absence, *, colleagues: bool) -> str:
    """Return the days of an absence, and who covers it; *colleagues* call where the playbook has it so."""
    name = plain(absence.cover, 80) if absence.cover else ""
    does = "makes the calls" if colleagues else "is named, but the playbook has no colleague call"
    covered = f" ({name} {does})" if name else ""
    if absence.first == absence.last:
        return f"{shown_day(absence.first)}{covered}"
    return f"{shown_day(absence.first)} to {shown_day(absence.last)}{covered}"
