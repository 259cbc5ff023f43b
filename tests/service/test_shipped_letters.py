"""What ships is as good as what it is held against: every letter of ours passes the content checks of its kind."""

from datetime import UTC, date, datetime
from email.headerregistry import Address
from typing import Any
from uuid import UUID

import pytest

from actors.mail_checks import mail_checks
from actors.measures import About, lists_of, measure
from service.letters import written
from service.mailing.compose import Letter, compose, filled
from service.playbooks import shipped_playbooks
from service.wordings import shipped_wordings
from workflows.campaign_commands import AudienceKey
from workflows.campaign_events import EventFacts
from workflows.content import RULES, TextKind, judge
from workflows.event_list import attachment_digest
from workflows.events import Verdict
from workflows.invitation_checks import Read, verdicts
from workflows.mail_text import read_mail
from workflows.playbooks import ContentLimits
from workflows.prose import empty_phrase, merge_mark
from workflows.wordings import FORMS

NOW = datetime(2026, 3, 9, 15, 0, tzinfo=UTC)
ADDRESS = "Springfield Homes, 1 Main Street, Springfield"
WORDINGS = {each.name: each for each in shipped_wordings()}
LISTS = lists_of(WORDINGS["phrases"])

#: Who gets them, and what is known of them: names that are words, too, and such as have few letters.
PEOPLE: tuple[dict[str, str], ...] = (
    {"name": "Ada Amberfield", "company": "Springfield Homes", "last_meeting_topic": "the move to the new yard"},
    {"name": "Will May", "company": "Check & Touch Inc.", "last_meeting_topic": "roofs"},
    {"name": "Bo Li", "company": "IT", "last_meeting_topic": "what a crane costs in May"},
)
OTHERS = ("Grace Hill", "Mark Client", "Hope Kind", "Dan Price")

#: What a rep puts into them.
SAID = {
    "rep": "Dan Miller", "attempts": "4", "solution": "two crews instead of one", "benefit": "a finished site before the frost",
    "asset": "market report", "promised_day": "Tuesday, 10 March",
    "message": "the new market report has a page on roofs in your county, and on what they cost two years ago: see page 7.",
}  # fmt: skip


def refusals(found: tuple[Verdict, ...]) -> list[tuple[str, object]]:
    return [(each.check, each.reason) for each in found if not each.passed]


def judged(kind: TextKind, text: str, person: dict[str, str], **about: Any) -> tuple[Verdict, ...]:
    """Return the verdicts on a text of *kind* for *person*: what any shipped playbook asks for, and what is always asked."""
    asked = {
        check for playbook, _ in shipped_playbooks().values() for check in getattr(playbook.checks, kind, ()) if check in RULES
    }
    known = About(
        kind=kind,
        sent_on=date(2026, 3, 9),
        names=(person["name"], person["company"]),
        writer="rep:dan",
        other_leads=OTHERS,
        lists=LISTS,
        **about,
    )
    return judge(kind, tuple(sorted(asked)), measure(text, known), ContentLimits())


def mailed(name: str, person: dict[str, str]) -> bytes:
    """Return a mail made of the wording called *name*, with the footer below it."""
    wording, values = WORDINGS[name], {**SAID, "first_name": person["name"].split()[0]}
    letter = Letter(
        mail_id=UUID(int=1),
        sender=Address("Dan Miller", addr_spec="dan@example.com"),
        recipient=Address(person["name"], addr_spec="lead@example.com"),
        subject=filled(wording.subject, values),
        text=filled(wording.body, values),
        sent_at=NOW,
        earlier=(),
        postal_address=ADDRESS,
        footer=WORDINGS["mail-footer"].text,
        token="t" * 20,
        public_url="https://example.com",
    )
    return compose(letter)


@pytest.mark.parametrize("person", PEOPLE, ids=lambda person: person["company"])
@pytest.mark.parametrize("kind", ["breakup", "nurture"])
def test_the_mails_that_ship_pass_what_mails_are_held_against(kind: str, person: dict[str, str]) -> None:
    """Each as it goes out, footer and all: its words, and what the law asks of it."""
    mail = read_mail(mailed(kind, person))
    if kind == "breakup":
        told = {"attempts": 4, "solution": SAID["solution"], "benefit": SAID["benefit"]}
        found = judged("breakup_email", mail.words, person, **told)
        assert {"breakup_parts", "right_name", "no_merge_marks"} <= {each.check for each in found}
    else:
        found = judged("nurture", mail.words, person, value=SAID["asset"])
        assert {"new_value", "no_empty_check_in"} <= {each.check for each in found}
    assert refusals((*found, *mail_checks(mail, ADDRESS))) == []
    assert empty_phrase(mail.words, LISTS) is None


@pytest.mark.parametrize("person", PEOPLE, ids=lambda person: person["company"])
@pytest.mark.parametrize("audience", ["declined", "client"])
def test_the_invitations_that_ship_pass_what_letters_are_held_against(audience: AudienceKey, person: dict[str, str]) -> None:
    """With the list of an event below: how it opens, what it names of the person, and that the list is whole."""
    playbook, _ = shipped_playbooks()["event-invitation"]
    rules = playbook.invitation
    assert rules
    template = rules.audience(audience)
    assert template
    title, description = "A day on the new yard", "We show how two crews share one crane, from eight to noon, boots provided."
    event = EventFacts(
        id=UUID(int=7), version=2, kind="training", starts_at=datetime(2026, 4, 20, 12, 0, tzinfo=UTC), approved=True,
        cancelled=False, seats_left=4, characters=len(description), content="0" * 64,
    )  # fmt: skip
    text = written(WORDINGS[f"invite-{audience}"], {**SAID, **person, "events": f"1. {title}\n   {description}"})
    letter = Read(
        audience=audience, text=text, values=person, titles={event.id: title}, descriptions={event.id: description},
        listed=(event.id,), attachment=attachment_digest([event]),
    )  # fmt: skip
    found = (*judged("invitation", text, person), *verdicts(letter, [event], (), rules, (), NOW))
    assert {"invitation_opening", "list_whole", "right_name"} <= {each.check for each in found}
    assert refusals(found) == []
    assert empty_phrase(text, LISTS) is None


def test_a_late_call_begins_with_what_was_promised() -> None:
    """The words that the sheet gives whoever calls late are no empty check-in."""
    said = filled(WORDINGS["late-call"].text, SAID)
    assert refusals(judged("breakup_voicemail", said + " I have just sent you a mail.", PEOPLE[0])) == []
    assert (empty_phrase(said, LISTS), merge_mark(said)) == (None, None)


def test_no_wording_that_ships_is_forgotten_here() -> None:
    """Whoever adds one says above what it is held against."""
    assert set(FORMS) == {"breakup", "nurture", "mail-footer", "invite-declined", "invite-client", "late-call"}
    assert set(WORDINGS) == {*FORMS, "phrases"}
