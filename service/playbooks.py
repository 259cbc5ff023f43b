"""The playbooks that ship with Thaw."""

from importlib.resources import files

from models.database import Engine, transaction
from models.playbooks import publish
from workflows.playbooks import Playbook, parse_playbook


def shipped_playbooks() -> list[Playbook]:
    """Return the shipped playbooks, by file name."""
    folder = files("workflows") / "shipped"
    return [parse_playbook(path.read_text()) for path in sorted(folder.iterdir(), key=str) if path.name.endswith(".toml")]


def publish_shipped(engine: Engine) -> None:
    """Publish those that are not published yet."""
    with transaction(engine) as connection:
        for playbook in shipped_playbooks():
            publish(connection, playbook)
