"""Keys that sign checkpoints, and a checkpoint on demand."""

import secrets

import click

from service.cli.app import App, json_option, pass_app
from service.destinations import destinations
from service.keys import KeyFiles
from service.notary import Notary
from workflows.notes import VerifierKey


@click.group()
def keys() -> None:
    """Make, show and replace the key that signs checkpoints. The private key never leaves its file."""


@keys.command()
@click.option("--name", help="What the log is called in checkpoints, such as example.com/thaw; default: a random name.")
@json_option
@pass_app
def init(app: App, name: str | None, as_json: bool) -> None:
    """Make the key, and print its public half for whoever is to check checkpoints."""
    made = KeyFiles(app.settings).init(name or f"thaw/{secrets.token_hex(8)}")
    _print(app, [made], as_json)


@keys.command()
@json_option
@pass_app
def show(app: App, as_json: bool) -> None:
    """Print the public keys of all keys that ever signed here, the one in force last."""
    files = KeyFiles(app.settings)
    files.signing()
    _print(app, files.known(), as_json)


@keys.command()
@json_option
@pass_app
def rotate(app: App, as_json: bool) -> None:
    """Replace the key. The next checkpoint carries both signatures, and then the old private key is destroyed."""
    _print(app, list(KeyFiles(app.settings).rotate()), as_json)


def _print(app: App, found: list[VerifierKey], as_json: bool) -> None:
    if as_json:
        app.print_json({"verifier_keys": [str(key) for key in found]})
    else:
        for key in found:
            click.echo(str(key))


@click.command()
@click.option("--heads", "with_heads", is_flag=True, help="Record the heads of all streams in the log first.")
@json_option
@pass_app
def checkpoint(app: App, with_heads: bool, as_json: bool) -> None:
    """Sign a checkpoint of the log now, send it, and print it: keep it where the service cannot reach it."""
    files = KeyFiles(app.settings)
    files.signing()
    notary = Notary(app.service.engine, app.service.clock, files, destinations(app.settings))
    if with_heads:
        notary.record_heads("operator", wait=True)
    made = notary.make(wait=True)
    notary.send()
    newest = made or notary.newest()
    note = newest.note if newest else ""
    if as_json:
        app.print_json({"made": made is not None, "size": newest.size if newest else 0, "note": note})
    elif newest:
        click.echo(note, nl=False)
    else:
        click.echo("the log is empty: there is nothing to sign")


COMMANDS = (keys, checkpoint)
