"""Which process this is, as the rows of ``messages`` name who had them in hand."""

import os
import socket
from functools import cache


def this_process() -> str:
    """Return ``host:pid``. Asked for anew each time: a process may have been forked since."""
    return f"{_host()}:{os.getpid()}"


@cache
def _host() -> str:
    return socket.gethostname()
