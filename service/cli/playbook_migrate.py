"""``thaw playbook migrate``: leads moved from one version of a playbook to another, each by an event of its own."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import cast, get_args
from uuid import uuid4

import click
import msgspec

from actors.submit import Submission, submit
from models import contacts, playbooks, views
from models.database import transaction
from models.leads import list_reps
from service.cli.app import App, InputError, json_option, pass_app
from service.cli.layered import check_for_all
from service.cli.playbook import exactly, find_playbook
from service.cli.typed import WHO
from service.times import shown_moment, zone_of
from service.wording import count, name_of, plain, words
from workflows.calendars import Calendar
from workflows.commands import MigratePlaybook, PlaybookStep, StepOnto
from workflows.lead import Lead, at_work
from workflows.migration import STEPS, missing_step, onto_possible, timers_under
from workflows.playbooks import Playbook, decode_playbook

#: What becomes of the promise of a lead that begins again.
_PROMISED = ("note_sent", "call_due")


class Migrated(msgspec.Struct, frozen=True, kw_only=True):
    """One lead that is moved, or why it is not."""

    lead: str
    name: str
    state: str
    timers: dict[str, tuple[str, str]]
    """By name: when it is due before and after, of those that move."""
    refused: str | None
    mapped: tuple[PlaybookStep, StepOnto] | None = None
    """The step that the new version lacks, and where the lead goes on instead."""


@click.command()
@click.argument("before")
@click.argument("after")
@click.option("--dry-run", is_flag=True, help="Only say what would move.")
@click.option("--as", "who", type=WHO, help="The manager who decides it: manager:NAME.")
@click.option(
    "--map",
    "mappings",
    multiple=True,
    metavar="STEP=STEP",
    help="Where who stands on a step that AFTER lacks goes on: note=queue, note=promised_call (who was written to), "
    "promised_call=queue, later_call=queue.",
)
@json_option
@pass_app
def migrate(
    app: App, before: str, after: str, dry_run: bool, who: str | None, mappings: tuple[str, ...], as_json: bool
) -> None:
    """Move the leads that follow BEFORE to AFTER. A lead whose step AFTER does not have stays, and is named.

    With --map it goes on at another step instead. Each lead is moved by a message of its own; `thaw status` shows those that
    wait. The capacity of a rep's days is that of the version which `thaw rep set` took: reps who still follow BEFORE are named.
    """
    if not dry_run and not (who or "").startswith("manager:"):
        raise InputError("--as manager:NAME: only a manager moves leads to another playbook")
    mapping = _read_mappings(mappings)
    old, new = find_playbook(app, before), find_playbook(app, after)
    leaving, entering = decode_playbook(old.body), decode_playbook(new.body)
    check_for_all(entering, after)
    now = app.service.now()
    with transaction(app.service.engine) as connection:
        leads = playbooks.pinned_leads(connection, old.digest)
        reps = playbooks.following_reps(connection, old.digest)
        following = [rep for rep in list_reps(connection) if rep.name in reps]
        people = contacts.find_contacts(connection, [lead.id for lead in leads])
        # By the days of whoever makes the call that is promised, as `workflows.cover.acting` has it decided.
        calendars = {rep: views.calendar_of(connection, rep) for rep in set(map(at_work, leads))}
        moves = [
            _move(lead, name_of(lead, people.get(lead.id)), calendars[at_work(lead)], leaving, entering, mapping, now)
            for lead in leads
        ]
    if not dry_run and who:
        going = [
            Submission(id=uuid4(), stream_id=lead.id, command=_command(new.id, new.version, new.digest, move), asked_by=who)
            for lead, move in zip(leads, moves, strict=True)
            if move.refused is None
        ]
        submit(app.service.engine, app.service.bell, going, now=now)
    shown = {
        "from": f"{old.id}@{old.version}",
        "to": f"{new.id}@{new.version}",
        "dry_run": dry_run,
        "leads": moves,
        "reps": reps,
    }
    if as_json:
        app.print_json(shown)
        return
    planned_by = {rep.name: f"{rep.playbook.id}@{rep.playbook.version}" for rep in following if rep.playbook}
    _show(moves, planned_by, f"{old.id}@{old.version}", dry_run=dry_run)


def _read_mappings(typed: Sequence[str]) -> dict[PlaybookStep, StepOnto]:
    mapping: dict[PlaybookStep, StepOnto] = {}
    for each in typed:
        step, _, onto = each.partition("=")
        if step not in STEPS:
            raise InputError(f"--map {plain(each, 80)}: there is no step {plain(step, 40)!r}; there is {', '.join(STEPS)}")
        if onto not in get_args(StepOnto) or (onto == "promised_call" and step != "note"):
            to = "queue or promised_call" if step == "note" else "queue"
            raise InputError(f"--map {plain(each, 80)}: from {step} a lead can go on to {to}")
        if step in mapping:
            raise InputError(f"--map {plain(each, 80)}: {step} is mapped already")
        mapping[cast("PlaybookStep", step)] = cast("StepOnto", onto)
    return mapping


def _move(
    lead: Lead,
    name: str,
    calendar: Calendar | None,
    leaving: Playbook,
    entering: Playbook,
    mapping: Mapping[PlaybookStep, StepOnto],
    now: datetime,
) -> Migrated:
    zone = zone_of(calendar)
    missing = missing_step(lead, entering)
    onto = mapping.get(missing) if missing else None
    goes = bool(onto and onto_possible(lead, entering, onto))
    refused = None
    if missing and not goes:
        refused = f"stays: {exactly(entering)} has no {STEPS[missing]}"
        refused += f", and from {words(lead.state)} it cannot go on to {words(onto)}" if onto else ""
    keeps = (calendar and not missing) or (calendar and goes and onto != "queue")
    due = timers_under(lead, leaving, entering, calendar, now) if keeps and calendar else {}
    return Migrated(
        lead=str(lead.id),
        name=name,
        state=lead.state,
        timers={name: (shown_moment(lead.timers[name].due_at, zone), shown_moment(at, zone)) for name, at in due.items()},
        refused=refused,
        mapped=(missing, onto) if missing and onto and goes else None,
    )


def _command(playbook: str, version: str, digest: str, move: Migrated) -> MigratePlaybook:
    if move.mapped is None:
        return MigratePlaybook(playbook=playbook, version=version, digest=digest)
    step, onto = move.mapped
    return MigratePlaybook(playbook=playbook, version=version, digest=digest, step=step, onto=onto)


def _show(moves: Sequence[Migrated], planned_by: Mapping[str, str], before: str, *, dry_run: bool) -> None:
    for move in moves:
        timers = "; ".join(f"{name} {was} -> {will}" for name, (was, will) in move.timers.items())
        says = move.refused or "; ".join(part for part in (_onto(move), timers) if part) or "no timer moves"
        click.echo(f"{plain(move.name)} ({move.lead[:8]}, {move.state}): {says}")
    refused = sum(move.refused is not None for move in moves)
    verb = "would move" if dry_run else "handed in"
    click.echo(f"{count(len(moves) - refused, 'lead')} {verb}, {refused} stay with {before}")
    for rep, by in planned_by.items():
        made = "" if by == before else f", made of {before},"
        click.echo(f"the days of {plain(rep)} are planned by {by}{made} until `thaw rep set {plain(rep)}`")


def _onto(move: Migrated) -> str:
    if move.mapped is None:
        return ""
    step, onto = move.mapped
    broken = " (the promise of the call ends)" if onto == "queue" and step != "later_call" and move.state in _PROMISED else ""
    return f"{words(step)} -> {words(onto)}{broken}"


COMMANDS = (migrate,)
