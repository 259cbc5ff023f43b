"""The broker as we run it. Importing this module opens no connection; `connect` points it at a Redis.

Redis only rings the bell here (docs/architecture.md), so everything that Dramatiq would keep in it for correctness is switched
off: no delays, no retries, no results, no callbacks.
"""

import dramatiq
import redis
from dramatiq.middleware import CurrentMessage, Retries, ShutdownNotifications, TimeLimit
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry

from actors.acks import Broker
from actors.correlation import Correlation
from actors.watchdog import Watchdog

QUEUE = "transitions"

#: Of what talks to the world.
DELIVERIES_QUEUE = "deliveries"

#: A transition takes milliseconds and PostgreSQL's own timeouts end a stuck one; this is the last resort, in milliseconds.
TIME_LIMIT_MS = 120_000

#: Above the most worker threads that a setting allows, and what else of a process talks to Redis.
MAX_CONNECTIONS = 512

#: Dead copies on Redis are no record (the row is), so they need not stay long, in milliseconds.
DEAD_COPY_TTL_MS = 3_600_000


def redis_client(url: str) -> redis.Redis:
    """Return a client for *url* that bridges a short loss by itself and never hangs; nothing is connected yet."""
    return redis.Redis.from_url(
        url,
        retry=Retry(ExponentialWithJitterBackoff(base=0.01, cap=0.5), 3),
        retry_on_error=[RedisConnectionError, RedisTimeoutError],
        socket_timeout=5,
        socket_connect_timeout=5,
        health_check_interval=15,
        # Every thread that acknowledges has a connection of its own for that moment; redis-py 8 alone would stop at 100.
        max_connections=MAX_CONNECTIONS,
    )


#: One per process; `actors.runtime` tells it what else to look at.
watchdog = Watchdog()


def _make_broker() -> Broker:
    return Broker(
        client=redis.Redis(),
        # A worker that died is noticed after 20 s, and one in ten commands looks, instead of one in a thousand.
        heartbeat_timeout=20_000,
        maintenance_chance=100_000,
        dead_message_ttl=DEAD_COPY_TTL_MS,
        middleware=[
            TimeLimit(time_limit=TIME_LIMIT_MS),
            ShutdownNotifications(),
            Retries(max_retries=0),
            CurrentMessage(),
            Correlation(),
            watchdog,
        ],
    )


broker = _make_broker()
dramatiq.set_broker(broker)


def connect(url: str, namespace: str) -> redis.Redis:
    """Point the broker at the Redis at *url*, with *namespace* before each of its keys, and return its client."""
    client = redis_client(url)
    broker.client = client
    broker.namespace = namespace
    for script in broker.scripts.values():
        script.registered_client = client
    return client
