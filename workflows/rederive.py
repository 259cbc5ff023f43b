"""Decisions made again: each recorded command, on the lead as it stood and on what it used, must give what was recorded.

The rules are those of this program; the pinned playbook and the frozen calendar are found by their digests. What a decision
used besides stands in `Used`, so that nothing is looked up that may have changed since. A plan of a day used the rep's whole
book, and the draw of an audience the whole log: what its first events come to, up to the position that the decision names.
`rederive` sets these aside, and `rederive_book_decisions` makes them again. Not derived again are a command that left no event
(a superseded timer), and the service's own stream, whose heads ``thaw verify`` checks.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import groupby, zip_longest
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from workflows import horizon
from workflows.audience import Audience, audience_of
from workflows.books import Book, Books, playbooks_of
from workflows.calendars import Calendar
from workflows.campaign import STATE as CAMPAIGN
from workflows.campaign import Campaign
from workflows.campaign_decisions import Looked, asked_for
from workflows.campaign_events import EventTextsErased
from workflows.checks import SUPPRESSION, asked
from workflows.codec import canonical
from workflows.commands import AnyCommand, MarkNoteSent, Reassign, SetCalendar
from workflows.content import of_sentences
from workflows.context import Context
from workflows.cover import Colleague, acting, colleague_of
from workflows.events import CalendarFrozen, CommandRefused, DayPlanned, LeadReassigned, Recorded, Used, Verdict, event_type
from workflows.followed import Followed, left_out, never_followed
from workflows.handle import Carrier, handle
from workflows.invitation_streams import Stream, fold_stream, handle_invitations
from workflows.law_table import TABLES
from workflows.layers import LoosenedError, check_narrower, is_made, merged, said_since
from workflows.lead import Lead, Rep
from workflows.limits import Layers
from workflows.playbooks import Playbook
from workflows.rep import handle_rep
from workflows.sales_event import STATE as SALES_EVENT
from workflows.sales_event import SalesEvent

#: The state of events on the service's own stream, which has none.
_SERVICE = "service"

#: Of which call another owner is asked for, and that it was said why a note did not go over.
_OF_A_NOTE, _WHY = "a note's", "why"


class Library(NamedTuple):
    """What decisions are pinned to, by digest."""

    calendars: Mapping[str, Calendar]
    playbooks: Mapping[str, Playbook]
    followed: Collection[Followed] | None = None
    """All that reps ever followed; None where that is not known."""


class Mismatch(msgspec.Struct, frozen=True, kw_only=True):
    """A field of an event that does not come out as it was recorded."""

    version: int
    """Of the event in its stream."""
    type: str
    field: str
    """Such as ``data.call_on`` or ``effects.armed.call_late``."""
    recorded: str
    """JSON; ``nothing`` for a field or an event that is not there."""
    derived: str


class BookDecision(NamedTuple):
    """A decision that rests on the whole log: a plan of a day, an audience, or why there was none."""

    stream: Rep | Campaign
    """Whose decision it is, as it stood: a rep whose day was planned, or a campaign whose audience was drawn."""
    recorded: tuple[Recorded, ...]
    position: int
    """The book is what the first *position* events of the log come to."""


class Rederived(msgspec.Struct, frozen=True, kw_only=True):
    """What came of deriving a stream's decisions again."""

    decisions: int
    refused: int
    """Decisions among them that refused a command."""
    calendars: int
    """Decisions among them that froze a calendar."""
    events: int
    """That the decisions recorded."""
    heads: int
    """Events of the service's own stream, which hold no decision."""
    old_plans: int
    """Plans of a release that did not record what they rest on: they cannot be made again."""
    book_decisions: tuple[BookDecision, ...]
    """For `rederive_book_decisions`; not counted above."""
    mismatches: tuple[Mismatch, ...]
    """In the order of the stream."""


def rederive(history: Iterable[Recorded], library: Library) -> Rederived:
    """Derive every decision of one stream again; *history* holds its events, oldest first and from the first on.

    Raises
    ------
    FoldError, ValueError
        When the stream cannot be folded at all.
    """
    state: Stream | None = None
    counts = dict.fromkeys(("decisions", "refused", "calendars", "events", "heads", "old_plans"), 0)
    book_decisions: list[BookDecision] = []
    mismatches: list[Mismatch] = []
    judged, handed = False, set[str]()
    for recorded in _decisions(history):
        first = recorded[0]
        if first.state == _SERVICE:
            counts["heads"] += len(recorded)
        elif first.used and first.used.position is not msgspec.UNSET and isinstance(state, (Rep, Campaign)):
            book_decisions.append(BookDecision(state, recorded, first.used.position))
        elif isinstance(first.data, DayPlanned):
            counts["old_plans"] += 1
        else:
            counts["decisions"] += 1
            counts["refused"] += isinstance(first.data, CommandRefused)
            counts["calendars"] += isinstance(first.data, CalendarFrozen)
            counts["events"] += len(recorded)
            derived = _derive(
                state,
                first,
                library,
                Book(),
                judged=_asks(state, first, handed, judged=judged),
                rescores=_rescores(state, recorded),
                explains=_WHY in handed or not isinstance(first.data, LeadReassigned) or bool(first.data.reason),
            )
            mismatches += _compare(recorded, derived)
            mismatches += _compare_handed(state, first, handed)
            mismatches += _compare_layers(state.layers if isinstance(state, Rep) else UNSET, first, library)
            mismatches += _compare_followed(state, first, library)
            judged = judged or bool(first.used and first.used.law)
            handed |= _handed(state, first)
        for each in recorded:
            state = fold_stream(state, each)
    return Rederived(**counts, book_decisions=tuple(book_decisions), mismatches=tuple(mismatches))


def rederive_book_decisions(
    log: Iterable[Recorded], decisions: Iterable[BookDecision], library: Library
) -> Iterator[tuple[BookDecision, tuple[Mismatch, ...]]]:
    """Derive *decisions* again, in the order in which they were made, and yield each with what came out differently.

    *log* holds all events of all streams in the order of their positions, from the first on. Memory is one folded lead per
    lead.

    Raises
    ------
    FoldError
        When the log cannot be folded.
    """
    books, events = Books(), iter(log)
    for decision in sorted(decisions, key=lambda decision: decision.position):
        while books.position < decision.position:
            recorded = next(events, None)
            if recorded is None:
                break
            books.take(recorded)
        if books.position < decision.position:
            there = f"the first {decision.position} events, and the log has {books.position}"
            yield decision, (_mismatch(decision.recorded[0], "used.position", "what it rests on", there),)
        else:
            found = _compare(decision.recorded, _derive_on_book(decision, books, library))
            yield decision, (*found, *_compare_followed(decision.stream, decision.recorded[0], library))


def _derive_on_book(decision: BookDecision, books: Books, library: Library) -> tuple[Recorded, ...] | str:
    first = decision.recorded[0]
    if isinstance(decision.stream, Campaign):
        return _derive(decision.stream, first, library, Book(), audience_at(decision.stream, books, first))
    calendar = library.calendars.get(decision.stream.calendar_digest)
    if calendar is None or first.used is None:
        return "used.calendar"
    colleague = _colleague(first.used, library)
    if isinstance(colleague, str):
        return colleague
    book = books.book(decision.stream.name, horizon.local_day(calendar, first.used.now), colleague)
    pinned = playbooks_of(book)
    if not pinned <= library.playbooks.keys():
        return "used.book"
    refused = first.used.suppressed or {}
    book = msgspec.structs.replace(
        book,
        suppressed={UUID(lead_id): modes for lead_id, modes in refused.items()},
        law=first.used.law,
        charged=first.used.beside is not msgspec.UNSET,
        counted=first.used.unreserved is not msgspec.UNSET,
        resting=first.used.held is not msgspec.UNSET,
        lawful=first.used.lawful is not msgspec.UNSET,
        carried=first.used.overdue is not msgspec.UNSET,
        probed=book.probed if first.used.probes is not msgspec.UNSET else None,
        opening=book.opening if first.used.opening is not msgspec.UNSET else None,
        contact_hours={digest: library.playbooks[digest].contact_hours for digest in pinned},
    )
    return _derive(decision.stream, first, library, book)


def _decisions(history: Iterable[Recorded]) -> Iterator[tuple[Recorded, ...]]:
    """Part a stream into decisions: the events of one message, the first of which holds what was used."""
    for _, events in groupby(history, key=lambda recorded: recorded.message_id):
        yield tuple(events)


def _asks(state: Stream | None, first: Recorded, handed: Collection[str], *, judged: bool) -> bool:
    """Tell whether a decision has to name a law table if it asks one: as earlier ones on the lead did, of another owner as
    earlier such in a state like this one, which ask since later than others.
    """
    return judged if not isinstance(first.command, Reassign) else _sort(state) in handed


def _sort(state: Stream | None) -> str:
    """Return of which call another owner is asked for: one that a note is to promise, or one that is promised or due."""
    return _OF_A_NOTE if isinstance(state, Lead) and state.state == "note_due" else "a call"


def _handed(state: Stream | None, first: Recorded) -> set[str]:
    """Return of which sort of call another owner was asked with a law table, whose days were looked at for it, and whether it
    was said why a note did not go over; of every decision, who has a calendar.
    """
    if first.used is None or not isinstance(state, Lead) or first.command is None:
        return set()
    has = {f"has:{acting(state, first.command)}"} if first.used.calendar else set[str]()
    if not isinstance(first.command, Reassign):
        return has
    named = {f"rep:{first.used.colleague.rep}"} if first.used.colleague else set[str]()
    if isinstance(first.data, LeadReassigned) and first.data.reason and _sort(state) == _OF_A_NOTE:
        named.add(_WHY)
    return has | named | ({_sort(state)} if first.used.law else set())


def _compare_handed(state: Stream | None, first: Recorded, handed: Collection[str]) -> Iterator[Mismatch]:
    """Look whether the days of an owner are named that were looked at before, or that are known where others' were looked at:
    nobody's calendar is ever taken away.
    """
    if first.used is None or first.used.colleague or not isinstance(first.data, LeadReassigned) or not isinstance(state, Lead):
        return
    owner = isinstance(first.command, Reassign) and colleague_of(state, first.command)
    others = any(each.startswith("rep:") for each in handed)
    if owner and (f"rep:{owner}" in handed or (others and f"has:{owner}" in handed)):
        yield _mismatch(first, "used.colleague", "nothing", f"by whose days {owner} calls, as before")


def _derive(
    state: Stream | None,
    first: Recorded,
    library: Library,
    book: Book,
    audience: Audience | None = None,
    *,
    judged: bool = False,
    rescores: bool = True,
    explains: bool = True,
) -> tuple[Recorded, ...] | str:
    """Return what the decision that recorded *first* gives now, or why it cannot be made again.

    Whether it has to name a law table if it asks one is *judged*; as to *rescores* see `_rescores`, and as to *explains*
    `workflows.context.Context`.
    """
    used, pin = first.used, first.playbook
    if used is None or pin is None:
        return "used"
    if pin.digest not in library.playbooks:
        return "playbook"
    if used.calendar is not None and used.calendar not in library.calendars:
        return "used.calendar"
    if used.followed and used.followed not in library.playbooks:
        return "used.followed"
    if used.law and used.law.table not in TABLES:
        return "used.law.table"
    colleague = _colleague(used, library)
    if isinstance(colleague, str):
        return colleague
    playbook = library.playbooks[pin.digest]
    calendar = library.calendars[used.calendar] if used.calendar else None
    carrier = Carrier(
        message_id=first.message_id,
        stream_id=first.stream_id,
        actor=first.actor,
        correlation_id=first.correlation_id,
        causation_id=first.causation_id,
        recorded_at=used.now,
    )
    command = _command(first)
    if command is None:
        return "command"
    if first.state in (CAMPAIGN, SALES_EVENT):
        own = state if isinstance(state, (Campaign, SalesEvent)) else None
        return _derive_invitations(own, first, command, playbook, library, audience or Audience(), carrier)
    if first.state == "rep":
        rep = state if isinstance(state, Rep) else None
        return handle_rep(rep, command, now=used.now, calendar=calendar, playbook=playbook, book=book, carrier=carrier).recorded
    context = Context(
        now=used.now,
        actor=first.actor,
        calendar=calendar,
        playbook=playbook,
        followed=library.playbooks[used.followed] if used.followed else None,
        colleague=colleague,
        leaving=library.playbooks.get(state.playbook.digest) if isinstance(state, Lead) and state.playbook else None,
        free=used.free,
        verdicts=tuple(_verdicts(used.verdicts, command, playbook)),
        holdings=used.holdings or None,
        queue=used.queue or None,
        rescores=rescores,
        explains=explains,
        into=used.into or None,
        law=None if judged and used.law is msgspec.UNSET else used.law,
        asked=used.asked,
        wording=used.wording,
    )
    return handle(state if isinstance(state, Lead) else None, command, context, carrier).recorded


def _colleague(used: Used, library: Library) -> Colleague | str | None:
    """Return who calls instead of the owner, if anybody did; or what of it cannot be found."""
    named = used.colleague
    if not named:
        return None
    if named.calendar not in library.calendars:
        return "used.colleague.calendar"
    if named.followed not in library.playbooks:
        return "used.colleague.followed"
    return Colleague.of(named.rep, library.calendars[named.calendar], library.playbooks[named.followed])


def _rescores(state: Stream | None, recorded: Sequence[Recorded]) -> bool:
    """Tell whether a decision worked out its lead's score anew: once one has, all that follow on the same lead do."""
    if not isinstance(state, Lead) or state.score_basis:
        return True
    return any(bool(each.effects.score or getattr(each.data, "basis", False)) for each in recorded)


def _derive_invitations(
    state: Campaign | SalesEvent | None,
    first: Recorded,
    command: AnyCommand,
    playbook: Playbook,
    library: Library,
    audience: Audience,
    carrier: Carrier,
) -> tuple[Recorded, ...] | str:
    used = first.used
    if used is None or not playbook.invitation:
        return "playbook.invitation"
    reps = used.reps or {}
    known = {name: library.calendars.get(facts.calendar) for name, facts in reps.items() if facts.calendar}
    looked = Looked(
        now=used.now,
        rules=playbook.invitation,
        events=used.events or (),
        audience=audience,
        calendars={name: calendar for name, calendar in known.items() if calendar},
        reps=reps,
        law=TABLES[used.law.table] if used.law else None,
        gone=used.gone or (),
        texts=first.data.documents if isinstance(first.data, EventTextsErased) else (),
        holdings=used.holdings,
    )
    return handle_invitations(
        state, command, playbook=playbook, looked=looked, verdicts=used.verdicts, carrier=carrier
    ).recorded


def audience_at(campaign: Campaign, books: Books, first: Recorded) -> Audience:
    """Return what the log so far holds of a campaign's audience, with what was known of people apart from it."""
    people = (first.used.people or {}) if first.used else {}
    return Audience(
        leads=audience_of(books.leads.values(), asked_for(campaign)),
        people={UUID(id_): facts for id_, facts in people.items()},
        position=books.position,
    )


def _command(first: Recorded) -> AnyCommand | None:
    data = first.data
    if isinstance(data, CalendarFrozen) and first.command is None:
        return SetCalendar(
            rep=data.rep, calendar=data.calendar, playbook=data.playbook, occurred_at=first.occurred_at, layers=data.layers
        )
    return first.command


def _compare_layers(before: Layers | UnsetType, recorded: Recorded, library: Library) -> Iterator[Mismatch]:
    """Compare the playbook of a rep's days with what the layers make of the one below them; *before* there were others."""
    data, pin = recorded.data, recorded.playbook
    if not isinstance(data, CalendarFrozen) or pin is None or pin.digest not in library.playbooks:
        return
    made = library.playbooks[pin.digest]
    if data.playbook != made.id:
        yield _mismatch(recorded, "data.playbook", data.playbook, made.id)
    if not data.layers:
        if is_made(made):
            yield _mismatch(recorded, "data.layers", "nothing", f"what {made.id} was made of")
        return
    base = library.playbooks.get(data.layers.digest)
    if base is None:
        yield _mismatch(recorded, "data.layers.digest", "what it names", "cannot be found, so that it cannot be made again")
        return
    if base.id != data.layers.base:
        yield _mismatch(recorded, "data.layers.base", data.layers.base, base.id)
    whole = msgspec.structs.replace(merged(base, data.layers, playbook_id=made.id, version=made.version), extends=made.extends)
    for field, was, comes_out in _differing("playbook", msgspec.to_builtins(made), msgspec.to_builtins(whole)):
        yield _mismatch(recorded, field, was, comes_out)
    try:
        check_narrower(base, data.layers, said_since(before, data.layers))
    except LoosenedError as error:
        yield _mismatch(recorded, "data.layers", "hours that no layer may have", str(error))


def _compare_followed(state: Stream | None, recorded: Recorded, library: Library) -> Iterator[Mismatch]:
    for field, digest in never_followed(state, recorded, library.followed) if library.followed is not None else ():
        yield _mismatch(recorded, field, digest, "a playbook that the rep's days followed")
    if missing := left_out(state, recorded, library.followed or (), library.playbooks):
        yield _mismatch(recorded, "used.followed", "nothing", missing)


def given_verdicts(verdicts: Iterable[Verdict]) -> Iterator[Verdict]:
    """Yield the verdicts that programs gave: what people attested or overrode comes from the command again."""
    for verdict in verdicts:
        attested = verdict.source.startswith("attested by ")
        # Somebody vouched beside what a program had found of a photo.
        if verdict.source == "overridden" or (attested and verdict.level is not msgspec.UNSET):
            yield msgspec.structs.replace(verdict, passed=False)
        elif not attested:
            yield verdict


def _verdicts(verdicts: Iterable[Verdict], command: AnyCommand, playbook: Playbook) -> Iterator[Verdict]:
    """Yield the verdicts that programs gave, as what was read allows: of a photo two sentences, and else all of a text."""
    for verdict in given_verdicts(verdicts):
        if verdict.check == SUPPRESSION or (verdict.source == "overridden" and verdict.level is msgspec.UNSET):
            yield verdict
        elif isinstance(command, MarkNoteSent) and command.photo:
            if told := of_sentences(verdict, asked(command, playbook)):
                yield told
        else:
            inputs = {name: value for name, value in verdict.inputs.items() if name != "read"}
            yield msgspec.structs.replace(verdict, inputs=inputs)


def _compare(recorded: Sequence[Recorded], derived: Sequence[Recorded] | str) -> Iterator[Mismatch]:
    if isinstance(derived, str):
        yield _mismatch(recorded[0], derived, "what it names", "cannot be found, so that the decision cannot be made again")
        return
    for old, new in zip_longest(recorded, derived):
        names = [event_type(each.data) if each else "nothing" for each in (old, new)]
        if old is None or new is None or names[0] != names[1]:
            yield _mismatch(old or new, "event", *names)
        elif canonical(old) != canonical(new):
            for field, before, after in _differing("", msgspec.to_builtins(old), msgspec.to_builtins(new)):
                yield _mismatch(old, field, before, after)


def _mismatch(event: Recorded, field: str, recorded: str, derived: str) -> Mismatch:
    return Mismatch(version=event.version, type=event_type(event.data), field=field, recorded=recorded, derived=derived)


_ABSENT = object()


def _differing(path: str, recorded: Any, derived: Any) -> Iterator[tuple[str, str, str]]:
    if isinstance(recorded, dict) and isinstance(derived, dict):
        for name in sorted({*recorded, *derived}):
            below = f"{path}.{name}" if path else name
            yield from _differing(below, recorded.get(name, _ABSENT), derived.get(name, _ABSENT))
    elif recorded != derived:
        yield path, _json(recorded), _json(derived)


def _json(value: Any) -> str:
    return "nothing" if value is _ABSENT else canonical(value).decode()
