"""Playbooks in the house: those that ship with Thaw, and reading one from a file."""

from datetime import datetime
from importlib.resources import files

import msgspec

from migrations.runner import Migrator
from models import operations, wordings
from models.database import Connection, Engine, transaction
from models.playbooks import find_published, publish
from models.verify_published import Release
from service.wordings import record_wording, shipped_wordings
from workflows.operations import PlaybookPublished
from workflows.playbook_text import Source, read_playbook
from workflows.playbooks import Playbook


def shipped_playbooks() -> dict[str, tuple[Playbook, str]]:
    """Return the shipped playbooks with their texts, by id; each after those that it extends."""
    folder = files("workflows") / "shipped"
    texts = {path.name.removesuffix(".toml"): path.read_text() for path in folder.iterdir() if path.name.endswith(".toml")}
    read: dict[str, tuple[Playbook, str]] = {}

    def find(named: str) -> Source | None:
        id_ = named.partition("@")[0]
        if id_ not in texts:
            return None
        playbook, text = read.get(id_) or (read_playbook(texts[id_], find), texts[id_])
        read[id_] = playbook, text
        exactly = f"{playbook.id}@{playbook.version}"
        return Source(exactly, text) if named in (id_, exactly) else None

    for id_ in sorted(texts):
        find(id_)
    return read


def this_release() -> Release:
    """Return what comes with this release."""
    return Release(shipped_wordings(), [playbook for playbook, _ in shipped_playbooks().values()])


def read_beside_published(connection: Connection, text: str) -> Playbook:
    """Return the playbook in *text*, which may extend published ones; raises as `read_playbook` does."""

    def find(named: str) -> Source | None:
        published = find_published(connection, named)
        return Source(f"{published.id}@{published.version}", published.source) if published and published.source else None

    return read_playbook(text, find)


def read_beside_shipped(text: str) -> Playbook:
    """Return the playbook in *text*, which may extend shipped ones; raises as `read_playbook` does."""
    shipped = shipped_playbooks()

    def find(named: str) -> Source | None:
        playbook, source = shipped.get(named.partition("@")[0], (None, ""))
        exactly = f"{playbook.id}@{playbook.version}" if playbook else ""
        return Source(exactly, source) if playbook and named in (playbook.id, exactly) else None

    return read_playbook(text, find)


def publish_shipped(engine: Engine, recorded: Migrator | None = None) -> None:
    """Publish what is not published yet, wordings too; the log says so where *recorded* says who did it."""
    with transaction(engine) as connection:
        for wording in shipped_wordings():
            if wordings.publish(connection, wording, shipped=True) and recorded:
                record_wording(connection, wording, now=recorded.now, by=recorded.by)
        for playbook, text in shipped_playbooks().values():
            if publish(connection, playbook, text) and recorded:
                record_published(connection, playbook, now=recorded.now, by=recorded.by)


def record_published(
    connection: Connection, playbook: Playbook, *, now: datetime, by: str, approved_by: str | None = None
) -> None:
    """Say in the log that *playbook* may be pinned from now on, and which second person approved it."""
    pin = playbook.pin
    done = PlaybookPublished(
        playbook=pin.id,
        version=pin.version,
        digest=pin.digest,
        approved_by=msgspec.UNSET if approved_by is None else approved_by,
    )
    operations.append(connection, done, now=now, by=by)
