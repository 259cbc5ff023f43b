"""``thaw wording``: what is said, published for good by one person and approved by a second, and used from then on."""

import difflib
from pathlib import Path

import click

from models import wordings
from models.database import transaction
from models.wordings import PublishedWording
from service.cli.answers import typed_errors
from service.cli.app import App, InputError, json_option, pass_app
from service.cli.playbook import read_file, two_people
from service.cli.typed import WHO
from service.times import shown_moment, zone_of
from service.wording import plain
from service.wordings import record_wording
from workflows.wordings import FORMS, NAMES, Form, WordingError, WordingName, read_wording

_PHRASES = "phrase lists of the content checks"


@click.group()
def wording() -> None:
    """Wording: templates, phrase lists and what calls begin with, versioned apart from playbooks."""


def _name(typed: str) -> WordingName:
    if typed not in NAMES:
        near = difflib.get_close_matches(typed, NAMES, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there is {', '.join(NAMES)}"
        raise InputError(f"there is no wording called {plain(typed, 80)!r}; {hint}")
    return typed


def _find(app: App, typed: str) -> PublishedWording:
    """Return a publication by ``name`` (what is in force) or ``name@DIGEST`` (at least 6 digits of it)."""
    name, _, digits = typed.partition("@")
    with transaction(app.service.engine) as connection:
        published = wordings.all_published(connection, _name(name))
    found = [each for each in published if each.digest.startswith(digits)] if len(digits) >= 6 else published[: not digits]
    if len({each.digest for each in found}) != 1:
        known = ", ".join(dict.fromkeys(f"{name}@{each.digest[:12]}" for each in published[:12]))
        raise InputError(f"no wording {plain(typed, 120)!r} is published; there is {known or 'none: run `thaw migrate`'}")
    return found[0]


@wording.command("list")
@json_option
@pass_app
def list_(app: App, as_json: bool) -> None:
    """List all publications, by name, what is in force first."""
    with transaction(app.service.engine) as connection:
        published = wordings.all_published(connection)
    if as_json:
        app.print_json([_said(each) for each in published])
        return
    for each in published:
        form = _form(each)
        where = "in force" if each.in_force else "before"
        came = "shipped" if each.shipped else f"published {shown_moment(each.published_at, zone_of(None))}"
        click.echo(f"{each.name:<16} {each.digest[:12]}  {where:<8}  {came}; {form.says if form else _PHRASES}")


def _form(each: PublishedWording) -> Form | None:
    """Return what a template may ask for; None of the phrase lists."""
    return next((form for name, form in FORMS.items() if name == each.name), None)


def _said(each: PublishedWording) -> dict[str, object]:
    return {
        "name": each.name,
        "digest": each.digest,
        "in_force": each.in_force,
        "shipped": each.shipped,
        "at": each.published_at,
    }


@wording.command()
@click.argument("name")
@json_option
@pass_app
def show(app: App, name: str, as_json: bool) -> None:
    """Show the wording NAME that is in force, or NAME@DIGEST, with the fields that it may have.

    With `> FILE` the wording alone goes into the file, to be edited and published; what is said of it is still printed.
    """
    found = _find(app, name)
    form = _form(found)
    fields = {each: form.required.get(each) for each in form.fields} if form else {}
    if as_json:
        app.print_json({**_said(found), "text": found.text, "fields": fields})
        return
    click.echo(f"# {found.name}, digest {found.digest}{', in force' if found.in_force else ''}", err=True)
    for field, why in fields.items():
        click.echo(f"# field {field}{f': must be there, {why}' if why else ''}", err=True)
    for line in found.text.splitlines():
        click.echo(f"{line[: len(line) - len(line.lstrip(' '))]}{plain(line, 10_000)}")


@wording.command()
@click.argument("before")
@click.argument("after")
@json_option
@pass_app
def diff(app: App, before: str, after: str, as_json: bool) -> None:
    """Compare two wordings line by line: each NAME, NAME@DIGEST, or a file that is not published yet."""
    old, new = (read_file(each) if Path(each).is_file() else _find(app, each).text for each in (before, after))
    lines = list(difflib.unified_diff(old.splitlines(), new.splitlines(), before, after, lineterm=""))
    if as_json:
        app.print_json(lines)
        return
    for line in lines or ["they say the same"]:
        click.echo(plain(line, 10_000))


@wording.command()
@click.argument("name")
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@click.option("--as", "who", type=WHO, required=True, metavar="WHO", help="The manager who publishes it: manager:NAME.")
@click.option("--approved-by", type=WHO, required=True, metavar="WHO", help="The second person who read it: manager:NAME.")
@json_option
@pass_app
def publish(app: App, name: str, file: str, who: str, approved_by: str, as_json: bool) -> None:
    """Publish FILE as the wording NAME: what is written and checked from then on uses it, and names it by its digest.

    One manager publishes it and a second person approves it; the log holds both names. To go back, publish what was before.
    """
    two_people("wording", who, approved_by)
    text = read_file(file)
    try:
        read = read_wording(_name(name), text)
    except WordingError as error:
        raise InputError(f"{file}: {error}. Nothing was published.") from error
    with typed_errors(), transaction(app.service.engine) as connection:
        new = wordings.publish(connection, read)
        if new:
            record_wording(connection, read, now=app.service.now(), by=who, approved_by=approved_by)
    if as_json:
        app.print_json({"name": read.name, "digest": read.digest, "new": new})
        return
    click.echo(f"{read.name} is {'published' if new else 'in force already, word for word'}; digest {read.digest}")


COMMANDS = (wording,)
