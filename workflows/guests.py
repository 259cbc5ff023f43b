"""What follows from a command for those who got a campaign's letter: their answers, their seats, and what they must be told."""

from uuid import UUID

from workflows import campaign_commands as c
from workflows import campaign_events as e
from workflows.campaign import Campaign
from workflows.command import Command
from workflows.commands import RecordReply
from workflows.context import Refused, Superseded
from workflows.invitation_answers import Answer, Said
from workflows.invitation_playbook import Invitation
from workflows.sentences import words

OnGuests = c.RecordRsvp | c.WithdrawEvent | c.TellInvitee | c.RecordSeatBack


def decide_on_guests(campaign: Campaign, command: OnGuests, rules: Invitation) -> Answer:
    """Decide *command* for *campaign*, which follows *rules*."""
    match command:
        case c.RecordRsvp():
            return _rsvp(campaign, command, rules)
        case c.WithdrawEvent():
            return _withdraw(campaign, command)
        case c.TellInvitee():
            return _tell(campaign, command)
        case c.RecordSeatBack():
            return _seat_back(campaign, command)


def _rsvp(campaign: Campaign, command: c.RecordRsvp, rules: Invitation) -> Answer:
    letter = campaign.letters.get(str(command.lead_id))
    inputs = {"lead_id": str(command.lead_id), "event_id": str(command.event_id)}
    if letter is None or letter.status != "sent":
        reason = "This campaign sent no letter to this person; record the reply with `thaw reply`."
        return Refused(rule="invited", reason=reason, inputs=inputs)
    if command.event_id not in letter.events:
        reason = "The letter to this person does not list this event; record the reply with `thaw reply`."
        return Refused(rule="invited", reason=reason, inputs=inputs)
    audience = rules.audience(letter.audience)
    if audience is None:
        return Refused(rule="audience", reason=f"The playbook has no letter for the audience {letter.audience}.", inputs=inputs)
    last, stands = _answers(campaign, command)
    known = last == "asks" if command.answer == "asks" else command.answer == stands
    lost = _lost(campaign, command)
    if known and not (lost and command.answer == "accepts"):
        return Refused(rule="new_answer", reason=f"That this person {words(command.answer)} is known already.", inputs=inputs)
    received = e.RsvpReceived(
        lead_id=command.lead_id,
        event_id=command.event_id,
        audience=letter.audience,
        answer=command.answer,
        channel=command.channel,
        effect=audience.on_reply,
        wording=letter.wording,
    )
    reply = RecordReply(
        channel=command.channel,
        intent="cannot" if command.answer == "cannot" else "interested",
        campaign_id=campaign.id,
        event_id=command.event_id,
        words=command.words,
        occurred_at=command.occurred_at,
    )
    proposals: list[tuple[UUID, Command]] = [(command.lead_id, reply)]
    if command.answer == "accepts":
        proposals.append((command.event_id, c.TakeSeat(lead_id=command.lead_id, campaign_id=campaign.id)))
    elif command.answer == "cannot" and not lost:
        proposals.append((command.event_id, c.GiveSeatBack(lead_id=command.lead_id, campaign_id=campaign.id)))
    return Said(data=(received,), proposals=tuple(proposals))


def _withdraw(campaign: Campaign, command: c.WithdrawEvent) -> Answer:
    # Who was told of an earlier time believes what was said since: that the event takes place.
    knows = campaign.to_tell if command.anew else (*campaign.to_tell, *campaign.told)
    known = {lead_id for lead_id, event_id in knows if event_id == command.event_id}
    invited = [UUID(id_) for id_, letter in campaign.letters.items() if command.event_id in letter.events]
    tell = [lead_id for lead_id in invited if lead_id not in known]
    if command.event_id in campaign.withdrawn and not tell:
        return Superseded(reason="the campaign knows already that the event was withdrawn")
    return Said(data=(e.EventWithdrawn(event_id=command.event_id, tell=tuple(sorted(tell))),))


def _tell(campaign: Campaign, command: c.TellInvitee) -> Answer:
    if (command.lead_id, command.event_id) not in campaign.to_tell:
        reason = "There is nothing to tell this person about this event."
        inputs = {"lead_id": str(command.lead_id), "event_id": str(command.event_id)}
        return Refused(rule="to_tell", reason=reason, inputs=inputs)
    return Said(data=(e.InviteeTold(lead_id=command.lead_id, event_id=command.event_id),))


def _seat_back(campaign: Campaign, command: c.RecordSeatBack) -> Answer:
    _, stands = _answers(campaign, command)
    if stands != "accepts" or _lost(campaign, command):
        return Superseded(reason="the campaign knows already that this person has no seat")
    return Said(data=(e.SeatLost(lead_id=command.lead_id, event_id=command.event_id),))


def _answers(campaign: Campaign, about: c.RecordRsvp | c.RecordSeatBack) -> tuple[c.RsvpAnswer | None, c.RsvpAnswer | None]:
    """Return somebody's last answer about an event, and the one that stands: a question leaves that before it as it is."""
    one = (about.lead_id, about.event_id)
    answers = [each.answer for each in reversed(campaign.responses) if (each.lead_id, each.event_id) == one]
    return next(iter(answers), None), next((answer for answer in answers if answer != "asks"), None)


def _lost(campaign: Campaign, about: c.RecordRsvp | c.RecordSeatBack) -> bool:
    return (about.lead_id, about.event_id) in (campaign.seats_lost or ())
