"""Is the log whole, and is it the one that was signed?"""

from operator import attrgetter
from pathlib import Path

import click
import msgspec

from models import views
from models.contacts import are_open
from models.findings import Finding
from models.verify import verify as verify_log
from models.verify_beside import verify_beside
from models.verify_published import verify_published
from models.verify_schema import verify_schema
from models.verify_since import verify_since
from models.verify_tree import verify_tree
from service.cli.app import REFUSED, App, InputError, json_option, pass_app
from service.cli.ops import progress_bar
from service.evidence import EvidenceError, known_keys, opener, read_notes, sent
from service.playbooks import this_release
from service.verifiers import verifiers
from service.wording import count, plain
from workflows.notes import Checkpoint, VerifierKey

#: So much of what is wrong is printed; `--json` has all of it.
SENTENCE_CHARACTERS = 1_000


class VerifiedShown(msgspec.Struct, frozen=True, kw_only=True):
    """What ``thaw verify --json`` prints."""

    whole: bool
    events: int
    streams: int
    """Streams that were folded and compared with what stands beside them; with ``--since`` those that went on behind it."""
    checkpoints: int
    newest_checkpoint: int
    """How many events it commits to, 0 when there is none."""
    signatures_checked: bool
    """False when no public key is known."""
    since: int | None
    """Events up to here were compared with the note that was given; streams without an event behind it with nothing else."""
    texts_checked: bool
    """False where texts are closed to this login. With ``--since`` those of the streams that went on."""
    findings: tuple["FindingShown", ...]
    """The first wrong event first."""
    read: bool = True
    """False where the tables are not those that the migrations made, so that nothing in them was compared."""


class FindingShown(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong."""

    code: str
    sentence: str
    position: int | None
    """Of the event in the log, where it is about one."""
    stream_id: str | None


@click.command()
@click.option(
    "--since", "since", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A checkpoint, or a file of them, that was kept elsewhere: check that the log still holds what it commits to, and "
    "all else only for the streams that have an event behind it.",
)  # fmt: skip
@click.option("--key", "keys", multiple=True, help="A public key as `thaw keys show` prints it; may be given several times.")
@click.option(
    "--processes", type=click.IntRange(1, 64),
    help="So many processes read the streams, each with a session of its own on PostgreSQL. Usually one reads a short log, and "
    "as many as there are processors a long one, 8 at most.",
)  # fmt: skip
@json_option
@pass_app
@click.pass_context
def verify(
    ctx: click.Context, app: App, since: Path | None, keys: tuple[str, ...], processes: int | None, as_json: bool
) -> None:
    """Check that nobody altered the log, that it is the one that was signed, and that leads, slots and timers follow.

    So do the messages, playbooks and texts beside it. Every hash is worked out again from the events themselves. Exit status
    1 when something is wrong.
    """
    if since and processes:
        raise InputError("--processes is for the whole log; --since reads the streams that went on behind a checkpoint")
    try:
        known = known_keys(app.settings, keys)
        outside = read_notes(since, known) if since else sent(app.settings, known)
    except EvidenceError as error:
        raise InputError(str(error)) from error
    behind = max(note.size for note in outside) if since else None
    shown = _verified(app, known, outside, behind=behind, processes=1 if since else processes)
    if as_json:
        app.print_json(shown)
    else:
        _print(shown)
    if not shown.whole:
        ctx.exit(REFUSED)


def _verified(
    app: App, known: list[VerifierKey], outside: list[Checkpoint], *, behind: int | None, processes: int | None
) -> VerifiedShown:
    findings: list[Finding] = []
    events = streams = 0
    texts = False
    with views.snapshot(app.unguarded.engine) as connection:
        schema = verify_schema(connection)
        if schema.shape:
            return _unread(schema.shape, behind)
    with views.snapshot(app.unguarded.engine) as connection, verifiers(connection, processes) as parts:
        # What is done here is done beside what others do meanwhile, who are waited for last.
        with progress_bar(connection, "comparing with what was signed") as progress:
            tree = verify_tree(connection, open_note=opener(known), outside=outside, since=behind, progress=progress)
        if behind is None:
            findings = [*verify_beside(connection), *verify_published(connection, this_release())]
            with progress_bar(connection, "verifying") as progress:
                log = verify_log(connection, progress=progress, parts=parts)
            findings, events, streams = [*log.findings, *findings], log.events, log.streams
        else:
            with progress_bar(connection, "verifying what came since") as progress:
                log_since = verify_since(connection, behind, progress=progress)
            findings = [*log_since.findings, *verify_beside(connection, streams=log_since.streams)]
            findings += verify_published(connection, this_release(), streams=log_since.streams)
            streams = len(log_since.streams)
        texts = are_open(connection)
    findings = sorted([*schema.guards, *findings, *tree.findings], key=attrgetter("place"))
    return VerifiedShown(
        whole=not findings,
        events=events or tree.events,
        streams=streams,
        checkpoints=tree.checkpoints,
        newest_checkpoint=tree.newest,
        signatures_checked=bool(known),
        since=behind,
        texts_checked=texts,
        findings=tuple(_shown(finding) for finding in findings),
    )


def _unread(findings: list[Finding], behind: int | None) -> VerifiedShown:
    """Return what there is to say where the tables are other ones, and none of them was read."""
    return VerifiedShown(
        whole=False,
        events=0,
        streams=0,
        checkpoints=0,
        newest_checkpoint=0,
        signatures_checked=False,
        since=behind,
        texts_checked=False,
        findings=tuple(_shown(finding) for finding in findings),
        read=False,
    )


def _shown(found: Finding) -> FindingShown:
    stream_id = str(found.stream_id) if found.stream_id else None
    return FindingShown(code=found.code, sentence=found.sentence, position=found.position, stream_id=stream_id)


def _print(shown: VerifiedShown) -> None:
    for finding in shown.findings:
        # Columns may hold anything, and what a terminal obeys could paint a verdict of its own.
        click.echo(f"WRONG  {plain(finding.sentence, SENTENCE_CHARACTERS)} [{finding.code}]")
    if not shown.read:
        click.echo("nothing else was compared: these are not the tables that the migrations made. Something is wrong")
        return
    if shown.checkpoints:
        trust = "" if shown.signatures_checked else "; signatures were not checked: no public key is known here"
        newest = f"the newest over {count(shown.newest_checkpoint, 'event')}"
        click.echo(f"{count(shown.checkpoints, 'checkpoint')}, {newest}{trust}")
    else:
        click.echo("nothing is signed, so a log that was rewritten as a whole would not be found: `thaw keys init`", err=True)
    if not shown.texts_checked:
        click.echo("texts were not held against their commitments: they are closed to this login")
    verdict = "nothing is wrong" if shown.whole else "something is wrong"
    whole = f"{count(shown.events, 'event')} in {count(shown.streams, 'stream')}"
    behind = (
        f"{count(shown.events, 'event')}, one by one in the {count(shown.streams, 'stream')} that went on behind {shown.since}"
    )
    if shown.since is not None:
        click.echo(
            "not compared: columns, rows, slots, timers, calendars, messages and texts of streams without an event behind "
            f"{shown.since}; `thaw verify` compares all"
        )
    click.echo(f"{whole if shown.since is None else behind}: {verdict}")


COMMANDS = (verify,)
