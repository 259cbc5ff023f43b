"""``thaw export`` writes a bundle that anybody can check without us; ``thaw verify-bundle`` is that check, as in the bundle."""

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import click

from models.database import transaction
from service.bundle.archive import BundleError
from service.bundle.export import Exported, export
from service.bundle.selection import Selection
from service.bundle.writing import Progress
from service.cli.answers import typed_errors
from service.cli.app import App, InputError, json_option, pass_app
from service.cli.operator import by_option, operator, reason_option, required_reason
from service.cli.ops import bar
from service.destinations import destinations
from service.evidence import EvidenceError, known_keys, notes_in, read_notes
from service.find import find_lead
from service.keys import KeyFiles
from service.merged import called
from service.notary import Notary
from service.wording import count
from workflows.notes import Checkpoint, NoteError, parse_checkpoint, parse_note

#: Takes the verifier out of a bundle of which nothing is believed yet: that member alone, and no more than a megabyte of it.
TAKE_OUT = (
    "python -c 'import sys, zipfile as z; "
    'open("verify.py", "wb").write(z.ZipFile(sys.argv[1]).open("verify.py").read(1 << 20))'
    "' {path}"
)


@click.command("export")
@click.argument("leads", nargs=-1, metavar="[LEAD]...")
@click.option(
    "--range", "span", metavar="A:B", help="The events from position A to position B of the log, of whatever streams."
)
@click.option("--all", "every", is_flag=True, help="The whole log.")
@click.option(
    "-o", "--output", required=True, metavar="FILE", type=click.Path(path_type=Path), help="The zip file to write."
)  # fmt: skip
@click.option("--opened", is_flag=True, help="Enclose personal data: contacts and texts, each with the salt of its commitment.")
@click.option(
    "--kept", multiple=True, metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A checkpoint that whoever asks keeps: enclose the proof that the log still begins as it says. May be repeated.",
)  # fmt: skip
@click.option("--force", is_flag=True, help="Replace FILE if it is there.")
@reason_option
@by_option
@json_option
@pass_app
def export_(
    app: App,
    leads: tuple[str, ...],
    span: str | None,
    every: bool,
    output: Path,
    opened: bool,
    kept: tuple[Path, ...],
    force: bool,
    reason: str | None,
    by: str | None,
    as_json: bool,
) -> None:
    """Write leads, a range or the whole log to a file that anybody can check offline: bodies, proofs, and a verifier.

    Where a key is at hand and the newest checkpoint does not cover what is asked for, one is signed first. Nothing is left
    behind when something goes wrong. The file is readable for its owner only. The log records who handed out what, and why:
    that has to be said.
    """
    if (bool(leads), span is not None, every).count(True) != 1:
        raise InputError("name leads, or a range with --range A:B, or everything with --all: one of the three")
    why = required_reason(reason, "a request of 3 July")
    notes = [note for path in kept for note in _kept(app, path)]
    selection = _selection(app, leads, span)
    keys = KeyFiles(app.settings)
    notary = Notary(app.service.engine, app.service.clock, keys, destinations(app.settings))
    try:
        with _progress() as progress:
            made = export(
                app.service.engine, selection, output, keys=keys, notary=notary, now=app.service.now(), opened=opened,
                kept=notes, force=force, by=operator(by), reason=why, progress=progress,
            )  # fmt: skip
    except BundleError as error:
        raise InputError(str(error)) from error
    if as_json:
        app.print_json(made)
    else:
        with transaction(app.service.engine) as connection:
            elsewhere = called(connection, made.elsewhere)
        for line in _lines(made, selection, keys, elsewhere):
            click.echo(line)


def _selection(app: App, typed: Iterable[str], span: str | None) -> Selection:
    if span is not None:
        match = re.fullmatch(r"([1-9][0-9]{0,17}):([1-9][0-9]{0,17})", span)
        if not match or int(match[1]) > int(match[2]):
            raise InputError(f"{span!r} is no range of the log: name the first and the last position, such as 1:500")
        return Selection(kind="range", first=int(match[1]), last=int(match[2]))
    with typed_errors(), transaction(app.service.engine) as connection:
        found = tuple(dict.fromkeys(find_lead(connection, lead).lead.id for lead in typed))
    return Selection(kind="leads", leads=found) if found else Selection(kind="all")


def _kept(app: App, path: Path) -> list[Checkpoint]:
    """Return the checkpoints in the file at *path*; their signatures are checked where a key is known."""
    known = known_keys(app.settings, ())
    try:
        return read_notes(path, known) if known else [parse_checkpoint(parse_note(note).text) for note in notes_in(path)]
    except EvidenceError as error:
        raise InputError(str(error)) from error
    except NoteError as error:
        raise InputError(f"{path} holds what is no checkpoint: {error}") from error


@contextmanager
def _progress() -> Iterator[Progress]:
    with bar("exporting") as update:
        yield update


def _lines(made: Exported, selection: Selection, keys: KeyFiles, elsewhere: Mapping[UUID, str]) -> Iterator[str]:
    what = count(len(selection.leads), "lead") if selection.leads else "the log"
    beside = made.events - made.asked
    rest = f", and {count(beside, 'event')} that they rest on" if beside else ""
    yield f"{made.path}: {count(made.asked, 'event')} of {what}{rest}; the checkpoint is over {count(made.checkpoint, 'event')}"
    if made.heads is not None:
        yield f"complete as of event {made.heads} of the log"
    if made.behind:
        yield f"NOT in it: {count(made.behind, 'event')} behind the checkpoint; sign a newer one with `thaw checkpoint --heads`"
    for name in elsewhere.values():
        yield f"NOT in it: the history of {name}, the same person, as a merge says; it is a stream of its own: export it, too"
    if made.texts is not None:
        yield f"opened: {count(made.texts, 'text')}. It holds personal data: hand it only to whom it concerns."
    if not made.signed:
        yield "its manifest is not signed: no key is here"
    recorded = (
        f"recorded as event {made.recorded} of the log" if made.recorded else "NOT recorded: this login may only read the log"
    )
    yield f"SHA-256 {made.sha256}; {recorded}"
    # Where a rotation broke off, the last one that is known never signed.
    known = [keys.signing()[0].verifier] if made.signed else keys.known()
    yield "to check it, with Python and nothing else, take a verify.py from elsewhere, or the one inside, and run it:"
    path = shlex.quote(str(made.path))
    yield f"  {TAKE_OUT.format(path=path)}"
    yield f"  python verify.py {path} --key {known[-1] if known else 'KEY'}"


@click.command(
    "verify-bundle",
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
    add_help_option=False,
    short_help="Check a bundle: runs the verifier that every bundle encloses.",
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def verify_bundle(ctx: click.Context, arguments: tuple[str, ...]) -> None:
    """Check a bundle with the verifier that every bundle encloses; `--help` says what it takes."""
    from service.bundle import verify  # long, and of use here only: no other command waits for it

    ctx.exit(verify.main(arguments, prog="thaw verify-bundle"))


COMMANDS = (export_, verify_bundle)
