"""The fixtures of the tests of mail."""

from tests.service.mail.office import given_up, office, server
from tests.service.world import database_template, quiet_logs, world

__all__ = ["database_template", "given_up", "office", "quiet_logs", "server", "world"]
