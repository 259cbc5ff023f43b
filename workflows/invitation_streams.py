"""From a command to recorded events, for the streams of campaigns and of sales events; and which stream folds how."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import cast, get_args
from uuid import UUID

import msgspec
from msgspec import UNSET

from workflows.audience import audience_digest
from workflows.campaign import RELEASE, Campaign, campaign_id, fold_campaign
from workflows.campaign import STATE as CAMPAIGN
from workflows.campaign_commands import (
    AnnounceEvent,
    CampaignCommand,
    DescribeEvent,
    DrawAudience,
    PlanCampaign,
    RecordLetter,
    RecordSeatBack,
    SalesEventCommand,
    SendInvitation,
    StartCampaign,
    TakeSeat,
)
from workflows.campaign_decisions import Looked, decide_campaign
from workflows.command import Command, Reference
from workflows.commands import AnyCommand, FireTimer, command_kind
from workflows.context import Refused, Superseded, TooEarly, in_utc
from workflows.events import SCHEMA, AnyEvent, CommandRefused, Effects, Recorded, Used, Verdict
from workflows.fold import fold
from workflows.handle import Carrier
from workflows.invitation_answers import Answer
from workflows.law_facts import LawUsed
from workflows.law_table import digest_of
from workflows.lead import Lead, Rep, Timer
from workflows.playbooks import Playbook
from workflows.rep import fold_rep
from workflows.sales_event import STATE as SALES_EVENT
from workflows.sales_event import SalesEvent, fold_sales_event, sales_event_id
from workflows.sales_event_decisions import decide_sales_event

Stream = Lead | Rep | Campaign | SalesEvent

_SALES_EVENT_COMMANDS = get_args(SalesEventCommand)
_CAMPAIGN_COMMANDS = get_args(CampaignCommand)

#: The check whose verdict says how long a description is.
DESCRIPTION = "description_length"

#: The check whose verdict says whether mail can carry our postal address.
POSTAL_ADDRESS = "postal_address"


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a command on such a stream."""

    answer: str
    recorded: tuple[Recorded, ...] = ()
    state: Campaign | SalesEvent | None = None
    proposals: tuple[tuple[UUID, Command], ...] = ()
    """Commands to stage, each with its stream."""
    rule: str | None = None
    reason: str | None = None
    due_at: datetime | None = None


def is_for_invitations(command: Command) -> bool:
    """Tell whether *command* is for the stream of a campaign or of a sales event, whatever is known of that stream."""
    return isinstance(command, (*_SALES_EVENT_COMMANDS, *_CAMPAIGN_COMMANDS))


def begins(command: Command) -> UUID | None:
    """Return the stream that *command* begins, None when it begins none."""
    match command:
        case AnnounceEvent(name=name):
            return sales_event_id(name)
        case PlanCampaign(name=name):
            return campaign_id(name)
    return None


def described(command: Command) -> Reference | None:
    """Return the description that *command* brings."""
    return command.description if isinstance(command, (AnnounceEvent, DescribeEvent)) else None


def looks_at_events(command: Command) -> bool:
    """Tell whether a campaign's decision on *command* rests on the sales events that are known."""
    return isinstance(command, StartCampaign) or (isinstance(command, FireTimer) and command.timer == RELEASE)


def handle_invitations(
    state: Campaign | SalesEvent | None,
    command: AnyCommand,
    *,
    playbook: Playbook,
    looked: Looked,
    verdicts: tuple[Verdict, ...] = (),
    carrier: Carrier,
) -> Outcome:
    """Decide *command* on the stream of a campaign or a sales event and return what it leaves."""
    answer = _decide(state, command, looked, verdicts)
    match answer:
        case Superseded(reason=reason):
            return Outcome(answer="superseded", state=state, rule="superseded", reason=reason)
        case TooEarly(due_at=due_at):
            return Outcome(answer="too_early", state=state, due_at=due_at)
        case Refused() if state is None:
            return Outcome(answer="refused", rule=answer.rule, reason=answer.reason)
        case Refused():
            refusal = CommandRefused(
                refused=command_kind(command), rule=answer.rule, reason=answer.reason, inputs=dict(answer.inputs)
            )
            recorded = _record(state, command, (refusal,), answer.effects, playbook, _briefly(looked), verdicts, carrier)
            after = cast("Campaign | SalesEvent", fold_stream(state, recorded[0]))
            return Outcome(
                answer="refused",
                recorded=recorded,
                state=after,
                proposals=_unseated(state, command, answer.rule),
                rule=answer.rule,
                reason=answer.reason,
            )
    recorded = _record(state, command, answer.data, answer.effects, playbook, looked, verdicts, carrier)
    folded: Stream | None = state
    for each in recorded:
        folded = fold_stream(folded, each)
    return Outcome(answer="applied", recorded=recorded, state=cast("Campaign | SalesEvent", folded), proposals=answer.proposals)


def _briefly(looked: Looked) -> Looked:
    """Return *looked* without what is known of an audience's people: there may be too many of them, and no refusal needs it."""
    return msgspec.structs.replace(looked, audience=msgspec.structs.replace(looked.audience, people={}))


def _unseated(state: Campaign | SalesEvent | None, command: AnyCommand, rule: str) -> tuple[tuple[UUID, Command], ...]:
    """Tell the campaign of somebody who asked for a seat and got none."""
    if not isinstance(command, TakeSeat) or not isinstance(state, SalesEvent) or rule == "one_seat":
        return ()
    return ((command.campaign_id, RecordSeatBack(lead_id=command.lead_id, event_id=state.id)),)


def _decide(state: Campaign | SalesEvent | None, command: AnyCommand, looked: Looked, verdicts: tuple[Verdict, ...]) -> Answer:
    if isinstance(command, _SALES_EVENT_COMMANDS) and not isinstance(state, Campaign):
        found = next((verdict for verdict in verdicts if verdict.check == DESCRIPTION), None)
        return decide_sales_event(
            state,
            cast("SalesEventCommand", command),
            now=looked.now,
            rules=looked.rules.events,
            characters=found.score or 0 if found else None,
            gone=looked.gone,
            texts=looked.texts,
        )
    if isinstance(command, (*_CAMPAIGN_COMMANDS, FireTimer)) and not isinstance(state, SalesEvent):
        address = next((verdict.passed for verdict in verdicts if verdict.check == POSTAL_ADDRESS), True)
        known = msgspec.structs.replace(looked, postal_address=address)
        return decide_campaign(state, cast("CampaignCommand | FireTimer", command), known)
    kind = "a sales event" if isinstance(state, SalesEvent) else "a campaign"
    return Refused(rule="no_transition", reason=f"This command is not for {kind}.", inputs={"command": command_kind(command)})


def _record(
    state: Campaign | SalesEvent | None,
    command: AnyCommand,
    data: Iterable[AnyEvent],
    effects: Effects,
    playbook: Playbook,
    looked: Looked,
    verdicts: tuple[Verdict, ...],
    carrier: Carrier,
) -> tuple[Recorded, ...]:
    version = state.version if state else 0
    recorded_at = max(in_utc(carrier.recorded_at), state.recorded_at) if state else in_utc(carrier.recorded_at)
    now = in_utc(looked.now)
    at = min(in_utc(command.occurred_at), now) if command.occurred_at else now
    on_sales_event = isinstance(state, SalesEvent) or isinstance(command, AnnounceEvent)
    return tuple(
        Recorded(
            stream_id=carrier.stream_id,
            version=version + number,
            schema=SCHEMA,
            occurred_at=at,
            recorded_at=recorded_at,
            message_id=carrier.message_id,
            actor=carrier.actor,
            correlation_id=carrier.correlation_id,
            causation_id=carrier.causation_id,
            playbook=playbook.pin,
            row=None,
            state=SALES_EVENT if on_sales_event else CAMPAIGN,
            effects=effects if number == 1 else Effects(),
            data=each,
            command=command if number == 1 else None,
            used=_used(command, looked, verdicts) if number == 1 else None,
        )
        for number, each in enumerate(data, start=1)
    )


def _used(command: AnyCommand, looked: Looked, verdicts: tuple[Verdict, ...]) -> Used:
    audience = looked.audience
    drawn = isinstance(command, DrawAudience) and audience.position is not None
    return Used(
        now=in_utc(looked.now),
        calendar=None,
        verdicts=verdicts,
        position=audience.position if drawn and audience.position is not None else UNSET,
        book=audience_digest(audience.leads) if drawn else UNSET,
        people={str(id_): facts for id_, facts in audience.people.items()} if drawn else UNSET,
        events=looked.events if looks_at_events(command) else UNSET,
        reps=dict(looked.reps) if looked.reps else UNSET,
        law=LawUsed(table=digest_of(looked.law)) if drawn and looked.law else UNSET,
        gone=looked.gone or UNSET,
        holdings=looked.holdings,
    )


_FOLDS: dict[str, Callable[[Stream | None, Recorded], Stream | None]] = {
    "service": lambda _state, _recorded: None,
    "rep": lambda state, recorded: fold_rep(state if isinstance(state, Rep) else None, recorded),
    CAMPAIGN: lambda state, recorded: fold_campaign(state if isinstance(state, Campaign) else None, recorded),
    SALES_EVENT: lambda state, recorded: fold_sales_event(state if isinstance(state, SalesEvent) else None, recorded),
}


def fold_stream(state: Stream | None, recorded: Recorded) -> Stream | None:
    """Return the stream's state after *recorded*, whichever kind of stream it is; the service's own has none."""
    folds = _FOLDS.get(recorded.state)
    if folds is not None:
        return folds(state, recorded)
    return fold(state if isinstance(state, Lead) else None, recorded)


def timers_of(state: Stream | None) -> Mapping[str, Timer]:
    """Return the armed timers of a stream; a sales event has none."""
    return {} if state is None or isinstance(state, SalesEvent) else state.timers


def notices(lead_id: UUID, command: Command, answer: str, rule: str | None) -> tuple[tuple[UUID, Command], ...]:
    """Return what other streams are to hear of a lead's answer to *command*: a campaign hears what became of its letter."""
    if not isinstance(command, SendInvitation) or answer not in ("applied", "refused"):
        return ()
    sent = answer == "applied"
    heard = RecordLetter(
        lead_id=lead_id,
        outcome="sent" if sent else "refused",
        audience=command.audience,
        rule=rule,
        events=command.events if sent else (),
        wording=command.wording if sent else None,
        tries=command.tries,
        occurred_at=command.occurred_at,
    )
    return ((command.campaign_id, heard),)
