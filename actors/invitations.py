"""What decisions about campaigns and sales events look at in the database, and what is to be said of a letter that leaves."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from actors.library import Library
from actors.mail_checks import letter_of
from models import campaigns, contacts, erasure, leads, texts
from models.database import Connection
from models.texts import Written
from workflows.campaign import Campaign
from workflows.campaign_commands import DrawAudience, EraseEventTexts, GiveSeatBack, SendInvitation
from workflows.campaign_decisions import Looked, asked_for
from workflows.campaign_events import RepFacts
from workflows.commands import AnyCommand
from workflows.events import Verdict
from workflows.handle import calendar_digest
from workflows.invitation_checks import Read, verdicts
from workflows.invitation_playbook import Invitation
from workflows.invitation_streams import DESCRIPTION, POSTAL_ADDRESS, described, looks_at_events
from workflows.law_table import CURRENT
from workflows.lead import Lead
from workflows.playbooks import Playbook
from workflows.sales_event import SalesEvent, facts_of
from workflows.seats import asked_about


class NotForInvitationsError(Exception):
    """The playbook says nothing of invitations."""


def looked_at(
    connection: Connection,
    state: Campaign | SalesEvent | None,
    command: AnyCommand,
    playbook: Playbook,
    library: Library,
    now: datetime,
    reasons: Collection[UUID] = (),
) -> Looked:
    """Return what a decision on *command* looks at beside its own stream.

    *reasons* are the documents by which erasures are asked for in the same transaction: no erasure removes them.
    """
    rules = _rules(playbook)
    if isinstance(state, SalesEvent) and isinstance(command, EraseEventTexts):
        texts_left = erasure.texts_of(connection, state.id, but=reasons)
        return Looked(now=now, rules=rules, texts=texts_left)
    if isinstance(state, SalesEvent):
        return Looked(now=now, rules=rules, gone=campaigns.gone(connection, asked_about(state, command)))
    if state is None:
        return Looked(now=now, rules=rules)
    if isinstance(command, DrawAudience):
        audience = campaigns.read_audience(connection, asked_for(state), rules.mode)
        return Looked(now=now, rules=rules, audience=audience, law=CURRENT)
    if not looks_at_events(command):
        return Looked(now=now, rules=rules)
    names = reps_of(state)
    calendars = {name: calendar for name in names if (calendar := library.calendar(name))}
    digests = {name: calendar_digest(calendar) for name, calendar in calendars.items()}
    return Looked(
        now=now,
        rules=rules,
        events=tuple(facts_of(event) for event in campaigns.list_sales_events(connection)),
        calendars=calendars,
        reps={
            name: RepFacts(calendar=digests.get(name), follow_up_touches=_follow_ups_of(connection, library, name))
            for name in names
        },
    )


def _follow_ups_of(connection: Connection, library: Library, name: str) -> int:
    """Return how many follow-up touches a day the playbook gives the rep *name*, 0 for one who is not known."""
    rep = leads.find_rep(connection, name)
    return library.fetch(connection, rep.playbook.digest).capacity.follow_up_touches if rep and rep.playbook else 0


def _rules(playbook: Playbook) -> Invitation:
    if not playbook.invitation:
        raise NotForInvitationsError(
            f"the playbook {playbook.id}@{playbook.version} has no section [invitation], which a campaign needs"
        )
    return playbook.invitation


def reps_of(campaign: Campaign) -> list[str]:
    """Return the reps who have letters waiting, by name."""
    return sorted({letter.rep for letter in campaign.letters.values() if letter.status == "waiting"})


def seats_to_give_back(connection: Connection, now: datetime) -> list[tuple[UUID, list[GiveSeatBack]]]:
    """Return by sales event the seats and places in the line of those who opted out or were erased."""
    found = campaigns.seats_of_gone(connection, now)
    return [(event_id, [GiveSeatBack(lead_id=lead_id) for lead_id in lead_ids]) for event_id, lead_ids in found.items()]


def verdicts_beforehand(
    connection: Connection, command: AnyCommand, looked: Looked, postal_address: str
) -> tuple[Verdict, ...]:
    """Return what is to be said of *command*: of the description that it brings, and of the letters that it lets leave."""
    if looked.rules.mode == "email" and looks_at_events(command):
        return (Verdict(check=POSTAL_ADDRESS, passed=bool(postal_address.strip()), source="THAW_POSTAL_ADDRESS"),)
    return _length_of_description(connection, command)


def _length_of_description(connection: Connection, command: AnyCommand) -> tuple[Verdict, ...]:
    reference = described(command)
    body = contacts.find_document(connection, reference.document_id) if reference else None
    if body is None:
        return ()
    length = len(" ".join(body.split()))
    return (Verdict(check=DESCRIPTION, passed=True, source="counted", score=length),)


def verdicts_on_letter(
    connection: Connection,
    lead: Lead,
    command: AnyCommand,
    words: Mapping[UUID, Written],
    library: Library,
    now: datetime,
) -> tuple[Verdict, ...]:
    """Return what is to be said of the letter that *command* sends; nothing of any other command, or when its text is gone.

    The text is among *words*.
    """
    if not isinstance(command, SendInvitation):
        return ()
    campaign = campaigns.find_campaign(connection, command.campaign_id)
    written = words.get(command.text.document_id)
    if campaign is None or campaign.playbook is None or written is None:
        return ()
    rules = _rules(library.fetch(connection, campaign.playbook.digest))
    events = campaigns.list_sales_events(connection)
    said = titles_and_descriptions(connection, [event for event in events if event.id in command.events])
    letter = Read(
        audience=command.audience,
        text=letter_of(command, written),
        values={name: str(value) for name, value in texts.facts_about(connection, lead.id).items() if value},
        titles={id_: title for id_, (title, _) in said.items()},
        descriptions={id_: description for id_, (_, description) in said.items()},
        listed=command.events,
        attachment=command.attachment,
    )
    hidden = campaigns.hidden_from(connection, lead.id, events)
    return verdicts(letter, [facts_of(event) for event in events], hidden, rules, campaign.types, now)


def titles_and_descriptions(connection: Connection, events: Sequence[SalesEvent]) -> Mapping[UUID, tuple[str, str]]:
    """Return title and description of each of *events*; an empty text where there is none."""
    references = {event.id: (event.title, event.description) for event in events}
    ids = [each.document_id for pair in references.values() for each in pair if each]
    found = contacts.find_documents(connection, ids)
    return {
        id_: (found.get(title.document_id, ""), found.get(text.document_id, "") if text else "")
        for id_, (title, text) in references.items()
    }
