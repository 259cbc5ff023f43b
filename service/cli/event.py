"""``thaw event``: sales events at clients' houses, who approved observers, and who has a seat."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import click

from actors.submit import Submission
from models import contacts
from service.cli.answers import typed_errors
from service.cli.app import InputError
from service.cli.entries import Entry, entry_command, moment_from, zone_from
from service.cli.event_shown import PLAYBOOK, list_, show, with_invitations
from service.cli.typed import DAY, LINE, PRINTED, SLUG
from service.event_erasing import noting
from service.find import find_lead, find_playbook
from service.find_campaign import find_sales_event
from service.times import TimeError, exactly, parse_day
from workflows.campaign_commands import (
    AnnounceEvent,
    ApproveObservers,
    CancelEvent,
    DescribeEvent,
    EraseEventTexts,
    ExcludeCompany,
    GiveSeatBack,
    RevokeApproval,
)
from workflows.sales_event import SalesEvent, sales_event_id


@click.group()
def event() -> None:
    """Sales events to invite to: trainings, open houses, media events."""


def _announce(entry: Entry, typed: dict[str, Any]) -> Submission:
    stream_id = sales_event_id(typed["name"])
    with typed_errors():
        with_invitations(find_playbook(entry.connection, typed["playbook"]))
    zone = zone_from(entry.connection, typed["timezone"])
    command = AnnounceEvent(
        name=typed["name"],
        playbook=typed["playbook"],
        kind=typed["kind"],
        starts_at=_starts(typed["starts"], zone, entry.now),
        timezone=zone.key,
        seats=typed["seats"],
        title=entry.kept(stream_id, "title", typed["title"]),
        host=entry.kept(stream_id, "host", typed["host"]),
        place=entry.keep(stream_id, "place", typed["place"]),
        description=entry.keep(stream_id, "description", typed["description"]),
        occurred_at=entry.occurred_at,
    )
    return entry.submission(stream_id, command)


def _starts(typed: str, zone: ZoneInfo, now: datetime) -> datetime:
    try:
        exactly(typed, zone)
    except TimeError as error:
        raise InputError(f"--starts: {error}") from error
    moment = moment_from("--starts", typed, zone, now)
    if ":" not in typed and "T" not in typed.upper():
        day = moment.astimezone(zone).date()
        raise InputError(f"--starts: {typed!r} has no hour, and letters name it; write it like {day}T14:30")
    return moment


def _known(entry: Entry, typed: dict[str, Any]) -> SalesEvent:
    with typed_errors():
        return find_sales_event(entry.connection, typed["name"])


def _describe(entry: Entry, typed: dict[str, Any]) -> Submission:
    known = _known(entry, typed)
    text = entry.kept(known.id, "description", typed["text"])
    return entry.submission(known.id, DescribeEvent(description=text, occurred_at=entry.occurred_at))


def _approve(entry: Entry, typed: dict[str, Any]) -> Submission:
    known = _known(entry, typed)
    command = ApproveObservers(
        approver=entry.kept(known.id, "approver", typed["approver"]),
        approved_on=parse_day(typed["approved_on"]),
        limits=entry.keep(known.id, "limits", typed["limits"]),
        seats=typed["seats"],
        occurred_at=entry.occurred_at,
    )
    return entry.submission(known.id, command)


def _revoke(entry: Entry, typed: dict[str, Any]) -> Submission:
    known = _known(entry, typed)
    reason = entry.keep(known.id, "reason", typed["reason"])
    return entry.submission(known.id, RevokeApproval(reason=reason, occurred_at=entry.occurred_at))


def _cancel(entry: Entry, typed: dict[str, Any]) -> Submission:
    known = _known(entry, typed)
    reason = entry.keep(known.id, "reason", typed["reason"])
    return entry.submission(known.id, CancelEvent(reason=reason, occurred_at=entry.occurred_at))


def _exclude(entry: Entry, typed: dict[str, Any]) -> Submission:
    known = _known(entry, typed)
    company = entry.kept(known.id, "company", typed["company"])
    return entry.submission(known.id, ExcludeCompany(company=company, occurred_at=entry.occurred_at))


def _erase(entry: Entry, typed: dict[str, Any]) -> Submission:
    known, reason = _known(entry, typed), typed["reason"]
    named = [each.document_id for each in (known.host, known.approver, *known.excluded) if each]
    own = contacts.find_documents(entry.connection, named)
    if any(text.casefold() in reason.casefold() for text in own.values()):
        raise InputError(
            "--reason names the host, who approved, or a company kept out, and would outlive the erasure: say why without that"
        )
    kept = entry.kept(known.id, "reason", reason)
    return entry.submission(known.id, EraseEventTexts(reason=kept, occurred_at=entry.occurred_at))


def _give_back(entry: Entry, typed: dict[str, Any]) -> Submission:
    known = _known(entry, typed)
    with typed_errors():
        lead = find_lead(entry.connection, typed["lead"]).lead
    return entry.submission(known.id, GiveSeatBack(lead_id=lead.id, occurred_at=entry.occurred_at))


_NAME = click.Argument(["name"], type=SLUG)
_WHY = click.Option(["--reason"], type=PRINTED, help="Why; kept outside the log.")
for command in (
    entry_command(
        "add",
        "Make an event known, by a short name such as spring-training.\n\nNobody is invited to it before its host approved it.",
        [
            _NAME,
            click.Option(["--kind"], type=SLUG, required=True, help="What it is: training, open_house, media_event, other …"),
            click.Option(["--starts"], required=True, metavar="WHEN", help="When it begins, such as 2026-03-09T14:30."),
            click.Option(["--timezone"], help="Of that time. Default: that of the first rep."),
            click.Option(["--seats"], type=click.IntRange(1, 10_000), required=True, help="For outside observers."),
            click.Option(["--title"], type=LINE, required=True, help="What it is called."),
            click.Option(["--host"], type=LINE, required=True, help="The client at whose house it takes place."),
            click.Option(["--place"], type=LINE, help="Where."),
            click.Option(["--description"], type=PRINTED, help="What it is about, in 20 to 600 characters."),
            click.Option(["--playbook"], type=SLUG, default=PLAYBOOK, show_default=True, help="Whose rules hold for it."),
        ],
        _announce,
    ),
    entry_command(
        "describe",
        "Say briefly what the event is about, or say it anew.",
        [_NAME, click.Option(["--text"], type=PRINTED, required=True, help="20 to 600 characters.")],
        _describe,
    ),
    entry_command(
        "approve",
        "The host agreed to outside observers.",
        [
            _NAME,
            click.Option(
                ["--by", "approver"], type=LINE, required=True, help="Who agreed, at the host's; kept outside the log."
            ),
            click.Option(["--on", "approved_on"], type=DAY, required=True, help="On which day."),
            click.Option(["--limits"], type=PRINTED, help="What the host set as limits; kept outside the log."),
            click.Option(["--seats"], type=click.IntRange(1, 10_000), help="How many observers. Default: as announced."),
        ],
        _approve,
    ),
    entry_command(
        "revoke",
        "The host takes the approval back; who was invited must be told (`thaw campaign tell`).",
        [_NAME, _WHY],
        _revoke,
    ),
    entry_command(
        "cancel", "The event does not take place; who was invited must be told (`thaw campaign tell`).", [_NAME, _WHY], _cancel
    ),
    entry_command(
        "exclude",
        "Let nobody from a company see this event, such as a competitor of the host.",
        [_NAME, click.Argument(["company"], type=LINE)],
        _exclude,
    ),
    entry_command(
        "erase",
        "Erase for good what was written about an event: host, approver, title, descriptions, limits, reasons.\n\nThe event "
        "has to be over or cancelled. Its history stays, without the words.",
        [_NAME, click.Option(["--reason"], type=PRINTED, required=True, help="Why. It stays, so it names nobody.")],
        _erase,
        noting,
    ),
    entry_command(
        "give-back",
        "Somebody who had a seat does not come; the next in the line gets it.",
        [_NAME, click.Argument(["lead"])],
        _give_back,
    ),
):
    event.add_command(command)


event.add_command(list_)
event.add_command(show)
COMMANDS = (event,)
