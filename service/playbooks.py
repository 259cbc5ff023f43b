"""The playbooks that ship with Thaw."""

from importlib.resources import files

from migrations.runner import Migrator
from models import operations
from models.database import Engine, transaction
from models.playbooks import publish
from workflows.operations import PlaybookPublished
from workflows.playbooks import Playbook, parse_playbook


def shipped_playbooks() -> list[Playbook]:
    """Return the shipped playbooks, by file name."""
    folder = files("workflows") / "shipped"
    return [parse_playbook(path.read_text()) for path in sorted(folder.iterdir(), key=str) if path.name.endswith(".toml")]


def publish_shipped(engine: Engine, recorded: Migrator | None = None) -> None:
    """Publish those that are not published yet; the log says so where *recorded* says who did it."""
    with transaction(engine) as connection:
        new = [playbook for playbook in shipped_playbooks() if publish(connection, playbook)]
        if recorded:
            for pin in (playbook.pin for playbook in new):
                done = PlaybookPublished(playbook=pin.id, version=pin.version, digest=pin.digest)
                operations.append(connection, done, now=recorded.now, by=recorded.by)
