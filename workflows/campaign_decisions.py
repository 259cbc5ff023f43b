"""What follows from a command for a campaign as it stands. Pure: what comes from elsewhere is in `Looked`, and is recorded."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from workflows import campaign_commands as c
from workflows import campaign_events as e
from workflows import horizon
from workflows.audience import Asked, Audience, is_short, most_drawn, rows_of
from workflows.calendars import Calendar
from workflows.campaign import RELEASE, Campaign, Letter
from workflows.commands import FireTimer
from workflows.context import Refused, Superseded, TooEarly
from workflows.event_list import sendable, upcoming
from workflows.events import Effects, Holdings
from workflows.guests import decide_on_guests
from workflows.invitation_answers import Answer, Said
from workflows.invitation_playbook import Invitation
from workflows.law_table import LawTable
from workflows.sentences import spoken

#: The rules whose refusal on the lead's own stream ends a letter, until a draw judges it anew; after any other refusal it is to
#: be written anew.
_ENDS = frozenset({
    "not_suppressed", "mode_permitted", "consent_expired", "region_unknown", "express_consent", "erased", "no_transition",
    "not_held", "check.event_left", "merged",
})  # fmt: skip


class Looked(msgspec.Struct, frozen=True, kw_only=True):
    """What a decision looks at beside the campaign itself."""

    now: datetime
    rules: Invitation
    events: tuple[e.EventFacts, ...] = ()
    """All sales events, by id."""
    audience: Audience = Audience()
    calendars: Mapping[str, Calendar] = {}
    """Of the reps who have one."""
    reps: Mapping[str, e.RepFacts] = {}
    postal_address: bool = True
    """Whether mail can say where we are."""
    gone: tuple[UUID, ...] = ()
    """Of those whom a decision about seats asks about: who opted out or was erased, by id."""
    law: LawTable | None = None
    """The table that a draw is held against; None for one that was made before there was any."""
    texts: tuple[str, ...] = ()
    """The commitments of what an erasure of an event's texts would remove, in order; its receipt has them."""
    holdings: Holdings | UnsetType = UNSET
    """The same once more, as logs of before have it of such a decision; unset for one that is made now."""


def decide_campaign(campaign: Campaign | None, command: c.CampaignCommand | FireTimer, looked: Looked) -> Answer:
    """Decide *command* for *campaign*, which is None when it is not known."""
    if isinstance(command, c.PlanCampaign):
        return _plan(campaign, command, looked)
    if campaign is None:
        return Refused(rule="unknown_campaign", reason="This campaign is not known; plan it first.")
    match command:
        case c.DrawAudience():
            return _draw(campaign, looked)
        case c.StartCampaign():
            return _start(campaign, looked)
        case c.RecordLetter():
            return _letter(campaign, command)
        case FireTimer():
            return _fire(campaign, command, looked)
    return decide_on_guests(campaign, command, looked.rules)


def _plan(campaign: Campaign | None, command: c.PlanCampaign, looked: Looked) -> Answer:
    if campaign is not None:
        reason = f"A campaign called {command.name} is known already; choose another name."
        return Refused(rule="already_planned", reason=reason, inputs={"version": campaign.version})
    today = looked.now.date()
    declined = looked.rules.audience("declined")
    period = declined.declined_between if declined else None
    first = command.declined_from or today - timedelta(days=period.from_days_ago if period else 0)
    last = command.declined_to or today - timedelta(days=period.to_days_ago if period else 0)
    if last < first:
        reason = f"The period ends on {spoken(last)}, before it begins on {spoken(first)}."
        return Refused(rule="period", reason=reason, inputs={"from": str(first), "to": str(last)})
    missing = next((key for key in command.audiences if looked.rules.audience(key) is None), None)
    if missing or not command.audiences:
        reason = f"The playbook has no letter for the audience {missing}." if missing else "Name at least one audience."
        return Refused(rule="audience", reason=reason)
    other = next((type_ for type_ in command.types if type_ not in looked.rules.events.types), None)
    if other:
        reason = f"{other} is no type of event; the playbook has {', '.join(looked.rules.events.types)}."
        return Refused(rule="event_type", reason=reason, inputs={"kind": other})
    planned = e.CampaignPlanned(
        name=command.name, declined_from=first, declined_to=last, audiences=command.audiences, types=command.types
    )
    return Said(data=(planned,))


def asked_for(campaign: Campaign) -> Asked:
    """Return whom a campaign asks for."""
    return Asked(campaign.declined_from, campaign.declined_to, campaign.audiences)


def _draw(campaign: Campaign, looked: Looked) -> Answer:
    """Draw the audience, or draw it again: letters that were sent stay, and those released for which nothing speaks against;
    the others are judged anew."""
    known = campaign.letters
    new = []
    for row in rows_of(looked.audience, asked_for(campaign), looked.rules, looked.now.date(), looked.law):
        letter = known.get(str(row.lead_id))
        before = (letter.audience, letter.rep, letter.status, letter.reason) if letter else None
        if letter and (letter.status == "sent" or (letter.status == "released" and row.status == "waiting")):
            continue
        if (row.audience, row.rep, row.status, row.reason) != before:
            new.append(row)
    present = {str(lead.id) for lead in looked.audience.leads}
    for id_, letter in known.items():
        # Who was in the audience and is not any more keeps a row, with that as the reason.
        if id_ not in present and letter.status == "waiting":
            new.append(
                e.AudienceRow(
                    lead_id=UUID(id_), audience=letter.audience, rep=letter.rep, status="excluded", reason="not_in_audience"
                )
            )
    statuses = {id_: letter.status for id_, letter in known.items()} | {str(row.lead_id): row.status for row in new}
    drawn = e.AudienceDrawn(
        rows=tuple(new),
        audience=len(statuses),
        excluded=sum(status == "excluded" for status in statuses.values()),
        added=sum(str(row.lead_id) not in known for row in new),
    )
    if too_large := _too_large(drawn, campaign, looked.audience):
        return too_large
    waits = any(status == "waiting" for status in statuses.values())
    if campaign.started and waits and RELEASE not in campaign.timers:
        return Said(data=(drawn,), effects=Effects(armed={RELEASE: looked.now}))
    return Said(data=(drawn,))


def _too_large(drawn: e.AudienceDrawn, campaign: Campaign, audience: Audience) -> Refused | None:
    """Refuse a draw that would be longer than an event may be; made again from the refusal it is refused, too."""
    people, present = len(audience.leads), {str(lead.id) for lead in audience.leads}
    most = most_drawn(audience.leads, (letter.rep for id_, letter in campaign.letters.items() if id_ not in present))
    if most >= people or (audience.people and is_short(drawn, audience)):
        return None
    reason = (
        f"The audience has {people:,} people, too many for one draw, which holds {most:,} for certain. Nobody was drawn: "
        "instead of this campaign plan some of shorter periods (--from, --to) or of one audience each (--audience)."
    )
    return Refused(rule="audience_size", reason=reason, inputs={"audience": people, "most": most})


def _start(campaign: Campaign, looked: Looked) -> Answer:
    if campaign.started:
        return Refused(rule="not_started", reason="It runs already.")
    if not campaign.drawn:
        return Refused(rule="drawn", reason=f"Draw the audience first: thaw campaign draw {campaign.name}.")
    refused = _by_law(looked) or sendable(looked.events, looked.rules.events, campaign.types, looked.now)
    if refused:
        return refused
    found = upcoming(looked.events, looked.rules.events, campaign.types, looked.now)
    effects = Effects(armed={RELEASE: looked.now}) if campaign.count("waiting") else Effects()
    return Said(data=(e.CampaignStarted(events=tuple(event.id for event in found)),), effects=effects)


def _by_law(looked: Looked) -> Refused | None:
    """Refuse letters by mail that could not say where we are: each of them would be refused when it is to leave."""
    if looked.rules.mode != "email" or looked.postal_address:
        return None
    reason = "A letter by mail has to carry our postal address: set THAW_POSTAL_ADDRESS for the workers too."
    return Refused(rule="check.postal_address", reason=reason, inputs={"mode": looked.rules.mode})


def _fire(campaign: Campaign, command: FireTimer, looked: Looked) -> Answer:
    timer = campaign.timers.get(command.timer)
    if timer is None or timer.armed_version != command.armed_version:
        return Superseded(reason=f"{command.timer} was armed anew")
    if timer.due_at > looked.now:
        return TooEarly(due_at=timer.due_at)
    return _release(campaign, looked)


def _release(campaign: Campaign, looked: Looked) -> Answer:
    """Release what may leave today, by rep, and come back on the next working day of one who has letters left."""
    refused = _by_law(looked) or sendable(looked.events, looked.rules.events, campaign.types, looked.now)
    if refused:
        # Asked again tomorrow: by then there may be an event, and nobody's letter is lost.
        again = Effects(armed={RELEASE: looked.now + timedelta(days=1)}, cancelled=(RELEASE,))
        return msgspec.structs.replace(refused, effects=again)
    days: dict[str, date] = {}
    letters: list[UUID] = []
    wakes: list[datetime] = []
    by_rep: dict[str, list[tuple[str, Letter]]] = {}
    for id_, letter in sorted(campaign.letters.items()):
        by_rep.setdefault(letter.rep, []).append((id_, letter))
    for rep, mine in sorted(by_rep.items()):
        waiting = [id_ for id_, letter in mine if letter.status == "waiting"]
        if not waiting:
            continue
        calendar = looked.calendars.get(rep, horizon.PLAIN)
        today = horizon.local_day(calendar, looked.now)
        count = min(room(mine, today, rep, looked), len(waiting)) if horizon.is_working(calendar, today) else 0
        if count:
            days[rep] = today
            letters += map(UUID, waiting[:count])
        if count < len(waiting):
            following = horizon.after(calendar, today + timedelta(days=1), 0)
            wakes.append(horizon.moment(calendar, following, calendar.day_starts))
    effects = Effects(armed={RELEASE: min(wakes)} if wakes else {}, cancelled=(RELEASE,))
    left = campaign.count("waiting") - len(letters)
    return Said(data=(e.LettersReleased(days=days, letters=tuple(letters), waiting=left),), effects=effects)


def room(mine: list[tuple[str, Letter]], today: date, rep: str, looked: Looked) -> int:
    """Return how many more letters of *rep* may be released today: those that still lie there count, whatever their day."""
    facts = looked.reps.get(rep)
    most = looked.rules.pacing.per_day(facts.follow_up_touches if facts else 0)
    taken = sum(letter.status == "released" or letter.released_on == today for _, letter in mine)
    return max(0, most - taken)


def _letter(campaign: Campaign, command: c.RecordLetter) -> Answer:
    letter = campaign.letters.get(str(command.lead_id))
    if letter is None or letter.status == "sent":
        reason = "This letter was sent already." if letter else "Nobody of this id is in the audience."
        return Refused(rule="letter_open", reason=reason, inputs={"lead_id": str(command.lead_id)})
    if command.outcome == "sent":
        recorded = e.LetterRecorded(
            lead_id=command.lead_id,
            status="sent",
            audience=command.audience,
            reason=None,
            events=command.events,
            wording=command.wording,
        )
        # One that was withdrawn and approved anew is told again, and answers if it was withdrawn meanwhile.
        new = [id_ for id_ in command.events if id_ not in campaign.events or id_ in campaign.withdrawn]
        return Said(data=(recorded,), proposals=tuple((id_, c.ListEvent(campaign_id=campaign.id)) for id_ in new))
    another = command.tries is not UNSET and command.tries != letter.tries
    if letter.status != "released" or another or command.rule == "one_invitation":
        return Superseded(reason="the letter that was refused is not the one that lies open now")
    ends = command.rule in _ENDS
    other: c.AudienceKey = "client" if command.audience == "declined" else "declined"
    recorded = e.LetterRecorded(
        lead_id=command.lead_id,
        status="excluded" if ends else "released",
        # Who bought in the meantime gets the other letter.
        audience=other if command.rule == "audience" else letter.audience,
        reason=command.rule.removeprefix("check.") if command.rule else None,
        events=(),
        wording=None,
    )
    return Said(data=(recorded,))
