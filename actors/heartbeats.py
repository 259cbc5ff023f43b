"""Which worker processes are alive, as the heartbeats say that Dramatiq keeps on Redis."""

import time

import redis

from actors.bell import BellUnavailableError
from actors.broker import broker

#: Dramatiq's ``dispatch.lua`` keeps one member per consuming process here, scored with its last command in milliseconds.
_KEY = "__heartbeats__"


def workers_alive() -> int:
    """Return how many worker processes fetched or acknowledged anything within the broker's heartbeat timeout.

    Raises
    ------
    BellUnavailableError
        When Redis is away.
    """
    since = time.time() * 1000 - broker.heartbeat_timeout
    try:
        return int(broker.client.zcount(f"{broker.namespace}:{_KEY}", since, "+inf"))
    except redis.RedisError as error:
        raise BellUnavailableError(f"Redis is not reachable: {error}") from error
