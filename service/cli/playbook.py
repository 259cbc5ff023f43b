"""Playbooks: read, checked, published for good, compared, and followed by leads from one version to the next."""

import difflib
from pathlib import Path
from typing import Any

import click
import msgspec

from models import playbooks
from models.database import Connection, transaction
from models.playbooks import Published, PublishedError
from service.cli.answers import typed_errors
from service.cli.app import App, InputError, OnDemand, json_option, pass_app
from service.cli.typed import WHO
from service.find import storable
from service.playbooks import read_beside_published, record_published
from service.wording import plain
from workflows.law_table import CURRENT
from workflows.playbook_review import Remark, follow_ups_a_day, review
from workflows.playbook_text import PlaybookError, json_schema
from workflows.playbooks import Playbook, decode_playbook

#: Answer rates for which ``validate`` shows the load of a day.
RATES = (0.3, 0.4, 0.5)

_MOST_CHARACTERS = 1_000_000


class Validated(msgspec.Struct, frozen=True, kw_only=True):
    """What a playbook would do."""

    playbook: str
    """``id@version``."""
    digest: str
    extends: tuple[str, ...]
    remarks: tuple[Remark, ...]


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One field that two playbooks say differently."""

    field: str
    before: Any
    after: Any


def read_file(path: str) -> str:
    """Return the text of a file of rules or words; raises `InputError` for what is none."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 at byte {error.start}; is it the right file?") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    if len(text) > _MOST_CHARACTERS:
        raise InputError(f"{path}: {len(text)} characters are too many; {_MOST_CHARACTERS} are the most")
    return text


def read_playbook_file(connection: Connection, path: str, text: str) -> Playbook:
    """Return the playbook in *text*, which stands in the file at *path*; raises `InputError` for what is none."""
    try:
        return read_beside_published(connection, text)
    except PlaybookError as error:
        raise InputError(f"{path}: {error}") from error


def find_playbook(app: App, named: str) -> Published:
    """Return the published version called *named*; raises `InputError` with what may be meant."""
    with transaction(app.service.engine) as connection:
        found = playbooks.find_published(connection, named) if storable(named) else None
        known = [f"{each.id}@{each.version}" for each in playbooks.all_published(connection)]
    if found is None:
        near = difflib.get_close_matches(named, known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there is {', '.join(known[:12])}" if known else "run `thaw migrate`"
        raise InputError(f"no playbook {plain(named, 80)!r} is published; {hint}")
    return found


@click.group(commands=OnDemand({"simulate": ("simulate",), "playbook_migrate": ("migrate",)}))
def playbook() -> None:
    """Playbooks: the parameters of each method, published for good."""


@playbook.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@json_option
@pass_app
def validate(app: App, file: str, as_json: bool) -> None:
    """Say whether FILE is a playbook, and what it would do. Nothing is published."""
    text = read_file(file)
    with transaction(app.service.engine) as connection:
        read = read_playbook_file(connection, file, text)
    remarks = review(read, CURRENT)
    if as_json:
        app.print_json(Validated(playbook=exactly(read), digest=read.pin.digest, extends=read.extends, remarks=remarks))
    else:
        _show_review(read, remarks)
    if any(remark.level == "refuse" for remark in remarks):
        raise SystemExit(1)


def exactly(read: Playbook) -> str:
    """Return ``id@version``."""
    return f"{read.id}@{read.version}"


def _show_review(read: Playbook, remarks: tuple[Remark, ...]) -> None:
    click.echo(f"{exactly(read)}  {plain(read.title)}")
    if read.extends:
        click.echo(f"extends    {', '.join(read.extends)}")
    for rate in RATES:
        touches, breakups = follow_ups_a_day(read, rate)
        click.echo(f"at {rate:.0%} answered, a rep's day brings {touches:.1f} later attempts and {breakups:.1f} breakups")
    for remark in remarks:
        click.echo(f"{'REFUSED' if remark.level == 'refuse' else 'mind':<10} {remark.field}: {remark.says}")
    if not remarks:
        click.echo("nothing to object")


def two_people(what: str, who: str, approved_by: str) -> None:
    """Refuse that somebody who is no manager publishes *what*, or approves what is their own; raises `InputError`."""
    if not who.startswith("manager:"):
        raise InputError(f"--as {who}: only a manager publishes a {what} (manager:NAME)")
    if approved_by.partition(":")[2].casefold() == who.partition(":")[2].casefold():
        raise InputError(f"--approved-by {approved_by}: a second person approves it, not who publishes it")


@playbook.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@click.option("--as", "who", type=WHO, required=True, metavar="WHO", help="The manager who publishes it: manager:NAME.")
@click.option("--approved-by", type=WHO, required=True, metavar="WHO", help="The second person who read it: manager:NAME.")
@json_option
@pass_app
def publish(app: App, file: str, who: str, approved_by: str, as_json: bool) -> None:
    """Publish FILE: from then on this version never changes. Leads that enter the queue follow the newest version.

    One manager publishes it and a second person approves it; the log holds both names.
    """
    two_people("playbook", who, approved_by)
    text = read_file(file)
    with typed_errors(), transaction(app.service.engine) as connection:
        read = read_playbook_file(connection, file, text)
        wrong = next((remark for remark in review(read, CURRENT) if remark.level == "refuse"), None)
        if wrong:
            raise InputError(f"{file}: {wrong.field}: {wrong.says} Nothing was published.")
        try:
            new = playbooks.publish(connection, read, text)
            if new:
                record_published(connection, read, now=app.service.now(), by=who, approved_by=approved_by)
        except PublishedError as error:
            raise InputError(f"{file}: {error}") from error
    if as_json:
        app.print_json({"playbook": exactly(read), "digest": read.pin.digest, "new": new})
        return
    click.echo(f"{exactly(read)} is published{'' if new else ' already, word for word'}; digest {read.pin.digest}")


@playbook.command()
@pass_app
def schema(app: App) -> None:
    """Print the JSON Schema of a playbook's TOML, for editors: every field with its type, range and default."""
    app.print_json(json_schema())


@playbook.command("list")
@json_option
@pass_app
def list_(app: App, as_json: bool) -> None:
    """List all published versions, the newest of each first."""
    with transaction(app.service.engine) as connection:
        published = playbooks.all_published(connection)
    if as_json:
        app.print_json([{"playbook": f"{p.id}@{p.version}", "digest": p.digest, "at": p.published_at} for p in published])
        return
    for each in published:
        title = plain(decode_playbook(each.body).title)
        click.echo(f"{each.id}@{each.version:<9} {each.digest[:12]}  {title}")


@playbook.command()
@click.argument("playbook")
@json_option
@pass_app
def show(app: App, playbook: str, as_json: bool) -> None:
    """Show PLAYBOOK (id, or id@version) as it was published; --json shows it whole, with what it took over."""
    found = find_playbook(app, playbook)
    if as_json:
        app.print_json(msgspec.json.decode(found.body))
        return
    click.echo(f"# {found.id}@{found.version}, digest {found.digest}")
    for line in (found.source or found.body).splitlines():
        # Indented as written; nothing in it may steer a terminal.
        click.echo(f"{line[: len(line) - len(line.lstrip(' '))]}{plain(line, 10_000)}")


@playbook.command()
@click.argument("before")
@click.argument("after")
@json_option
@pass_app
def diff(app: App, before: str, after: str, as_json: bool) -> None:
    """Compare two published playbooks, field by field, with all that they took over."""
    found = [msgspec.json.decode(find_playbook(app, named).body) for named in (before, after)]
    differences = list(_differences(*found))
    if as_json:
        app.print_json(differences)
        return
    for each in differences:
        click.echo(f"{each.field}: {_shown(each.before)} -> {_shown(each.after)}")
    if not differences:
        click.echo("they say the same")


def _differences(before: Any, after: Any, path: str = "") -> list[Difference]:
    if isinstance(before, dict) and isinstance(after, dict):
        below = ((f"{path}.{key}" if path else key, before.get(key), after.get(key)) for key in sorted({*before, *after}))
        return [found for at, old, new in below for found in _differences(old, new, at)]
    return [] if before == after else [Difference(field=path, before=before, after=after)]


def _shown(value: Any) -> str:
    return "nothing" if value is None else plain(msgspec.json.encode(value).decode(), 400)


COMMANDS = (playbook,)
