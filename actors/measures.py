"""Measuring a text that goes out, so that `workflows.content` can judge it: likeness by RapidFuzz, the rest by patterns."""

from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from datetime import date, datetime, timedelta
from functools import lru_cache, partial
from typing import Any, NamedTuple
from uuid import UUID

from rapidfuzz import fuzz, process

from actors.library import Library
from actors.mail_checks import mail_of
from models import leads, mailboxes, slots, texts, wordings
from models.database import Connection
from models.texts import Written
from workflows import horizon
from workflows.calendars import Calendar
from workflows.caller_names import names_person
from workflows.capacity import Capacity
from workflows.checks import asked, checked_text
from workflows.commands import AnyCommand, MarkNoteSent, Reference, SendTouch
from workflows.content import MOST_CHARACTERS, MOST_OF_INVITATIONS, Measures, TextKind, judge
from workflows.cover import Colleague
from workflows.events import Slot, Verdict
from workflows.lead import Lead
from workflows.mail_commands import QueueNurtureMail
from workflows.mail_text import read_mail
from workflows.phrase_lists import SHIPPED, PhraseLists, read_phrases
from workflows.phrases import (
    ASKS_TO_REPLY,
    COMMON,
    MAY_SAY_NO,
    MONTHS,
    NICKNAMES,
    NUMBERS,
    TITLES,
    WEEKDAYS,
)
from workflows.playbooks import Playbook
from workflows.prose import (
    body_of,
    empty_phrase,
    greeted,
    in_other_letters,
    merge_mark,
    named,
    normal,
    promise_in,
    runs_of,
    telling_words,
    words_of,
)
from workflows.slotting import call_promised, free_slots
from workflows.wordings import Wording

#: The names under which the command line keeps the words of a kind (`service.cli.draft`).
_KEPT_AS: Mapping[TextKind, str] = {"strategy": "strategy"}

#: How many of the writer's own last texts are looked through for runs of words.
_OWN = 30
_RUN_WORDS = 6


class About(NamedTuple):
    """What a text is compared with."""

    kind: TextKind
    sent_on: date
    call_on: date | None = None
    long_gap: bool = False
    """The call comes later than the playbook usually lets it."""
    caller: tuple[str, ...] = ()
    """Names of the colleague who makes the call; none when the writer does."""
    names: tuple[str, ...] = ()
    """The lead's own: person and company."""
    facts: tuple[str, ...] = ()
    meeting: tuple[str, ...] = ()
    prior_interest: str = ""
    value: str = ""
    earlier_values: tuple[str, ...] = ()
    attempts: int = 0
    solution: str = ""
    benefit: str = ""
    fact_confirmed: int | None = None
    team: Sequence[Written] = ()
    """Texts of the same kind for other leads, newest first."""
    writer: str | None = None
    other_leads: Sequence[str] = ()
    lists: PhraseLists = SHIPPED


@lru_cache(maxsize=4)
def lists_of(wording: Wording) -> PhraseLists:
    """Return the phrase lists of a published *wording*."""
    return read_phrases(wording.text)


def is_measured(command: AnyCommand, words: Mapping[UUID, Written]) -> bool:
    """Tell whether *command* has words that are checked, and that are among *words*."""
    found = checked_text(command)
    return found is not None and found[1].document_id in words


def words_of_all(connection: Connection, commands: Iterable[AnyCommand]) -> Mapping[UUID, Written]:
    """Return the words of those of *commands* that have any, asked in one statement, by their documents' ids."""
    found = (checked_text(command) for command in commands)
    return texts.find_texts(connection, {text[1].document_id for text in found if text})


def verdicts_on(
    connection: Connection,
    lead: Lead,
    command: AnyCommand,
    words: Mapping[UUID, Written],
    playbook: Playbook,
    capacity: Capacity,
    calendar: Calendar | None,
    now: datetime,
    phrases: Wording,
    colleague: Colleague | None,
    free: Collection[Slot],
) -> tuple[Verdict, ...]:
    """Return the verdicts on the words of *command*, which are among *words*; none when it has none or they were erased.

    *capacity* is the rep's; *phrases* is the wording of the lists that is in force; a *colleague* makes the call that a note
    promises, if one is given, in one of the slots that are *free*.
    """
    found = checked_text(command)
    written = words.get(found[1].document_id) if found else None
    if found is None or written is None:
        return ()
    sent_at = command.occurred_at or now
    about = _about(connection, lead, found[0], written, playbook, capacity, calendar, sent_at, now, colleague, free)
    about = about._replace(lists=lists_of(phrases))
    if mail_of(command):
        written = written._replace(body=read_mail(written.body.encode()).words)
    if isinstance(command, QueueNurtureMail):
        about = about._replace(value=_words(command.asset))
    if isinstance(command, SendTouch):
        about = about._replace(value=_words(command.value_item))
    if isinstance(command, MarkNoteSent) and command.fact:
        about = about._replace(fact_confirmed=command.fact)
    of_photo = isinstance(command, MarkNoteSent) and isinstance(command.photo, Reference)
    return judge(found[0], asked(command, playbook), measure(written.body, about), playbook.content, of_photo=of_photo)


def preview(
    connection: Connection,
    lead: Lead,
    kind: TextKind,
    body: str,
    playbook: Playbook,
    calendar: Calendar | None,
    now: datetime,
    *,
    value_item: str = "",
    fact: int | None = None,
    of_photo: bool = False,
) -> tuple[Verdict, ...]:
    """Return the verdicts that *body* would get as a text of *kind* for *lead*; nothing is kept.

    With *of_photo* it is two sentences of a note whose rest only a photo shows.
    """
    draft = Written(UUID(int=0), lead.id, body, f"rep:{lead.owner}", now)
    library = Library()
    by = lead.call_by if kind == "note" and lead.call_by else None
    library.load(connection, newest=(), digests=(), reps={lead.owner, by or lead.owner})
    capacity = (library.followed(lead.owner) or playbook).capacity
    colleague, taken = library.colleague(by), partial(slots.taken_on, connection)
    unwritten = partial(leads.owned_leads, connection, lead.owner, ("note_due",))
    free = (
        free_slots(lead, MarkNoteSent(medium="hand_written"), calendar, capacity, now, taken, colleague, unwritten)
        if kind == "note"
        else ()
    )
    about = _about(connection, lead, kind, draft, playbook, capacity, calendar, now, now, colleague, free)
    about = about._replace(value=_words(value_item) or about.value, fact_confirmed=fact)
    about = about._replace(lists=lists_of(wordings.latest(connection, "phrases")))
    checks = {"note": playbook.checks.note, "touch": playbook.checks.touch}.get(kind, ())
    return judge(kind, checks, measure(body, about), playbook.content, of_photo=of_photo)


def _about(
    connection: Connection,
    lead: Lead,
    kind: TextKind,
    written: Written,
    playbook: Playbook,
    capacity: Capacity,
    calendar: Calendar | None,
    sent_at: datetime,
    now: datetime,
    colleague: Colleague | None,
    free: Collection[Slot],
) -> About:
    fields = texts.facts_about(connection, lead.id)
    days = timedelta(days=playbook.content.similar_for_days)
    calendar = calendar or horizon.PLAIN
    sent_on = horizon.local_day(calendar, sent_at)
    # Not the day that was planned: a note that goes out on another day, or by a calendar that changed since, promises another.
    caller, by = (colleague.name, colleague.calendar) if colleague else (lead.owner, calendar)
    call_on = call_promised(lead, sent_on, by, capacity, caller, free)[0] if kind == "note" else None
    return About(
        kind=kind,
        sent_on=sent_on,
        call_on=call_on,
        long_gap=(call_on - sent_on).days > playbook.capacity.max_promise_gap_days if call_on else False,
        caller=_names_of(connection, lead.call_by) if kind == "note" and lead.call_by else (),
        names=_texts(fields, "name", "company"),
        facts=tuple(str(fact) for fact in fields.get("facts", ())),
        meeting=_texts(fields, "last_meeting_place", "last_meeting_topic"),
        prior_interest=str(fields.get("prior_interest", "")),
        value=_words(lead.value_item or ""),
        # What keeps us in touch is told apart by its name: the next edition of a report is something new.
        earlier_values=() if kind == "nurture" else tuple(_words(item) for item in lead.value_items_used),
        attempts=lead.attempts,
        solution=texts.latest(connection, lead.id, "solution"),
        benefit=texts.latest(connection, lead.id, "benefit"),
        # A letter of a campaign is meant to be like the others.
        team=()
        if kind == "invitation"
        else texts.sent_before(connection, written, _KEPT_AS.get(kind, "text"), since=now - days),
        writer=written.writer,
        other_leads=texts.names_of_leads(connection, lead.owner, but=lead.id),
    )


def measure(words: str, about: About) -> Measures:
    """Measure *words*. Nothing of the result tells what they say."""
    most = MOST_OF_INVITATIONS if about.kind == "invitation" else MOST_CHARACTERS
    if len(words) > most:
        return Measures(words=0, body_words=0, characters=len(words), characters_most=most)
    plain, body = normal(words), body_of(words, about.names)
    # Each without the names of its own reader, as this one: a template is the same whatever was merged into it.
    team = {text.id: body_of(text.body, text.names) for text in about.team}
    closest = _closest(body, team)
    promise = promise_in(words, about.sent_on, about.call_on, by_another=bool(about.caller))
    facts = [_spoken_of(fact, plain) for fact in about.facts]
    best = max(facts, default=0)
    return Measures(
        words=len(words_of(words)),
        body_words=len(body.split()),
        characters=len(words),
        characters_most=most,
        closest=closest[0],
        closest_document=str(closest[1]) if closest[1] else None,
        repeats=_repeats(body, [team[text.id] for text in about.team if text.writer == about.writer][:_OWN]),
        fact=best,
        fact_number=facts.index(best) + 1 if best else None,
        fact_confirmed=about.fact_confirmed,
        facts=len(facts),
        meeting=max((_spoken_of(detail, plain) for detail in about.meeting), default=0),
        promise=promise.made,
        contradiction=promise.contradiction,
        dated=promise.dated,
        long_gap=about.long_gap,
        caller=any(names_person(words, name) for name in about.caller) if about.caller else None,
        empty=empty_phrase(words, about.lists),
        telling=len(telling_words(words, about.names, about.lists)),
        prior=_where(about.prior_interest, plain),
        value=_where(about.value, plain),
        other_letters=bool(about.value) and in_other_letters(plain),
        value_repeated=max((_per_mille(fuzz.ratio(about.value, earlier)) for earlier in about.earlier_values), default=0),
        merge_mark=merge_mark(words) is not None,
        **_names(words, plain, about),
        solution=_spoken_of(about.solution, plain) >= _THERE,
        benefit=_spoken_of(about.benefit, plain) >= _THERE,
        attempts=_says_number(plain, about.attempts),
        may_say_no=bool(MAY_SAY_NO.search(plain)),
        asks_to_reply=bool(ASKS_TO_REPLY.search(plain)),
        mentions_mail=bool(about.lists.mail_pattern.search(plain)),
    )


#: From here on a text speaks of something, in per mille.
_THERE = 800


def _closest(body: str, team: Mapping[UUID, str]) -> tuple[int, UUID | None]:
    found = process.extractOne(body, team, scorer=fuzz.ratio) if body else None
    return (_per_mille(found[1]), found[2]) if found else (0, None)


def _repeats(body: str, own: Sequence[str]) -> int:
    runs = runs_of(body, _RUN_WORDS)
    return sum(not runs.isdisjoint(runs_of(earlier, _RUN_WORDS)) for earlier in own)


def _spoken_of(detail: str, plain: str) -> int:
    """Return how surely the text *plain* speaks of *detail*: literally, or in enough of its telling words."""
    wanted = normal(detail)
    if not wanted:
        return 0
    literally = _per_mille(fuzz.partial_ratio(wanted, plain)) if len(wanted) <= len(plain) else 0
    telling = {word[:5] for word in words_of(wanted) if word not in COMMON}
    there = {word[:5] for word in words_of(plain)}
    # Half of the telling words are enough, and one of several never is.
    shared = len(telling & there)
    told = min(1000, shared * 1600 // len(telling)) if shared > 1 or len(telling) == 1 else 0
    return max(literally, told)


def _where(detail: str, plain: str) -> int | None:
    """Return where the text *plain* comes to *detail*, in words from the start; None when it does not."""
    if not detail or _spoken_of(detail, plain) < _THERE:
        return None
    telling = {word[:5] for word in words_of(detail) if word not in COMMON}
    return next((at for at, word in enumerate(words_of(plain)) if word[:5] in telling), 0)


def _names(words: str, plain: str, about: About) -> dict[str, Any]:
    """Return the measures of whom a text names: in its greeting, and in its body."""
    own = {word for name in about.names for word in words_of(name)}
    person = words_of(about.names[0]) if about.names else ()
    others = [tuple(words_of(name)) for name in about.other_leads]
    first = {next((word for word in name if word not in TITLES), "") for name in others} - own
    greeting = greeted(words)
    # Whose names the prospect has told us stand in the facts, and the writer's own in any text.
    known = {word for said in (*about.facts, *about.meeting, about.writer or "") for word in words_of(said)}
    inside = named(words) & first - known - COMMON - {*WEEKDAYS, *MONTHS}
    return {
        "wrong_name": bool(greeting and own) and not any(name in own or _may_be(name, person) for name in greeting),
        "greets_other": bool(own) and own.isdisjoint(greeting) and any(_is_another(name, own, first) for name in greeting),
        "other_lead": _in_full(words_of(plain), {name for name in others if len(name) > 1}, about.names),
        "first_names": len(inside),
    }


def _is_another(name: str, own: Set[str], first: Set[str]) -> bool:
    """Tell whether *name* is another lead's first name, and no short form of one's *own*."""
    return name in first and own.isdisjoint(NICKNAMES.get(name, ()))


def _may_be(name: str, person: Sequence[str]) -> bool:
    """Tell whether *name* may be what somebody with the names *person* is called: "Addie" or "A." for Ada, and not "Alan"."""
    return any(
        name[:2] == own[:2]
        or own.startswith(name)
        or (len(name) > 2 and name in own)
        or own in NICKNAMES.get(name, ())
        or _per_mille(fuzz.ratio(name, own)) >= 600
        for own in person
    )


def _in_full(words: Sequence[str], others: Set[tuple[str, ...]], names: Iterable[str]) -> bool:
    others = others - {tuple(words_of(name)) for name in names}
    lengths = {len(name) for name in others}
    return any(tuple(words[at : at + length]) in others for length in lengths for at in range(len(words) - length + 1))


def _says_number(plain: str, number: int) -> bool:
    spelled = {word for word, value in NUMBERS.items() if value == number and value > 1}
    return any(word == str(number) or word in spelled for word in words_of(plain))


def _texts(fields: dict[str, Any], *names: str) -> tuple[str, ...]:
    return tuple(str(fields[name]) for name in names if fields.get(name))


def _names_of(connection: Connection, rep: str) -> tuple[str, ...]:
    """Return what a rep is called here, and in mail."""
    mailbox = mailboxes.find(connection, rep)
    return (rep, mailbox.name) if mailbox and mailbox.name else (rep,)


def _words(slug: str) -> str:
    return slug.replace("-", " ").replace("_", " ").replace(".", " ")


def _per_mille(score: float) -> int:
    return round(score * 10)
