"""``thaw what-if``: another playbook over the recorded history, and what would differ."""

from collections.abc import Iterator
from datetime import time
from zoneinfo import ZoneInfo

import click

from models import contacts, views
from models.database import Connection
from service.cli.answers import typed_errors
from service.cli.app import App, InputError, json_option, pass_app
from service.cli.ops import progress_bar
from service.cli.playbook import read_file, read_playbook_file
from service.times import parse_moment, shown_day
from service.what_if import CapacityShown, Sample, Span, WhatIfError, WhatIfShown, what_if
from service.wording import count, key_of_id, plain, words
from workflows.law_table import CURRENT
from workflows.playbook_review import review
from workflows.touches import Milestone, TouchKind

_UTC = ZoneInfo("UTC")

_NAMES: dict[TouchKind, str] = {
    "note": "notes", "call": "promised calls", "follow_up": "later attempts", "breakup": "breakups",
    "nurture": "nurture touches",
}  # fmt: skip

#: Why a lead's run stops, as people say it.
_STOPS = {
    "touch": "a touch that the log does not hold",
    "refused": "a recorded touch that the other rules refuse",
    "decision": "a decision on a breakup that nobody made",
    "log_ends": "the end of the log",
}


@click.command("what-if")
@click.argument("file", metavar="PLAYBOOK.toml", type=click.Path(exists=True, dir_okay=False))
@click.option("--since", metavar="DATE", help="History stays as it was up to then (UTC); without it, nothing does.")
@click.option("--samples", type=click.IntRange(0, 10_000), default=10, show_default=True, help="Leads to show.")
@json_option
@pass_app
def what_if_(app: App, file: str, since: str | None, samples: int, as_json: bool) -> None:
    """Run the recorded history under another playbook, and say what would differ. Nothing is changed or published.

    It takes the place of every version of the playbook with its id. It is compared with a run under the recorded playbooks, so
    that a playbook that says the same gives no difference.
    """
    text = read_file(file)
    with typed_errors(), views.snapshot(app.service.engine) as connection:
        playbook = read_playbook_file(connection, file, text)
        wrong = next((remark for remark in review(playbook, CURRENT) if remark.level == "refuse"), None)
        if wrong:
            raise InputError(f"{file}: {wrong.field}: {wrong.says}")
        start = parse_moment(since, _UTC, app.service.now(), day_means=time(0)) if since else None
        try:
            with progress_bar(connection, "reading") as progress:
                shown = what_if(connection, playbook, since=start, samples=samples, progress=progress)
        except WhatIfError as error:
            raise InputError(str(error)) from error
        if as_json:
            app.print_json(shown)
            return
        for line in _lines(connection, shown):
            click.echo(line)


def _lines(connection: Connection, shown: WhatIfShown) -> Iterator[str]:
    since, until = shown_day(shown.since.date()), shown_day(shown.until.date())
    yield f"what if    {shown.playbook} had been in force from {since} to {until}"
    yield f"in place of {', '.join(shown.in_place_of)}; {count(shown.leads, 'lead')}, {count(shown.events, 'event')}"
    yield ""
    yield f"{'touches':<28}{'old rules':>10}{'what if':>10}{'made up':>10}{'unknown':>10}"
    for each in shown.touches:
        yield f"  {_NAMES[each.kind]:<26}{each.recorded:>10}{each.what_if:>10}{each.made_up:>10}{each.unknown:>10}"
    yield "  old rules: a run under the playbooks that were in force, not the log itself; how near it comes is said at the end."
    yield "  made up: asked for, not in the log, its outcome unknown. unknown: it was made, and the run stopped before it."
    yield ""
    yield f"touches by {'month' if shown.monthly else 'week'}"
    for period in shown.periods:
        first = f"{period.first:%Y-%m}" if shown.monthly else str(period.first)
        yield f"  {first:<26}{period.recorded:>10}{period.what_if:>10}"
    yield ""
    yield "timing, in days (median, longest)"
    for timing in shown.timing:
        yield f"  {timing.what:<34}{_span(timing.recorded)} -> {_span(timing.what_if)}"
    yield ""
    yield from _capacity(shown.capacity_recorded, shown.capacity_what_if)
    yield ""
    yield from _leads(connection, shown)
    yield ""
    yield "assumed"
    yield from (f"  {sentence}" for sentence in shown.assumptions)
    again = f"{shown.brought_back} of {count(shown.recorded, 'touch', 'touches')} of the log on their days"
    if shown.left_out:
        yield f"  Left out: {count(shown.left_out, 'lead')} whose run stops under the recorded playbooks already."
    yield f"  Under the recorded playbooks a run under these assumptions brings back {again}."


def _span(span: Span | None) -> str:
    return f"{span.median:g}, {span.most} ({count(span.number, 'time')})" if span else "never"


def _capacity(before: CapacityShown, after: CapacityShown) -> Iterator[str]:
    yield f"{'plans of a day':<28}{before.plans:>10}{after.plans:>10}"
    for field, name in (
        ("notes", "notes planned"), ("calls", "calls planned"), ("follow_ups", "later attempts planned"),
        ("put_off", "calls put off"), ("waiting", "leads waiting at the end"),
    ):  # fmt: skip
        yield f"  {name:<26}{getattr(before, field):>10}{getattr(after, field):>10}"
    for name in sorted({*before.short, *after.short}):
        yield f"  {'fewer ' + words(name):<26}{before.short.get(name, 0):>10}{after.short.get(name, 0):>10}"


def _leads(connection: Connection, shown: WhatIfShown) -> Iterator[str]:
    if not shown.affected:
        yield f"leads      nothing differs for any of {count(shown.leads, 'lead')}"
        return
    stopped = sum(shown.stopped.values())
    affected = f"{shown.affected} of {shown.leads} go another way"
    yield f"leads      {affected}; {stopped} of them stop where nobody knows how they went on"
    yield from (f"  {number} stop at {_STOPS[code]}" for code, number in shown.stopped.items())
    people = contacts.find_contacts(connection, [sample.lead_id for sample in shown.samples])
    for sample in shown.samples:
        yield from _sample(key_of_id(sample.lead_id, people.get(sample.lead_id)), sample)
    if shown.affected > len(shown.samples):
        yield f"  … and {shown.affected - len(shown.samples)} more"


def _sample(key: str, sample: Sample) -> Iterator[str]:
    yield f"  {plain(key, 40):<12} was {_milestone(sample.recorded)}; then {_milestone(sample.what_if)}"
    if sample.unknown:
        yield f"  {'':<12} stops on {shown_day(sample.unknown.at.date())}: {sample.unknown.why}"


def _milestone(milestone: Milestone | None) -> str:
    return f"{words(milestone.event)} on {shown_day(milestone.day)}" if milestone else "nothing"


COMMANDS = (what_if_,)
