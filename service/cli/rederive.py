"""``thaw rederive``: every decision of the log made again, and compared with what was recorded."""

from collections.abc import Callable, Iterator
from uuid import UUID

import click
import msgspec

from models import contacts, frozen, leads, views
from models.database import Connection
from service.cli.answers import typed_errors
from service.cli.app import REFUSED, App, InputError, json_option, pass_app
from service.cli.ops import progress_bar
from service.find import find_lead
from service.wording import count, key_of, plain
from workflows.events import Recorded
from workflows.rederive import Library, Mismatch, Rederived, rederive

#: So many mismatches are named; all are counted.
NAMED = 1000


class MismatchShown(msgspec.Struct, frozen=True, kw_only=True):
    """A field that came out differently."""

    stream_id: UUID
    version: int
    """0 for a stream that cannot be folded."""
    type: str
    field: str
    recorded: str
    derived: str


class RederivedShown(msgspec.Struct, kw_only=True):
    """What ``thaw rederive --json`` prints."""

    streams: int = 0
    decisions: int = 0
    events: int = 0
    """That the decisions recorded."""
    left_out: int = 0
    """Events that are not re-derived: plans of a day, and those of the service's own stream."""
    differing: int = 0
    """Fields that came out differently."""
    mismatches: list[MismatchShown] = []
    """The first of them, by stream."""


@click.command("rederive")
@click.argument("lead", required=False)
@click.option("--all", "every", is_flag=True, help="Every lead and every rep.")
@json_option
@pass_app
@click.pass_context
def rederive_(ctx: click.Context, app: App, lead: str | None, every: bool, as_json: bool) -> None:
    """Make each decision again from what was recorded of it, and compare every field of what comes out.

    The pinned playbook, the frozen calendar and the recorded inputs go through this release's rules. Exit status 1 when
    something differs; the lines name event and field. Hashes are checked by `thaw verify`.
    """
    if bool(lead) == every:
        raise InputError("name a lead, or all with --all")
    found = RederivedShown()
    with typed_errors(), views.snapshot(app.service.engine) as connection:
        stream_id = find_lead(connection, lead).lead.id if lead else None
        with progress_bar(connection, "deriving") as progress:
            _run(connection, stream_id, found, progress)
        if as_json:
            app.print_json(found)
        else:
            for line in _lines(connection, found):
                click.echo(line)
    if found.differing:
        ctx.exit(REFUSED)


def _run(connection: Connection, stream_id: UUID | None, found: RederivedShown, progress: Callable[[int], None]) -> None:
    library = frozen.read_library(connection)
    for id_, history in frozen.histories(connection, stream_id):
        result = _rederived(history, library)
        found.streams += 1
        found.decisions += result.decisions
        found.events += result.events
        found.left_out += result.left_out
        found.differing += len(result.mismatches)
        for each in result.mismatches[: NAMED - len(found.mismatches)]:
            found.mismatches.append(MismatchShown(stream_id=id_, **msgspec.structs.asdict(each)))
        progress(found.events + found.left_out)


def _rederived(history: Iterator[Recorded], library: Library) -> Rederived:
    try:
        return rederive(history, library)
    except ValueError as error:
        # A body that is no event, or an event that does not follow from the one before it.
        unread = Mismatch(version=0, type="?", field="body", recorded=f"unreadable: {error}", derived="nothing")
        return Rederived(decisions=0, events=0, left_out=0, mismatches=(unread,))


def _lines(connection: Connection, found: RederivedShown) -> Iterator[str]:
    names = _names(connection, {each.stream_id for each in found.mismatches})
    for each in found.mismatches:
        which = f"event {each.version} ({each.type}) of {names[each.stream_id]}"
        both = f"{plain(each.recorded, 120)} in the log and {plain(each.derived, 120)} when derived again"
        yield f"DIFFERS  {which}: {each.field} is {both}"
    if found.differing > len(found.mismatches):
        yield f"… and {found.differing - len(found.mismatches)} more"
    made = f"{count(found.decisions, 'decision')} ({count(found.events, 'event')}) of {count(found.streams, 'stream')}"
    verdict = f"{count(found.differing, 'field')} came out differently" if found.differing else "nothing differs"
    yield f"{made} derived again: {verdict}"
    if found.left_out:
        yield f"not re-derived: {count(found.left_out, 'event')} (plans of a day, heads of streams)"


def _names(connection: Connection, ids: set[UUID]) -> dict[UUID, str]:
    people = contacts.find_contacts(connection, list(ids))
    reps = {rep.id: f"rep {plain(rep.name, 80)}" for rep in leads.list_reps(connection)}
    known = {lead.id: key_of(lead, people.get(lead.id)) for lead in views.find_leads(connection, list(ids))}
    return {id_: reps.get(id_) or known.get(id_) or str(id_) for id_ in ids}


COMMANDS = (rederive_,)
