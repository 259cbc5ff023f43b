"""The service that the tests of the import work with, and small files to import."""

from tests.service.imports.office import office
from tests.service.world import quiet_logs, world

__all__ = ["office", "quiet_logs", "world"]
