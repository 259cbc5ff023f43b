"""A campaign and its events in memory: commands given to their streams, and what those stage passed on to each other."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from tests.workflows.life import CALENDAR, DECLINE, LEAD_ID, WORDS, Life, life_in, register
from workflows import campaign_commands as c
from workflows.audience import Audience, audience_of
from workflows.campaign import RELEASE, Campaign, campaign_id
from workflows.campaign_decisions import Looked, asked_for
from workflows.campaign_events import PersonFacts, RepFacts
from workflows.codec import derived_id
from workflows.command import Command
from workflows.commands import FireTimer
from workflows.events import Recorded, Verdict
from workflows.handle import Carrier, calendar_digest
from workflows.invitation_playbook import DeclinedBetween, Invitation, InvitedAudience
from workflows.invitation_streams import DESCRIPTION, Outcome, described, handle_invitations
from workflows.law_table import CURRENT
from workflows.lead import Lead
from workflows.playbooks import Playbook
from workflows.sales_event import SalesEvent, facts_of, sales_event_id
from workflows.seats import asked_about

RULES = Invitation(
    audiences=(
        InvitedAudience(
            key="declined",
            template="invite-declined",
            requires=("company", "last_meeting_topic"),
            on_reply="re_engaged",
            declined_between=DeclinedBetween(),
        ),
        InvitedAudience(key="client", template="invite-client", on_reply="solidified", active_client=True),
    )
)
PLAYBOOK = Playbook(schema=1, id="event-invitation", version="1.0.0", title="Sit in", source="a test", invitation=RULES)
START = datetime(2026, 1, 5, 15, tzinfo=UTC)
SOME = "0123456789abcdef" * 4
CAMPAIGN = campaign_id("spring")
KNOWN = PersonFacts(company=True, last_meeting_topic=True)


def announce(name: str = "training", **changes: Any) -> c.AnnounceEvent:
    """Return the command that makes an event known, nine weeks ahead, with a description."""
    usual: dict[str, Any] = {
        "name": name, "kind": "training", "starts_at": START + timedelta(weeks=9), "seats": 2, "title": WORDS, "host": WORDS,
        "description": WORDS,
    }  # fmt: skip
    return c.AnnounceEvent(**(usual | changes))


def approve(**changes: Any) -> c.ApproveObservers:
    """Return the host's approval."""
    usual: dict[str, Any] = {"approver": WORDS, "approved_on": date(2026, 1, 2)}
    return c.ApproveObservers(**(usual | changes))


class Promotion:
    """Streams of campaigns and events; `log` holds all their events, in order."""

    def __init__(self, rules: Invitation = RULES) -> None:
        self.playbook = Playbook(**{**_fields(PLAYBOOK), "invitation": rules})
        self.rules = rules
        self.now = START
        self.log: list[Recorded] = []
        self.streams: dict[UUID, Campaign | SalesEvent] = {}
        self.leads: dict[UUID, Lead] = {}
        self.people: dict[UUID, PersonFacts] = {}
        self.gone: set[UUID] = set()
        """Who opted out or was erased."""
        self.asked_of_leads: list[tuple[UUID, Command]] = []
        """Commands that were staged on leads."""
        self.follow_ups = 5
        self.characters = 60

    def lead(self, life: Life, number: int, **facts: Any) -> UUID:
        """Take a lead in, with what is known of the person."""
        id_ = uuid5(LEAD_ID, f"lead {number}")
        fields = {name: getattr(life.lead, name) for name in life.lead.__struct_fields__}
        self.leads[id_] = Lead(**{**fields, "id": id_, "modes": (*life.lead.modes, "post")})
        self.people[id_] = PersonFacts(**({"company": True, "last_meeting_topic": True} | facts))
        return id_

    def looked(self, stream_id: UUID, command: Any) -> Looked:
        """Return what a decision of now looks at."""
        state = self.streams.get(stream_id)
        audience = Audience()
        reps: dict[str, RepFacts] = {}
        if isinstance(state, Campaign):
            found = audience_of(self.leads.values(), asked_for(state))
            people = {lead.id: self.people[lead.id] for lead in found}
            audience = Audience(leads=found, people=people, position=len(self.log))
            names = {letter.rep for letter in state.letters.values()}
            reps = {name: RepFacts(calendar=calendar_digest(CALENDAR), follow_up_touches=self.follow_ups) for name in names}
        events = [facts_of(known) for known in self.streams.values() if isinstance(known, SalesEvent)]
        return Looked(
            now=self.now,
            rules=self.rules,
            events=tuple(sorted(events, key=lambda event: event.id)),
            audience=audience,
            calendars=dict.fromkeys(reps, CALENDAR),
            reps=reps,
            law=CURRENT,
            texts=(SOME,) if isinstance(command, c.EraseEventTexts) else (),
            gone=tuple(sorted(self.gone.intersection(asked_about(state, command)))) if isinstance(state, SalesEvent) else (),
        )

    def do(self, stream_id: UUID, command: Any, actor: str = "manager:ann") -> Outcome:
        """Give *command* to a stream, and pass on what it stages for other streams."""
        carrier = Carrier(
            message_id=derived_id("message", len(self.log)),
            stream_id=stream_id,
            actor=actor,
            correlation_id=CAMPAIGN,
            causation_id=None,
            recorded_at=self.now,
        )
        verdicts = (
            (Verdict(check=DESCRIPTION, passed=True, source="counted", score=self.characters),) if described(command) else ()
        )
        outcome = handle_invitations(
            self.streams.get(stream_id),
            command,
            playbook=self.playbook,
            looked=self.looked(stream_id, command),
            verdicts=verdicts,
            carrier=carrier,
        )
        self.log += outcome.recorded
        if outcome.state is not None:
            self.streams[stream_id] = outcome.state
        for id_, proposal in outcome.proposals:
            if id_ in self.streams:
                self.do(id_, proposal, actor)
            else:
                self.asked_of_leads.append((id_, proposal))
        return outcome

    def leaves(self, lead_id: UUID) -> None:
        """Have somebody opt out, and the seats of theirs at what is still to come given back."""
        self.gone.add(lead_id)
        for state in list(self.streams.values()):
            if isinstance(state, SalesEvent) and state.starts_at > self.now and str(lead_id) in state.asked_by:
                self.must(state.id, c.GiveSeatBack(lead_id=lead_id))

    def must(self, stream_id: UUID, *commands: Any) -> Outcome:
        """Give *commands*, all of which are to be applied, and return what came of the last."""
        for command in commands:
            outcome = self.do(stream_id, command)
            assert outcome.answer == "applied", (command, outcome.reason)
        return outcome

    def event(self, name: str = "training", **changes: Any) -> UUID:
        """Announce an event that may be listed."""
        id_ = sales_event_id(name)
        self.must(id_, announce(name, **changes), approve())
        return id_

    def begin(self, **changes: Any) -> Campaign:
        """Plan a campaign, draw its audience and start it."""
        self.must(CAMPAIGN, c.PlanCampaign(name="spring", **changes), c.DrawAudience(), c.StartCampaign())
        return self.campaign

    @property
    def campaign(self) -> Campaign:
        """The campaign as it stands."""
        found = self.streams[CAMPAIGN]
        assert isinstance(found, Campaign)
        return found

    def sales_event(self, name: str = "training") -> SalesEvent:
        """Return an event as it stands."""
        found = self.streams[sales_event_id(name)]
        assert isinstance(found, SalesEvent)
        return found

    def release(self) -> Outcome:
        """Wait until the next letters may leave, and release them."""
        timer = self.campaign.timers[RELEASE]
        self.now = max(self.now, timer.due_at)
        return self.do(CAMPAIGN, FireTimer(timer=RELEASE, armed_version=timer.armed_version), "clock")

    def sent(self, lead_id: UUID, *events: UUID, audience: c.AudienceKey = "declined") -> Outcome:
        """Tell the campaign that a letter has left."""
        return self.must(
            CAMPAIGN,
            c.RecordLetter(lead_id=lead_id, outcome="sent", audience=audience, events=events, wording=SOME),
        )


def declined(*, days_ago: int = 100) -> Life:
    """Return the life of somebody who decided not to buy."""
    life = Life()
    life.now = START - timedelta(days=days_ago)
    life.must(register())
    life.must(DECLINE)
    life.now = START
    return life


def client() -> Life:
    """Return the life of an active client."""
    return life_in("won")


def letter(*events: UUID, audience: c.AudienceKey = "declined") -> c.SendInvitation:
    """Return the letter as it leaves."""
    return c.SendInvitation(
        campaign_id=CAMPAIGN, audience=audience, mode="post", events=events, attachment=SOME, wording=SOME, text=WORDS
    )


def passed(checks: Sequence[str]) -> tuple[Verdict, ...]:
    """Return a good verdict on each of *checks*."""
    return tuple(Verdict(check=check, passed=True, source="a test") for check in checks)


def _fields(playbook: Playbook) -> dict[str, Any]:
    return {name: getattr(playbook, name) for name in playbook.__struct_fields__}
