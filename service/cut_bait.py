"""Who is proposed for letting go, and what a manager should hear of: long silences, and much time for little hope."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Literal, NamedTuple
from uuid import UUID

import msgspec

from models import contacts, playbooks
from models.contacts import Contact
from models.database import Connection
from models.queues import leads_in, read_queue
from models.views import calendar_of, heard
from service.letting_go import FIRST, choices, first_steps
from service.times import zone_of
from service.wording import count, field_of, key_of, key_of_id, name_of, words
from workflows.cut_bait import NURTURE_MODES, card, chance_left, to_try
from workflows.floor import FLOOR_STATES, FLOOR_TOUCHES, FLOOR_YEAR, Breach, breach
from workflows.homework import is_studied
from workflows.law import lawful_modes
from workflows.law_table import CURRENT
from workflows.lead import Lead
from workflows.playbooks import Playbook
from workflows.priority import BASIS_POINTS
from workflows.pursuit_facts import Card, Ground, Queue
from workflows.pursuit_playbook import Pursuit

#: States in which reps spend time on a lead.
_WORKED: tuple[str, ...] = ("queued", "note_due", "note_sent", "call_due", "no_response", "re_engaged")

_GROUNDS: Mapping[Ground, str] = {
    "below_the_queue": "it brings {returns} an hour, and the queue {median}",
    "attempts_spent": "its {attempts} are all that it may get",
    "low_importance": "its importance is {importance}",
    "over_capacity": "{owed} wait to be tried again and the coming days hold {room}: at {returns} an hour it brings least",
}


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A lead about which somebody has to decide, with all that is shown to them."""

    lead_id: UUID
    key: str
    name: str
    owner: str
    card: Card
    why: tuple[str, ...]
    """Sentences: the grounds."""
    lines: tuple[str, ...]
    """The arithmetic and the checklist, in words."""
    commands: tuple[str, ...]
    """The choices that are open; to break up only after as many attempts as that takes."""


Rule = Literal["inordinate_time", "gone_silent", "silent_too_long", "too_few_touches", "suspected_double"]


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """Something that the named owner and the manager should hear of."""

    rule: Rule
    lead_id: UUID
    key: str
    name: str
    owner: str
    says: str
    command: str
    """What to type for it; empty when nothing but work helps."""


class _Team(NamedTuple):
    """Leads with what is known of them."""

    leads: Sequence[Lead]
    people: Mapping[UUID, Contact]
    playbooks: Mapping[str, Playbook]

    def rules(self, lead: Lead) -> tuple[Playbook, Pursuit] | None:
        """Return the playbook that *lead* follows, if it says how far the silent are pursued."""
        playbook = self.playbooks.get(lead.playbook.digest) if lead.playbook else None
        return (playbook, playbook.pursuit) if playbook and playbook.pursuit else None


def read_cards(connection: Connection, now: datetime, owner: str | None = None) -> list[Shown]:
    """Return the leads that are proposed for letting go, of *owner* or of the team: what brings least an hour comes first."""
    team = _read_team(connection, ["no_response"], owner)
    found = [shown for shown in shown_cards(connection, now, team.leads, team.people, team.playbooks) if shown.card.grounds]
    return sorted(found, key=lambda shown: (shown.card.return_per_hour, shown.lead_id))


def shown_cards(
    connection: Connection, now: datetime, leads: Iterable[Lead], people: Mapping[UUID, Contact], known: Mapping[str, Playbook]
) -> list[Shown]:
    """Return the card of each of *leads* about which nobody has decided yet, proposed or not."""
    team = _Team(tuple(leads), people, known)
    open_ = [lead for lead in team.leads if lead.cut_bait not in ("breakup", "nurture") and not _breaking_up(lead)]
    high = {lead.id: rules[0].importance.high_from for lead in open_ if (rules := team.rules(lead))}
    of = {(lead.owner, high[lead.id]) for lead in open_ if lead.id in high}
    queues = {each: read_queue(connection, each[0], now, each[1]) for each in of}
    next_ids = [queue.next_lead for queue in queues.values() if queue.next_lead]
    days = {owner: now.astimezone(zone_of(calendar_of(connection, owner))).date() for owner, _ in queues}
    waiting = contacts.find_contacts(connection, next_ids)
    names = {id_: name_of_id(id_, waiting) for id_ in next_ids}
    found = []
    for lead in open_:
        if rules := team.rules(lead):
            day = days[lead.owner]
            modes = to_try(lead, rules[0], lawful_modes(lead, day, CURRENT), day)
            queue = queues[lead.owner, high[lead.id]]
            worked_out = card(lead, rules[0], rules[1], queue, modes)
            found.append(_shown(lead, people.get(lead.id), worked_out, names, queue, rules[0]))
    return found


def name_of_id(lead_id: UUID, people: Mapping[UUID, Contact]) -> str:
    """Return how to call a person of whom only the id is at hand, and the contact if it is open to us."""
    contact = people.get(lead_id)
    return (field_of(contact.fields, "name") or key_of_id(lead_id, contact)) if contact else str(lead_id)[:8]


def _breaking_up(lead: Lead) -> bool:
    return bool(lead.breakup_voicemail_at or lead.breakup_email_at)


def _shown(
    lead: Lead, person: Contact | None, shown: Card, names: Mapping[UUID, str], queue: Queue, playbook: Playbook
) -> Shown:
    typed = key_of(lead, person)
    steps = first_steps(lead, playbook, shown.checklist, typed)
    said = {
        "returns": shown.return_per_hour,
        "median": shown.median,
        "attempts": count(shown.attempts, "attempt"),
        "importance": lead.importance,
        "owed": sum(owed.leads for owed in queue.owed or ()),
        "room": queue.room or 0,
    }
    return Shown(
        lead_id=lead.id,
        key=typed,
        name=name_of(lead, person),
        owner=lead.owner,
        card=shown,
        why=tuple(_GROUNDS[ground].format(**said) for ground in shown.grounds),
        lines=(_arithmetic(shown), _spent(shown), *_checklist(shown), *map(FIRST.format, steps), _after(shown, names)),
        commands=tuple(f"thaw breakup confirm {typed} --choice {choice}" for choice in choices(lead, playbook, steps)),
    )


def percent(basis_points: int) -> str:
    """Return a share such as ``4.67 %``."""
    return f"{basis_points // 100}.{basis_points % 100:02} %"


def _arithmetic(shown: Card) -> str:
    median = "nobody is queued" if shown.median is None else f"the middle of {shown.queued} queued brings {shown.median}"
    return (
        f"value {shown.value} x chance {percent(shown.chance)} over {count(shown.minutes_needed, 'minute')} "
        f"= {shown.return_per_hour} an hour; {median}"
    )


def _spent(shown: Card) -> str:
    tried = f"{shown.attempts} of {count(shown.most, 'attempt')} unanswered"
    return f"{tried}; {count(shown.minutes_spent, 'minute')} spent, {shown.minutes_lost} of them probably lost"


def _checklist(shown: Card) -> Iterable[str]:
    done = shown.checklist
    tried = ", ".join(map(words, done.modes_tried)) or "nothing"
    waived = f"; waived: {', '.join(map(words, done.modes_waived))}" if done.modes_waived else ""
    left = f"; still open: {', '.join(map(words, done.modes_open))}" if done.modes_open else ""
    yield f"tried: {tried}{waived}{left}"
    importance = "not answered" if done.importance is None else done.importance
    nurture = ", ".join(done.nurture_modes) or "no way"
    known = f"connector: {done.connector}; importance: {importance}"
    yield f"value brought: {done.value_items}; {known}; keeping in touch by {nurture}"


def _after(shown: Card, names: Mapping[UUID, str]) -> str:
    if shown.next_lead is None:
        return "nobody waits for the time"
    return f"the time would go to {names.get(shown.next_lead, str(shown.next_lead)[:8])}, who is next in the queue"


def read_alerts(connection: Connection, now: datetime, owner: str | None = None) -> list[Alert]:
    """Return what *owner*, or the team, should hear of: inordinate time, then those gone silent, then silences of ours."""
    worked = _read_team(connection, _WORKED, owner)
    return [*_inordinate(worked), *_gone_silent(worked), *_below_the_floor(connection, now, owner)]


def _read_team(connection: Connection, states: Sequence[str], owner: str | None) -> _Team:
    found = leads_in(connection, states, owner)
    digests = {lead.playbook.digest for lead in found if lead.playbook}
    people = contacts.find_contacts(connection, [lead.id for lead in found])
    return _Team(found, people, playbooks.playbooks_by_digest(connection, list(digests)))


def _inordinate(team: _Team) -> Iterable[Alert]:
    """Yield the leads whose minutes are probably lost, the most first (A3-2, A3-10)."""
    found = []
    for lead in team.leads:
        if rules := team.rules(lead):
            chance = chance_left(lead.stage_depth, lead.attempts, rules[1].chance)
            lost = lead.minutes_invested * (BASIS_POINTS - chance) // BASIS_POINTS
            if lead.attempts and lost >= rules[1].lost_minutes_alert:
                says = f"{count(lead.minutes_invested, 'minute')} spent at a chance of {percent(chance)}: {lost} probably lost"
                found.append((-lost, lead.id, _alert(team, lead, "inordinate_time", says, "thaw cut-bait --rep {owner}")))
    yield from (alert for _, _, alert in sorted(found, key=lambda each: each[:2]))


def _gone_silent(team: _Team) -> Iterable[Alert]:
    """Yield the leads that were interested and do not answer any more (A3-1)."""
    for lead in team.leads:
        rules = team.rules(lead)
        if rules is None or lead.state != "no_response" or lead.attempts < rules[1].silent_after:
            continue
        person = team.people.get(lead.id)
        interest = field_of(person.fields, "prior_interest") if person else ""
        if interest or lead.offer_at or lead.qualified:
            about = f" in {interest}" if interest else ""
            says = f"was interested{about}, and {count(lead.attempts, 'contact')} went unanswered"
            command = "thaw decline {key} --kind went_silent --stated-reason no_answer"
            yield _alert(team, lead, "gone_silent", says, command)


def floor_breaches(
    connection: Connection, now: datetime, leads: Sequence[Lead], known: Mapping[str, Playbook]
) -> dict[UUID, Breach]:
    """Return how the floor is broken for those of *leads*, queued or in nurture, for whom it is (A1-12)."""
    told, found = heard(connection, [lead.id for lead in leads], now - FLOOR_YEAR), {}
    for lead in leads:
        playbook = known.get(lead.playbook.digest) if lead.playbook else None
        if playbook is None or lead.id not in told:
            continue
        since, touches = told[lead.id]
        # Of longer ago, the newest is enough.
        newest = filter(None, (lead.nurture_touched_at, lead.last_touch_at, lead.last_contact_at))
        broken = breach(since, {*touches, *newest}, now, playbook.timers.nurture_floor_days)
        if broken:
            found[lead.id] = broken
    return found


def below_the_floor(connection: Connection, now: datetime, owner: str) -> int:
    """Return for how many of *owner*'s leads the floor is broken."""
    leads = leads_in(connection, FLOOR_STATES, owner)
    digests = {lead.playbook.digest for lead in leads if lead.playbook}
    return len(floor_breaches(connection, now, leads, playbooks.playbooks_by_digest(connection, list(digests))))


def _below_the_floor(connection: Connection, now: datetime, owner: str | None) -> Iterable[Alert]:
    """Yield who has heard nothing from us for too long, or too little in the year, the longest silent first."""
    team = _read_team(connection, FLOOR_STATES, owner)
    broken = floor_breaches(connection, now, team.leads, team.playbooks)
    leads = [lead for lead in team.leads if lead.id in broken]
    for lead in sorted(leads, key=lambda lead: (-broken[lead.id].silent_days, lead.id)):
        each = broken[lead.id]
        today = now.astimezone(zone_of(calendar_of(connection, lead.owner))).date()
        why, command = _why_silent(team, lead, today)
        if each.too_long:
            yield _alert(team, lead, "silent_too_long", f"has heard nothing from us for {each.silent_days} days{why}", command)
        else:
            says = f"has had {count(each.in_a_year, 'touch', 'touches')} in 365 days, and {FLOOR_TOUCHES} are the least{why}"
            yield _alert(team, lead, "too_few_touches", says, command)


def _why_silent(team: _Team, lead: Lead, today: date) -> tuple[str, str]:
    """Say why nobody turned to *lead* up to *today*, as far as that is known, and what to type."""
    playbook = team.playbooks[lead.playbook.digest] if lead.playbook else None
    if lead.hold:
        return f"; it is on hold: {words(lead.hold.reason)}", "thaw release {key}"
    if lead.state == "queued":
        return ", and waits in the queue for its turn", f"thaw why-not {{key}} --on {today}"
    if playbook and not is_studied(lead, playbook, "touch"):
        steps = [] if lead.history_at else ["history"]
        steps += [name for name, at in (("homework", lead.homework_at), ("strategy", lead.strategy_at)) if at is None]
        return f"; they said no, and what comes before a contact is missing: {', '.join(steps)}", f"thaw {steps[0]} {{key}}"
    lawful = lawful_modes(lead, today, CURRENT)
    if not any(mode in NURTURE_MODES for mode in lawful):
        return "; neither mail nor post is permitted", "thaw lead {key}"
    mode = "email" if "email" in lawful else "post"
    return "", f"thaw nurture touch {{key}} --mode {mode} --asset WORD --attest-all"


def _alert(team: _Team, lead: Lead, rule: Rule, says: str, command: str) -> Alert:
    person = team.people.get(lead.id)
    typed = key_of(lead, person)
    return Alert(
        rule=rule,
        lead_id=lead.id,
        key=typed,
        name=name_of(lead, person),
        owner=lead.owner,
        says=says,
        command=command.format(key=typed, owner=lead.owner),
    )
