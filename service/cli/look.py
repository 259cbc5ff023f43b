"""Looking at one lead, and at the machine itself."""

from collections.abc import Mapping
from uuid import UUID
from zoneinfo import ZoneInfo

import click
import msgspec

from models import playbooks, views
from models.database import Connection, transaction
from service.cli.answers import typed_errors
from service.cli.app import REFUSED, App, json_option, pass_app
from service.find import Found, find_lead
from service.history import Entry, History, labelled, read_history
from service.merged import merged_lines
from service.next_action import NextAction, next_action, steps_of
from service.times import shown_day, shown_moment, zone_of
from service.wording import count, plain, score_line, words
from workflows.chart import mermaid
from workflows.events import Recorded
from workflows.homework import reason_unverified
from workflows.lead import Lead
from workflows.playbooks import Playbook

#: How many of the last events are shown.
LAST = 5


def end_of(trouble: str) -> None:
    """End with 1, and say it, where there is *trouble* with the history that an answer was told from."""
    if trouble:
        click.echo(f"chain      BROKEN at {trouble}: this is told from the events before it; run `thaw verify`", err=True)
        click.get_current_context().exit(REFUSED)


class LeadShown(msgspec.Struct, frozen=True, kw_only=True):
    """A lead as ``thaw lead`` shows it."""

    name: str
    external_id: str | None
    """``source:id`` in the CRM."""
    lead: Lead
    reason_unverified: bool
    """All that is known of why they said no is one of the reasons behind which people hide."""
    next: NextAction
    last_events: tuple[Recorded, ...]
    """Newest first."""
    trouble: str
    """What is wrong with its history; empty when the chain holds."""


@click.command()
@click.argument("lead")
@json_option
@pass_app
def lead(app: App, lead: str, as_json: bool) -> None:
    """Show where a lead stands, what comes next, and why.

    LEAD is its id, the first 8 digits of it, the CRM's id, as in V-0042 or crm:V-0042, or the whole name in quotes, where one
    alone has it. Every command but `erase` takes a lead so.
    """
    with typed_errors(), transaction(app.service.engine) as connection:
        found = find_lead(connection, lead)
        history = read_history(connection, found.lead.id)
        zone = owners_zone(connection, found.lead)
        steps = steps_of(connection, [found.lead])
        pin = found.lead.playbook
        playbook = playbooks.playbooks_by_digest(connection, [pin.digest]).get(pin.digest) if pin else None
        merged = [labelled(label, line) for label, line in merged_lines(connection, found.lead)]
    last = history.entries[-LAST:][::-1]
    shown = LeadShown(
        name=found.name,
        external_id=f"{found.contact.source}:{found.contact.external_id}" if found.contact else None,
        lead=found.lead,
        reason_unverified=playbook is not None and reason_unverified(found.lead, playbook),
        next=next_action(found.lead, zone, steps),
        last_events=tuple(entry.recorded for entry in last),
        trouble=history.trouble,
    )
    if as_json:
        app.print_json(shown)
        return
    account = account_lines(found.lead, playbook, zone) if playbook else []
    for line in (
        *heading(found),
        *merged,
        *state_lines(found.lead, zone, steps),
        *account,
        *_last_lines(last, zone),
        *_trouble(history),
    ):
        click.echo(line)


def owners_zone(connection: Connection, lead: Lead) -> ZoneInfo:
    """Return the time zone of the lead's owner."""
    return zone_of(views.calendar_of(connection, lead.owner))


def heading(found: Found, then: Lead | None = None) -> list[str]:
    """Return who the lead is, and its version now or *then*."""
    known_as = f" ({plain(f'{found.contact.source}:{found.contact.external_id}', 80)})" if found.contact else ""
    return [f"{found.name}{known_as}", f"lead       {found.lead.id}, version {(then or found.lead).version}"]


def state_lines(lead: Lead, zone: ZoneInfo, steps: Mapping[UUID, str]) -> list[str]:
    """Return where *lead* stands, with times by the clock in *zone* and agreed steps in the words of `steps_of`."""
    coming = next_action(lead, zone, steps)
    pin = lead.playbook
    return [
        f"state      {lead.state} since {shown_moment(lead.entered_at, zone)}",
        f"owner      {plain(lead.owner, 80)}, times in {zone.key}",
        f"playbook   {f'{pin.id}@{pin.version}' if pin else 'none'}",
        f"score      {score_line(lead.score) if lead.score else 'none: it was never queued'}",
        f"next       {coming.sentence} ({coming.by})",
        *(f"{'' if number else 'why':<10} {why}" for number, why in enumerate(coming.why)),
        f"promise    {_promise(lead)}",
        f"attempts   {_attempts(lead)}",
        f"hold       {_hold(lead, zone)}",
    ]


def account_lines(lead: Lead, playbook: Playbook, zone: ZoneInfo) -> list[str]:
    """Return what is known of why *lead* said no and of its account; nothing of one that never did, and has no needs."""
    lines = []
    if decline := lead.decline:
        real = f"really {words(decline.real_reason)}" if decline.real_reason else "no real reason is known"
        real = "reason unverified" if reason_unverified(lead, playbook) else real
        lines.append(f"no         {shown_moment(decline.at, zone)}: they said {words(decline.stated_reason)}; {real}")
        done = (("history read", lead.history_at), ("homework", lead.homework_at), ("strategy", lead.strategy_at))
        told = (f"{name} {shown_moment(at, zone)}" if at else f"{name} missing" for name, at in done)
        lines.append(f"account    {', '.join(told)}")
        if review := lead.timers.get("review"):
            lines.append(f"review     the no is looked at again by {shown_moment(review.due_at, zone)}")
    if lead.needs:
        lines.append(f"needs      {', '.join(lead.needs)}")
    if lead.opportunity_at:
        lines.append(f"opening    an opportunity was uncovered {shown_moment(lead.opportunity_at, zone)}")
    return lines


def _promise(lead: Lead) -> str:
    if not lead.promised or lead.promised_on is None or lead.call_on is None:
        return "none"
    moved = f", moved to {shown_day(lead.call_on)} ({count(lead.slips, 'time')})" if lead.call_on != lead.promised_on else ""
    return f"a call on {shown_day(lead.promised_on)}{moved}{', missed' if lead.promise_missed else ''}"


def _attempts(lead: Lead) -> str:
    tried = f"; tried: {', '.join(map(words, lead.modes_tried))}" if lead.modes_tried else ""
    return f"{lead.attempts} unanswered{tried}"


def _hold(lead: Lead, zone: ZoneInfo) -> str:
    if lead.hold is None:
        return "none"
    until = f" until {shown_day(lead.hold.until)}" if lead.hold.until else ", no end set"
    return f"{words(lead.hold.reason)} since {shown_moment(lead.hold.since, zone)}{until}"


def _last_lines(last: tuple[Entry, ...], zone: ZoneInfo) -> list[str]:
    return [
        f"{'events' if entry is last[0] else '':<10} {entry.row.version} {shown_moment(entry.recorded.recorded_at, zone)} "
        f"{entry.row.type}{f' ({entry.recorded.row})' if entry.recorded.row else ''} by {plain(entry.recorded.actor, 80)}"
        for entry in last
    ]


def _trouble(history: History) -> list[str]:
    return [f"WRONG      {history.trouble}; run `thaw verify`"] if history.trouble else []


@click.command()
@json_option
@pass_app
def chart(app: App, as_json: bool) -> None:
    """Print the machine as a Mermaid state diagram, drawn from the transition table."""
    if as_json:
        app.print_json({"mermaid": mermaid()})
    else:
        click.echo(mermaid())


COMMANDS = (lead, chart)
