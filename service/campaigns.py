"""What a campaign came to: its letters, answers and seats, counted from what its stream folds to."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from uuid import UUID

import msgspec

from models import campaigns
from models.database import Connection
from service.letters import said_of
from service.wording import count
from workflows.campaign import Campaign, Response
from workflows.sales_event import SalesEvent


class Answers(msgspec.Struct, frozen=True, kw_only=True):
    """Answers to letters. Whoever answers about two events counts twice in *answers*, and once in *people*."""

    answers: int
    people: int
    accepts: int
    asks: int
    cannot: int


class AudienceResult(msgspec.Struct, frozen=True, kw_only=True):
    """What one audience came to."""

    audience: str
    people: int
    sent: int
    waiting: int
    """For their day, or for somebody to send them."""
    excluded: int
    answers: Answers
    re_engaged: int
    solidified: int


class WordingResult(msgspec.Struct, frozen=True, kw_only=True):
    """What the letters of one wording came to."""

    wording: str
    """SHA-256 of the template."""
    sent: int
    answers: Answers


class EventResult(msgspec.Struct, frozen=True, kw_only=True):
    """What one event came to."""

    event: str
    event_id: UUID
    title: str
    listed_in: int
    """Letters."""
    answers: Answers
    seats: int
    seated: int
    """Of this campaign."""
    waiting: int
    withdrawn: bool


class Results(msgspec.Struct, frozen=True, kw_only=True):
    """What ``thaw campaign results --json`` prints. ``sent + waiting + excluded = audience``."""

    campaign: str
    declined_from: date
    declined_to: date
    drawn: bool
    started: bool
    audience: int
    sent: int
    waiting: int
    excluded: int
    reasons: dict[str, int]
    """Why there was no letter."""
    answers: Answers
    audiences: tuple[AudienceResult, ...]
    wordings: tuple[WordingResult, ...]
    events: tuple[EventResult, ...]
    to_tell: int
    """People who were invited to a withdrawn event and do not know yet."""


def results_of(connection: Connection, campaign: Campaign) -> Results:
    """Return what *campaign* came to so far."""
    letters = campaign.letters.values()
    known = [event for event in campaigns.list_sales_events(connection) if event.id in campaign.events]
    said = said_of(connection, known)
    return Results(
        campaign=campaign.name,
        declined_from=campaign.declined_from,
        declined_to=campaign.declined_to,
        drawn=campaign.drawn,
        started=campaign.started,
        audience=len(letters),
        sent=campaign.count("sent"),
        waiting=campaign.count("waiting", "released"),
        excluded=campaign.count("excluded"),
        reasons=dict(sorted(Counter(letter.reason or "" for letter in letters if letter.status == "excluded").items())),
        answers=_answers(campaign.responses),
        audiences=tuple(_audience(campaign, key) for key in sorted({letter.audience for letter in letters})),
        wordings=tuple(_wording(campaign, each) for each in sorted({letter.wording or "" for letter in letters} - {""})),
        events=tuple(_event(campaign, event, said[event.id].title) for event in known),
        to_tell=len(campaign.to_tell),
    )


def _answers(responses: Iterable[Response]) -> Answers:
    found = list(responses)
    given = Counter(response.answer for response in found)
    return Answers(
        answers=len(found),
        people=len({response.lead_id for response in found}),
        accepts=given["accepts"],
        asks=given["asks"],
        cannot=given["cannot"],
    )


def _audience(campaign: Campaign, key: str) -> AudienceResult:
    status = Counter(letter.status for letter in campaign.letters.values() if letter.audience == key)
    responses = [response for response in campaign.responses if response.audience == key]
    effects = {(response.lead_id, response.effect) for response in responses}
    return AudienceResult(
        audience=key,
        people=status.total(),
        sent=status["sent"],
        waiting=status["waiting"] + status["released"],
        excluded=status["excluded"],
        answers=_answers(responses),
        re_engaged=sum(effect == "re_engaged" for _, effect in effects),
        solidified=sum(effect == "solidified" for _, effect in effects),
    )


def _wording(campaign: Campaign, wording: str) -> WordingResult:
    sent = sum(letter.wording == wording and letter.status == "sent" for letter in campaign.letters.values())
    return WordingResult(
        wording=wording, sent=sent, answers=_answers(each for each in campaign.responses if each.wording == wording)
    )


def _event(campaign: Campaign, event: SalesEvent, title: str) -> EventResult:
    def mine(ids: Sequence[UUID]) -> int:
        return sum(event.asked_by.get(str(id_)) == campaign.id for id_ in ids)

    return EventResult(
        event=event.name,
        event_id=event.id,
        title=title,
        listed_in=sum(event.id in letter.events for letter in campaign.letters.values()),
        answers=_answers(each for each in campaign.responses if each.event_id == event.id),
        seats=event.seats,
        seated=mine(event.seated),
        waiting=mine(event.waiting),
        withdrawn=event.id in campaign.withdrawn,
    )


class CampaignDue(msgspec.Struct, frozen=True, kw_only=True):
    """What a campaign asks of a rep now."""

    campaign: str
    letters: int
    """That may leave."""
    to_tell: int
    """People who were invited to an event that was withdrawn."""


def due_of(connection: Connection, rep: str) -> tuple[CampaignDue, ...]:
    """Return what campaigns ask of *rep* now, by their names; those that ask nothing are missing."""
    found = []
    for campaign in campaigns.list_campaigns(connection):
        mine = {id_: letter for id_, letter in campaign.letters.items() if letter.rep == rep}
        letters = sum(letter.status == "released" for letter in mine.values())
        to_tell = sum(str(lead_id) in mine for lead_id, _ in campaign.to_tell)
        if letters or to_tell:
            found.append(CampaignDue(campaign=campaign.name, letters=letters, to_tell=to_tell))
    return tuple(found)


def told_of(state: Campaign | SalesEvent) -> str:
    """Return in a sentence how a campaign or a sales event stands."""
    if isinstance(state, SalesEvent):
        approved = (
            "cancelled" if state.cancelled else "approved by its host" if state.approved else "not approved by its host yet"
        )
        described = "" if state.description else "; it has no description yet"
        line = f", {len(state.waiting)} in the line for one" if state.waiting else ""
        return f"{state.name} is {approved}{described}; {len(state.seated)} of {count(state.seats, 'seat')} taken{line}."
    if not state.drawn:
        return (
            f"{state.name} writes to whom declined from {state.declined_from} to {state.declined_to}; draw its audience next."
        )
    numbers = (
        f"{state.count('sent')} sent, {state.count('released')} to be sent now, {state.count('waiting')} waiting for their day "
        f"and {state.count('excluded')} excluded"
    )
    return f"{state.name} has {count(len(state.letters), 'person', 'people')} in its audience: {numbers}."
