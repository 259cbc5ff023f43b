"""Playbooks and calendars that this process has seen: both never change under their digest, so they are read once."""

from collections.abc import Iterable, Set

from models import playbooks
from models.database import Connection
from workflows.calendars import Calendar
from workflows.commands import MigratePlaybook, SetCalendar
from workflows.cover import Colleague
from workflows.handle import calendar_digest
from workflows.layers import is_made
from workflows.playbook_sections import ContactHours
from workflows.playbooks import Playbook


class UnknownPlaybookError(Exception):
    """No version of the playbook is published."""


class Library:
    """What the decisions of one transaction look up; `load` brings it up to date with that transaction."""

    def __init__(self) -> None:
        self._playbooks: dict[str, Playbook] = {}
        self._calendars: dict[str, Calendar] = {}
        self._newest: dict[str, str] = {}
        self._exactly: dict[str, str] = {}
        self._in_force: dict[str, str] = {}
        self._followed: dict[str, str] = {}

    def load(self, connection: Connection, *, newest: Iterable[str], digests: Iterable[str], reps: Iterable[str]) -> None:
        """Read the *newest* playbooks by id, those with *digests*, and the calendars and playbooks that *reps* follow."""
        found = playbooks.in_force(connection, playbook_ids=list(newest), reps=list(reps))
        missing = {*digests, *found.playbooks.values(), *found.followed.values()} - self._playbooks.keys()
        if missing:
            self._playbooks |= playbooks.playbooks_by_digest(connection, list(missing))
        unseen = set(found.calendars.values()) - self._calendars.keys()
        if unseen:
            self._calendars |= playbooks.calendars_by_digest(connection, list(unseen))
        self._newest, self._in_force, self._followed = found

    def fetch(self, connection: Connection, digest: str) -> Playbook:
        """Return the playbook with *digest*, read now if it was not seen yet; raises as `by_digest` does."""
        if digest not in self._playbooks:
            self._playbooks |= playbooks.playbooks_by_digest(connection, [digest])
        return self.by_digest(digest)

    def contact_hours(self, connection: Connection, digests: Set[str]) -> dict[str, ContactHours]:
        """Return when the leads of each of *digests* may be called, read now if not seen yet; raises as `by_digest` does."""
        if missing := digests - self._playbooks.keys():
            self._playbooks |= playbooks.playbooks_by_digest(connection, list(missing))
        return {digest: self.by_digest(digest).contact_hours for digest in digests}

    def goes_to(self, connection: Connection, playbook: Playbook) -> Playbook | None:
        """Return what *playbook* says that a silent lead follows, read now if not seen yet; raises as `by_digest` does."""
        named = playbook.on_no_response.goto
        if named is None:
            return None
        if named not in self._exactly:
            published = playbooks.find_published(connection, named)
            if published is None:
                raise UnknownPlaybookError(f"no playbook called {named} is published, to which {playbook.id} goes")
            self._exactly[named] = published.digest
        return self.fetch(connection, self._exactly[named])

    def newest(self, playbook_id: str) -> Playbook:
        """Return the newest version of a playbook.

        Raises
        ------
        UnknownPlaybookError
            When none is published.
        """
        if playbook_id not in self._newest:
            raise UnknownPlaybookError(f"no playbook called {playbook_id} is published")
        return self._playbooks[self._newest[playbook_id]]

    def meant(self, command: SetCalendar) -> Playbook:
        """Return the version of the playbook that *command* has a rep follow.

        Raises
        ------
        UnknownPlaybookError
            When there is none, or it was made for a rep and the command does not say of what.
        """
        playbook = self.by_digest(command.digest) if command.digest else self.newest(command.playbook)
        if playbook.id != command.playbook:
            raise UnknownPlaybookError(f"{playbook.pin.digest} is the digest of {playbook.id}, not of {command.playbook}")
        if is_made(playbook) and not command.layers:
            raise UnknownPlaybookError(f"{playbook.id} was made for one rep, and nothing says what of: follow what it extends")
        return playbook

    def entered(self, command: MigratePlaybook) -> Playbook:
        """Return the version of the playbook that *command* has a lead follow.

        Raises
        ------
        UnknownPlaybookError
            When there is none, or it is another one, or it was made for the days of one rep.
        """
        playbook = self.by_digest(command.digest)
        if (playbook.id, playbook.version) != (command.playbook, command.version):
            is_, named = f"{playbook.id}@{playbook.version}", f"{command.playbook}@{command.version}"
            raise UnknownPlaybookError(f"{playbook.pin.digest} is the digest of {is_}, not of {named}")
        if is_made(playbook):
            raise UnknownPlaybookError(f"{playbook.id} was made for the days of one rep, and no lead follows it")
        return playbook

    def by_digest(self, digest: str) -> Playbook:
        """Return a published playbook.

        Raises
        ------
        UnknownPlaybookError
            When none has this digest.
        """
        if digest not in self._playbooks:
            raise UnknownPlaybookError(f"no playbook with the digest {digest} is published")
        return self._playbooks[digest]

    def calendar(self, rep: str) -> Calendar | None:
        """Return the calendar in force of *rep*, None when the rep is not known."""
        digest = self._in_force.get(rep)
        return self._calendars[digest] if digest else None

    def followed(self, rep: str) -> Playbook | None:
        """Return the playbook that the days of *rep* follow, None when the rep is not known: its capacity binds."""
        digest = self._followed.get(rep)
        return self._playbooks[digest] if digest else None

    def colleague(self, rep: str | None) -> Colleague | None:
        """Return who is to call instead of an owner, None when it is nobody or a rep who is not known."""
        calendar, followed = (self.calendar(rep), self.followed(rep)) if rep else (None, None)
        if rep is None or calendar is None or followed is None:
            return None
        return Colleague.of(rep, calendar, followed)

    def save_calendar(self, connection: Connection, command: SetCalendar) -> None:
        """Keep the calendar of *command* and put it in force, with its playbook."""
        digest = calendar_digest(command.calendar)
        playbooks.save_calendar(connection, digest, command.calendar)
        self._calendars[digest] = command.calendar
        self._in_force[command.rep] = digest
        self._followed[command.rep] = self.meant(command).pin.digest
