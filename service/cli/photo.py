"""A photo of a note: taken in with its two key sentences, and given back by ``thaw note-photo``."""

import os
import stat
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import msgspec

from models import contacts, events, texts
from models.database import Connection, transaction
from service.cli.answers import typed_errors
from service.cli.app import App, InputError, json_option, pass_app
from service.find import Found, find_lead
from service.photos import MOST_BYTES, Photo, PhotoError, kept_as, photo_in
from service.wording import plain
from workflows.events import NoteSent, decode_recorded
from workflows.prose import greeted

SENTENCE = (
    "With --photo, twice: the sentence with something personal, and the one that says that you will call; the checks read them."
)


class PhotoType(click.ParamType[str]):
    """A file that holds a photo."""

    name = "file"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the photo as the text as which it is kept."""
        path = Path(str(value))
        try:
            if not (stat.S_ISREG(path.stat().st_mode) or path.is_dir()):
                # What is no file may have no end, or not even a beginning.
                self.fail(f"{plain(str(value))} is no file", param, ctx)
            with path.open("rb") as file:
                return kept_as(file.read(MOST_BYTES + 1))
        except PhotoError as error:
            self.fail(f"{plain(str(value))}: {error}", param, ctx)
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else error
            self.fail(f"{plain(str(value))} cannot be read: {why}", param, ctx)


PHOTO = PhotoType()


def sentences_of(typed: Mapping[str, Any]) -> str | None:
    """Return the two sentences that were *typed* beside a photo, one on each line; None when no photo was.

    Raises
    ------
    InputError
        When one was given without the other, or not two sentences, or the whole text beside them.
    """
    photo, sentences = typed.get("photo"), typed.get("sentences", ())
    if photo is None:
        if sentences:
            raise InputError("--sentence goes with --photo: add the photo, or give the whole note with --text")
        return None
    whole = next((f"--{name.replace('_', '-')}" for name in ("text", "text_file") if typed.get(name) is not None), None)
    if whole:
        raise InputError(f"--photo and {whole} go not together: where the whole text is here, the checks read that; drop one")
    return two_sentences(sentences, of="--photo")


def two_sentences(sentences: Sequence[str], *, of: str) -> str:
    """Return the two *sentences* of a note that a photo shows, one on each line, as the checks read them.

    Raises
    ------
    InputError
        When they are not two, which the option *of* needs.
    """
    if len(sentences) != 2:
        raise InputError(
            f"{of} needs --sentence twice, and it is here {len(sentences)} times: give the sentence with something "
            "personal, and the one that says that you will call"
        )
    # As in the note: a greeting is looked for at the beginning.
    in_order = sorted((" ".join(sentence.split()) for sentence in sentences), key=lambda sentence: not greeted(sentence))
    return "\n".join(in_order)


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """A photo that was written to a file."""

    path: str
    kind: str
    bytes: int
    event: int
    """The version of the event that says that the note was sent."""
    sentences: tuple[str, ...]
    """The two that were typed beside it."""


@click.command("note-photo")
@click.argument("lead")
@click.option("-o", "--output", required=True, metavar="FILE", type=click.Path(path_type=Path), help="The file to write.")
@click.option("--event", "version", type=click.IntRange(1), help="Of which note, by its event as `thaw history` counts them.")
@click.option("--force", is_flag=True, help="Replace FILE if it is there.")
@json_option
@pass_app
def note_photo(app: App, lead: str, output: Path, version: int | None, force: bool, as_json: bool) -> None:
    """Write the photo of the newest note to LEAD to a file.

    It is the file that was given with `thaw note-sent --photo`, byte for byte. Only its owner may read it.
    """
    with typed_errors(), transaction(app.service.engine) as connection:
        found = find_lead(connection, lead)
        event, note = _note(connection, found, version)
        photo, sentences = _photo(connection, found, note)
    _write(output, photo.content, force=force)
    if as_json:
        app.print_json(Given(path=str(output), kind=photo.kind, bytes=len(photo.content), event=event, sentences=sentences))
    else:
        click.echo(f"{plain(str(output))}: {photo.kind}, {len(photo.content):,} bytes, of the note of event {event}")


def _note(connection: Connection, found: Found, version: int | None) -> tuple[int, NoteSent]:
    for row in reversed(list(events.read_stream(connection, found.lead.id))):
        if row.type == "note_sent" and version in (None, row.version):
            data = decode_recorded(row.body.encode()).data
            if isinstance(data, NoteSent) and data.photo:
                return row.version, data
    of = f"event {version} of {found.name} is" if version else f"no note to {found.name} was recorded"
    raise InputError(f"{of} {'no note ' if version else ''}with a photo; `thaw history` lists what was sent")


def _photo(connection: Connection, found: Found, note: NoteSent) -> tuple[Photo, tuple[str, ...]]:
    if not texts.are_open(connection):
        raise InputError("this login may not read texts, and so no photos")
    kept = [each.document_id for each in (note.photo, note.text) if each]
    bodies = contacts.find_documents(connection, kept)
    if kept[0] not in bodies:
        raise InputError(f"the photo of the note to {found.name} is gone; `thaw verify` says whether it was erased")
    try:
        return photo_in(bodies[kept[0]]), tuple(bodies.get(kept[1], "").splitlines())
    except PhotoError as error:
        raise InputError(f"document {kept[0]}: {error}; run `thaw verify`") from error


def _write(path: Path, content: bytes, *, force: bool) -> None:
    """Write *content* to *path*, all of it or nothing."""
    if path.is_dir():
        raise InputError(f"{plain(str(path))} is a folder; name a file in it")
    if path.exists() and not force:
        raise InputError(f"{plain(str(path))} is there already; --force replaces it")
    try:
        handle, waiting = tempfile.mkstemp(dir=path.parent, prefix=".note-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            Path(waiting).replace(path)
        except OSError:
            Path(waiting).unlink(missing_ok=True)
            raise
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise InputError(f"{plain(str(path))} cannot be written: {why}") from error


COMMANDS = (note_photo,)
