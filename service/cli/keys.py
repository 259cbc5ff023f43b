"""Keys that sign checkpoints, and a checkpoint on demand."""

import secrets

import click

from migrations.runner import SchemaError
from models.database import ModelError
from service.cli.app import App, json_option, pass_app
from service.cli.operator import by_option, operator
from service.destinations import destinations
from service.keys import KeyFiles
from service.notary import Notary
from service.settings import SettingsError
from workflows.notes import VerifierKey


@click.group()
def keys() -> None:
    """Make, show and replace the key that signs checkpoints. The private key never leaves its file."""


@keys.command()
@click.option(
    "--name", help="What the log is called in checkpoints, such as example.com/thaw; default: as before, or a random name."
)
@by_option
@json_option
@pass_app
def init(app: App, name: str | None, by: str | None, as_json: bool) -> None:
    """Make the key, and print its public half for whoever is to check checkpoints.

    Where the key was lost, and its public half is still beside it, the new one signs for the same log.
    """
    files = KeyFiles(app.settings)
    lost = [] if files.exist else files.known()
    made = files.init(name or (lost[-1].name if lost else f"thaw/{secrets.token_hex(8)}"))
    _record(app, operator(by))
    _print(app, [made], as_json)
    if lost:
        click.echo("a key is gone; what it signed is checked with it alone: hand out all lines of `thaw keys show`", err=True)


@keys.command()
@json_option
@pass_app
def show(app: App, as_json: bool) -> None:
    """Print the public keys of all keys that ever signed here, the one in force last."""
    files = KeyFiles(app.settings)
    # Public keys are of use to who checks, whatever became of the private one; it tells its own where nothing else does.
    _print(app, files.known() or [key.verifier for key in reversed(files.signing())], as_json)
    files.signing()


@keys.command()
@by_option
@json_option
@pass_app
def rotate(app: App, by: str | None, as_json: bool) -> None:
    """Replace the key. The next checkpoint carries both signatures, and then the old private key is destroyed."""
    replaced = KeyFiles(app.settings).rotate()
    _record(app, operator(by))
    _print(app, list(replaced), as_json)


def _record(app: App, by: str) -> None:
    """Say in the log which key is in force. Where no service can be reached, its clock does so before it signs."""
    try:
        Notary(app.service.engine, app.service.clock, KeyFiles(app.settings), ()).record_key(by, wait=True)
    except (SettingsError, SchemaError, ModelError) as error:
        click.echo(f"the log does not say so yet, and will once it is signed with this key: {error}", err=True)


def _print(app: App, found: list[VerifierKey], as_json: bool) -> None:
    if as_json:
        app.print_json({"verifier_keys": [str(key) for key in found]})
    else:
        for key in found:
            click.echo(str(key))


@click.command()
@click.option("--heads", "with_heads", is_flag=True, help="Record the heads of all streams in the log first.")
@by_option
@json_option
@pass_app
def checkpoint(app: App, with_heads: bool, by: str | None, as_json: bool) -> None:
    """Sign a checkpoint of the log now, send it, and print it: keep it where the service cannot reach it."""
    files = KeyFiles(app.settings)
    files.signing()
    notary = Notary(app.service.engine, app.service.clock, files, destinations(app.settings))
    notary.record_key(operator(by), wait=True)
    if with_heads:
        notary.record_heads(operator(by), wait=True)
    made = notary.make(wait=True)
    notary.send(at_once=True)
    newest = made or notary.newest()
    assert newest is not None  # noqa: S101  # the log says at least which key signs it
    if as_json:
        app.print_json({"made": made is not None, "size": newest.size, "note": newest.note})
    else:
        click.echo(newest.note, nl=False)


COMMANDS = (keys, checkpoint)
