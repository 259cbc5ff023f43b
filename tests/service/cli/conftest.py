"""The service that the tests of the command line work with."""

from tests.service.world import database_template, quiet_logs, world

__all__ = ["database_template", "quiet_logs", "world"]
