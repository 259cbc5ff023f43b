"""``thaw rederive``: every decision of the log made again, and compared with what was recorded."""

from collections.abc import Callable, Iterator, Sequence
from uuid import UUID

import click
import msgspec

from models import campaigns, contacts, frozen, leads, views
from models.database import Connection
from service.cli.answers import typed_errors
from service.cli.app import REFUSED, App, InputError, json_option, pass_app
from service.cli.ops import progress_bar
from service.find import find_lead
from service.streams import read_named, stream_named
from service.wording import count, key_of, plain
from workflows.events import Recorded, event_type
from workflows.lead import Rep
from workflows.rederive import BookDecision, Library, Mismatch, Rederived, rederive, rederive_book_decisions

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
    """All that were derived again; the next four are among them, and the others carried out what was asked."""
    refused: int = 0
    calendars: int = 0
    plans: int = 0
    """Plans of a day, and why there was none."""
    audiences: int = 0
    """Audiences of campaigns that were drawn."""
    events: int = 0
    """That the decisions recorded."""
    heads: int = 0
    """Events of the service's own stream: no decisions; `thaw verify` checks them."""
    old_plans: int = 0
    """Plans of a release that did not record what they rest on."""
    differing: int = 0
    """Fields that came out differently."""
    mismatches: list[MismatchShown] = []
    """The first of them, by stream; those of plans come last."""


@click.command("rederive")
@click.argument("lead", required=False)
@click.option("--all", "every", is_flag=True, help="Every lead and every rep.")
@json_option
@pass_app
@click.pass_context
def rederive_(ctx: click.Context, app: App, lead: str | None, every: bool, as_json: bool) -> None:
    """Make each decision again from what was recorded of it, and compare every field of what comes out.

    A rep is named as in rep:dana, a campaign as in campaign:spring, and a sales event as in event:open-house.

    The pinned playbook, the frozen calendar and the recorded inputs go through this release's rules. Exit status 1 when
    something differs; the lines name event and field. Hashes are checked by `thaw verify`.
    """
    if bool(lead) == every:
        raise InputError("name a lead, or all with --all: one of the two")
    found = RederivedShown()
    with typed_errors(), views.snapshot(app.service.engine) as connection:
        stream_id = _meant(connection, lead) if lead else None
        with progress_bar(connection, "deriving") as progress:
            _run(connection, stream_id, found, progress)
        if as_json:
            app.print_json(found)
        else:
            for line in _lines(connection, found):
                click.echo(line)
    if found.differing:
        ctx.exit(REFUSED)


def _meant(connection: Connection, typed: str) -> UUID:
    named = stream_named(typed)
    if named is None:
        return find_lead(connection, typed).lead.id
    read_named(connection, named)
    return named.id


def _run(connection: Connection, stream_id: UUID | None, found: RederivedShown, progress: Callable[[int], None]) -> None:
    library = frozen.read_library(connection)
    on_books: list[BookDecision] = []
    for id_, history in frozen.histories(connection, stream_id):
        result = _rederived(history, library)
        found.streams += 1
        for name in ("decisions", "refused", "calendars", "events", "heads", "old_plans"):
            setattr(found, name, getattr(found, name) + getattr(result, name))
        on_books += result.book_decisions
        _name(found, id_, result.mismatches)
        progress(found.events + found.heads + found.old_plans)
    for decision, mismatches in _on_books(connection, on_books, library):
        found.decisions += 1
        found.plans += isinstance(decision.stream, Rep)
        found.audiences += not isinstance(decision.stream, Rep)
        found.events += len(decision.recorded)
        _name(found, decision.stream.id, mismatches)
        progress(found.events + found.heads + found.old_plans)


def _name(found: RederivedShown, stream_id: UUID, mismatches: Sequence[Mismatch]) -> None:
    found.differing += len(mismatches)
    for each in mismatches[: NAMED - len(found.mismatches)]:
        found.mismatches.append(MismatchShown(stream_id=stream_id, **msgspec.structs.asdict(each)))


def _on_books(
    connection: Connection, decisions: list[BookDecision], library: Library
) -> Iterator[tuple[BookDecision, Sequence[Mismatch]]]:
    """Derive *decisions* again; those behind an event that cannot be read or folded all differ, in that."""
    derived = 0
    try:
        for result in rederive_book_decisions(frozen.log_in_order(connection), decisions, library) if decisions else ():
            yield result
            derived += 1
    except ValueError as error:
        for decision in sorted(decisions, key=lambda decision: decision.position)[derived:]:
            yield decision, [_unreadable(error, decision.recorded[0])]


def _rederived(history: Iterator[Recorded], library: Library) -> Rederived:
    try:
        return rederive(history, library)
    except ValueError as error:
        # A body that is no event, or an event that does not follow from the one before it.
        return Rederived(
            decisions=0,
            refused=0,
            calendars=0,
            events=0,
            heads=0,
            old_plans=0,
            book_decisions=(),
            mismatches=(_unreadable(error),),
        )


def _unreadable(error: ValueError, event: Recorded | None = None) -> Mismatch:
    if event is None:
        return Mismatch(version=0, type="?", field="body", recorded=f"unreadable: {error}", derived="nothing")
    what = event_type(event.data)
    return Mismatch(version=event.version, type=what, field="used.position", recorded=f"unreadable: {error}", derived="nothing")


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
    carried_out = found.decisions - found.refused - found.calendars - found.plans - found.audiences
    kinds = (
        f"{carried_out} carried out",
        f"{found.refused} refused",
        f"{count(found.calendars, 'calendar')} frozen",
        f"{count(found.plans, 'day')} planned",
        *([f"{count(found.audiences, 'audience')} drawn"] if found.audiences else []),
    )
    yield f"of them: {', '.join(kinds)}"
    if found.heads:
        theirs = "heads of streams, operators' acts: see `thaw verify`"
        yield f"no decisions: {count(found.heads, 'event')} of the service's own ({theirs})"
    if found.old_plans:
        yield f"not derived: {count(found.old_plans, 'plan')} of an earlier release, which did not record what they rest on"


def _names(connection: Connection, ids: set[UUID]) -> dict[UUID, str]:
    people = contacts.find_contacts(connection, list(ids))
    reps = {rep.id: f"rep {plain(rep.name, 80)}" for rep in leads.list_reps(connection)}
    streams = {each.id: f"campaign:{each.name}" for each in campaigns.list_campaigns(connection)}
    streams |= {each.id: f"event:{each.name}" for each in campaigns.list_sales_events(connection)}
    known = {lead.id: key_of(lead, people.get(lead.id)) for lead in views.find_leads(connection, list(ids))}
    return {id_: reps.get(id_) or streams.get(id_) or known.get(id_) or str(id_) for id_ in ids}


COMMANDS = (rederive_,)
