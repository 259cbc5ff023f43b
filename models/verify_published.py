"""Is what is in force what the log says was published? Wordings and playbooks against their publications, and calendars
against the events that froze them.

That a body has its digest, and that what events name is kept, `models.verify_beside` says of wordings and playbooks. A new
database begins with an empty log, so that no event says of the release that it was made by what that brought: one text of each
name may be unsaid, and is known by this release that brings it, too, or by a later one of which an event says that it came.
"""

from collections.abc import Collection, Iterator
from itertools import chain, groupby, islice
from operator import attrgetter
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import Connection, Row, text

from models.database import take_as_long_as_needed
from models.findings import Finding
from workflows.playbooks import Playbook, decode_playbook
from workflows.service_stream import SERVICE_ID
from workflows.wordings import Wording


class Release(NamedTuple):
    """What comes with this release."""

    wordings: Collection[Wording]
    playbooks: Collection[Playbook]


def verify_published(
    connection: Connection, release: Release, *, streams: Collection[UUID] | None = None, most: int = 20
) -> list[Finding]:
    """Return what is in force otherwise than the log says, up to *most* findings of each kind.

    With *streams* calendars are held against the events in these only; nothing else is left out. Run it in a REPEATABLE READ
    transaction, so that all tables are seen at one moment.
    """
    # More than these are never unsaid in an honest house.
    values = {
        "service": SERVICE_ID,
        "ids": None if streams is None else list(streams),
        "most": most + len(release.wordings) + len(release.playbooks),
    }
    take_as_long_as_needed(connection)
    kinds = (
        chain(_unsaid_wordings(connection, values, release), _lacking(connection, release)),
        _order(connection, values),
        _unsaid_playbooks(connection, values, release),
        _calendars(connection, values),
    )
    # The same text may stand there twice.
    return [finding for kind in kinds for finding in islice(dict.fromkeys(kind), most)]


def first_published(connection: Connection) -> dict[tuple[str, str], int]:
    """Return by name and digest the position at which each wording was published first; 0 for what was there before the log."""
    rows = connection.execute(text(_FIRST), {"service": SERVICE_ID})
    return {(row.name, row.digest): row.position for row in rows}


def _unsaid_wordings(connection: Connection, values: dict[str, Any], release: Release) -> Iterator[Finding]:
    """Yield wordings of which no event says that they were published, the team's own and those of no known release."""
    brought = {(each.name, each.digest) for each in release.wordings}
    rows = connection.execute(text(_UNSAID_WORDINGS), values)
    for (name, shipped), unsaid in groupby(rows, key=attrgetter("name", "shipped")):
        of_one = list(unsaid)
        for row in of_one:
            called = f"the wording {name} with the digest {row.digest}"
            if not shipped:
                sentence = f"{called} stands among the team's own, and no event says that it was published"
                yield Finding("wording_unpublished", None, None, sentence)
            elif (name, row.digest) not in brought and not (len(of_one) == 1 and row.superseded):
                sentence = f"{called} stands among those of releases; this one brings another, and no event says that it came"
                yield Finding("wording_unpublished", None, None, sentence)


def _lacking(connection: Connection, release: Release) -> Iterator[Finding]:
    """Yield the wordings of this release that are not kept, which may have others in force."""
    for wording in release.wordings:
        asked = "SELECT 1 FROM wordings WHERE shipped AND (name, digest) = (:name, :digest)"
        if not connection.scalar(text(asked), {"name": wording.name, "digest": wording.digest}):
            sentence = (
                f"the wording {wording.name} of this release, with the digest {wording.digest}, is not kept: it was taken "
                "away, unless `thaw migrate` was never run with this release"
            )
            yield Finding("wording_missing", None, None, sentence)


def _order(connection: Connection, values: dict[str, Any]) -> Iterator[Finding]:
    """Yield, of each name, the first publication that is another in the table than in the log: the last one is in force."""
    for row in connection.execute(text(_ORDER), values):
        whose = "the team's own publications" if row.team else "the publications of releases"
        table, log = row.kept or "none", row.said or "none"
        about = f"{_event(row)}: " if row.position else ""
        sentence = f"{about}of {whose} of the wording {row.name}, number {row.n} is {log} by the log, and {table} by the table"
        yield Finding("wording_differs", row.position, SERVICE_ID if row.position else None, sentence)


def _unsaid_playbooks(connection: Connection, values: dict[str, Any], release: Release) -> Iterator[Finding]:
    """Yield playbooks of which no event says that they were published, and which came with no known release."""
    brought = {each.id: each for each in release.playbooks}
    rows = connection.execute(text(_UNSAID_PLAYBOOKS), values)
    for id_, unsaid in groupby(rows, key=attrgetter("id")):
        of_one = list(unsaid)
        for row in of_one:
            if not _came(row, brought.get(id_), alone=len(of_one) == 1):
                sentence = f"no event says that the playbook {id_}@{row.version} with the digest {row.digest} was published"
                yield Finding("playbook_unpublished", None, None, sentence)


def _came(row: Row[Any], brought: Playbook | None, *, alone: bool) -> bool:
    """Tell whether a playbook is that of a release: what is *brought* now, or the first of all, before what came since."""
    try:
        playbook = decode_playbook(row.body)
    except (msgspec.DecodeError, RecursionError):
        return False
    if brought is None or playbook == brought:
        return brought is not None
    return alone and brought.version in row.said and _numbers(playbook) < _numbers(brought)


def _numbers(playbook: Playbook) -> list[int]:
    return [int(part) for part in playbook.version.split(".")]


def _calendars(connection: Connection, values: dict[str, Any]) -> Iterator[Finding]:
    """Yield calendars that are not as they were frozen, are gone, or that no event froze."""
    for row in connection.execute(text(_CALENDARS), values):
        about = f"{_event(row)}: " if row.position else ""
        sentence = f"{about}the calendar {row.digest} {_CALENDAR[row.wrong]}"
        yield Finding("calendar_differs", row.position, row.stream_id, sentence)


def _event(row: Row[Any]) -> str:
    return f"event {row.position} ({row.type}, version {row.version} of {row.stream_id})"


# Every publication of a wording in the log. Bodies are searched and not parsed: they may be anything here. What the team
# publishes somebody approved.
_SAID = """
    WITH said AS (
        SELECT position, type, version, stream_id, part[2] AS name, part[1] AS digest,
               strpos(body, '"approved_by":"') > 0 AS team
          FROM events, regexp_matches(body, '"digest":"([0-9a-f]{64})","type":"wording_published","wording":"([^"]*)"') AS part
         WHERE type = 'wording_published' AND stream_id = :service
    )
"""

_FIRST = f"""
    {_SAID}
    SELECT name, digest, min(position) AS position
      FROM (SELECT name, digest, position FROM said
             UNION ALL
            SELECT name, digest, 0 FROM wordings
             WHERE shipped AND (name, digest) NOT IN (SELECT name, digest FROM said WHERE NOT team)) AS each
     GROUP BY name, digest
"""

_UNSAID_WORDINGS = f"""
    {_SAID}, kept AS (
        SELECT number, name, digest, shipped, (name, digest, NOT shipped) IN (SELECT name, digest, team FROM said) AS is_said
          FROM wordings
    )
    SELECT name, digest, shipped,
           EXISTS (SELECT 1 FROM kept AS newer
                    WHERE newer.name = kept.name AND newer.shipped AND newer.is_said AND newer.number > kept.number
                  ) AS superseded
      FROM kept WHERE NOT is_said ORDER BY name, shipped, number LIMIT :most
"""

# What one side alone has is told elsewhere, unless the other has it under that name once less.
_ORDER = f"""
    {_SAID}, logged AS (
        SELECT *, row_number() OVER (PARTITION BY name, team ORDER BY position) AS n
          FROM said WHERE digest IN (SELECT digest FROM wordings)
    ), kept AS (
        SELECT name, digest, NOT shipped AS team, row_number() OVER (PARTITION BY name, shipped ORDER BY number) AS n
          FROM wordings WHERE (name, digest, NOT shipped) IN (SELECT name, digest, team FROM said)
    )
    SELECT DISTINCT ON (name, team) name, team, n, position, type, version, stream_id,
           logged.digest AS said, kept.digest AS kept
      FROM logged FULL JOIN kept USING (name, team, n)
     WHERE logged.digest IS DISTINCT FROM kept.digest ORDER BY name, team, n LIMIT :most
"""

_UNSAID_PLAYBOOKS = """
    WITH said AS (
        SELECT part[1] AS digest, part[2] AS id, part[3] AS version
          FROM events, regexp_matches(body,
               '"digest":"([0-9a-f]{64})","playbook":"([^"]*)","type":"playbook_published","version":"([^"]*)"') AS part
         WHERE type = 'playbook_published' AND stream_id = :service
    )
    SELECT id, version, digest, body, ARRAY(SELECT said.version FROM said WHERE said.id = playbooks.id) AS said
      FROM playbooks WHERE (digest, id, version) NOT IN (SELECT digest, id, version FROM said)
     ORDER BY id, version LIMIT :most
"""

#: By what is wrong with a calendar: how to say it.
_CALENDAR = {
    "differs": "is not the one that was frozen: its digest differs",
    "gone": "that it froze is not kept",
    "unsaid": "was never frozen: no event names it",
}

# Every calendar that is kept, with the first event that froze it.
_CALENDARS = """
    SELECT * FROM (
        SELECT e.position, e.type, e.version, e.stream_id, coalesce(e.digest, c.digest) AS digest,
               CASE WHEN c.digest IS NULL THEN 'gone'
                    WHEN encode(sha256(convert_to(c.body, 'UTF8')), 'hex') <> c.digest THEN 'differs'
                    WHEN e.digest IS NULL AND CAST(:ids AS uuid[]) IS NULL THEN 'unsaid' END AS wrong
          FROM calendars c FULL JOIN (
                SELECT DISTINCT ON (part[1]) position, type, version, stream_id, part[1] AS digest
                  FROM events, regexp_matches(body,
                       '"digest":"([0-9a-f]{64})",(?:"layers":.*,)?"playbook":"[^"]*","rep":') AS part
                 WHERE type = 'calendar_frozen' AND (CAST(:ids AS uuid[]) IS NULL OR stream_id = ANY(:ids))
                 ORDER BY part[1], position
               ) AS e USING (digest)
    ) AS found
     WHERE wrong IS NOT NULL ORDER BY position, digest LIMIT :most
"""
