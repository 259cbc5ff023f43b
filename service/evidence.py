"""What a verification may hold against the database: the public keys that are known here, and notes that lie outside it."""

from collections.abc import Sequence
from pathlib import Path

from models.verify_tree import OpenNote
from service.destinations import FileDestination
from service.keys import KeyFiles, opened
from service.settings import Settings
from service.wording import plain
from workflows.notes import Checkpoint, NoteError, VerifierKey, parse_key, split_notes


class EvidenceError(Exception):
    """A key or a note that was given is not one, or cannot be checked; the message says which and why."""


def known_keys(settings: Settings, given: Sequence[str]) -> list[VerifierKey]:
    """Return the public keys that ever signed on this machine, and those *given*, as ``thaw keys show`` prints them.

    Raises
    ------
    EvidenceError
        When one of *given* is none.
    KeyFileError
        When the file of those known here is damaged.
    """
    return list(dict.fromkeys([*KeyFiles(settings).known(), *map(_given, given)]))


def _given(key: str) -> VerifierKey:
    try:
        return parse_key(key.strip())
    except NoteError as error:
        raise EvidenceError(
            f"--key {plain(key, 80)}: {error}; give a whole line as `thaw keys show` prints it, name+id+base64"
        ) from error


def opener(known: list[VerifierKey]) -> OpenNote | None:
    """Return what opens notes signed by *known* keys; None when there are none, and signatures cannot be checked."""
    return (lambda raw: opened(raw, known)) if known else None


def read_notes(path: Path, known: list[VerifierKey]) -> list[Checkpoint]:
    """Return the checkpoints in the file at *path*, which holds one note or many, in their order.

    Raises
    ------
    EvidenceError
        When it holds none, or one that no known key signed.
    """
    if not known:
        raise EvidenceError("no public key is known here: name it with --key, as `thaw keys show` prints it")
    try:
        return [opened(note, known) for note in notes_in(path)]
    except NoteError as error:
        raise EvidenceError(f"{path} holds what is no checkpoint of this log: {error}") from error


def notes_in(path: Path) -> list[str]:
    """Return the notes in the file at *path*, whose last line may have lost its end on the way here.

    Raises
    ------
    EvidenceError
        When it holds none, or is no text.
    """
    try:
        held = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise EvidenceError(f"{path} is no text, and so no checkpoint; is it the right file?") from error
    notes = split_notes(held if held.endswith("\n") else f"{held}\n")
    if not notes:
        raise EvidenceError(f"{path} holds no checkpoint")
    return notes


def sent(settings: Settings, known: list[VerifierKey]) -> list[Checkpoint]:
    """Return the newest checkpoint in the file to which they are sent, where there is such a file and a known key.

    Raises
    ------
    EvidenceError
        When the file's newest note is not signed by a known key.
    """
    note = FileDestination(Path(settings.checkpoint_file).expanduser()).newest() if settings.checkpoint_file and known else None
    try:
        return [opened(note, known)] if note else []
    except NoteError as error:
        raise EvidenceError(f"{settings.checkpoint_file} ends with what is no checkpoint of this log: {error}") from error
