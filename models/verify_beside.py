"""Is what stands beside the log what the log says? Texts against their commitments, playbooks against their digests, messages
against events, and by them the two halves of a merge against each other.

The projections are `models.verify`'s matter. What is here cannot be made again from the log: texts are only committed to in it,
a playbook is only named by its digest, and a message keeps what the log does not, such as that it was never applied.
"""

import hashlib
from collections.abc import Collection, Iterator
from itertools import islice
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Connection, text

from models.contacts import are_open
from models.database import take_as_long_as_needed
from models.findings import Finding, finding_of
from models.verify_merges import verify_merges
from models.verify_messages import verify_messages
from models.verify_published import first_published
from workflows.codec import canonical, digest
from workflows.playbooks import decode_playbook
from workflows.service_stream import SERVICE_ID

#: So many contacts are read at a time.
PAGE_ROWS = 1_000


def verify_beside(connection: Connection, *, streams: Collection[UUID] | None = None, most: int = 20) -> list[Finding]:
    """Return what is wrong beside the log, up to *most* findings of each statement.

    With *streams* only what belongs to these is held against the log, and all playbooks that are kept. Texts are left out where
    they are closed to this login. Run it in a REPEATABLE READ transaction, so that all tables are seen at one moment.
    """
    values = {"service": SERVICE_ID, "most": most, "ids": None if streams is None else list(streams)}
    take_as_long_as_needed(connection)
    found = [*_playbooks(connection, values), *_wordings(connection, values)]
    found += verify_messages(connection, values)
    found += islice(verify_merges(connection, streams), most)
    if are_open(connection):
        found += _texts(connection, values)
    return found


def _playbooks(connection: Connection, values: dict[str, Any]) -> Iterator[Finding]:
    """Hold published playbooks against their digests, and against those that the log names."""
    kept: dict[str, str] = {}
    ids: dict[str, str] = {}
    for row in connection.execute(text("SELECT digest, id, version, body FROM playbooks ORDER BY id, version")):
        named = f"{row.id}@{row.version}"
        kept[named] = row.digest
        ids[row.digest] = row.id
        if digest(row.body.encode()) != row.digest or not _says(row.body, row.id, row.version):
            yield Finding(
                "playbook_differs", None, None, f"the playbook {named} is not the one that was published: its digest differs"
            )
    for pin in connection.execute(text(_PINS), values).mappings():
        if pin["digest"] != kept.get(pin["playbook"]):
            what = "another is kept under that name" if pin["playbook"] in kept else "none is kept under that name"
            sentence = f"it names the playbook {{playbook}} with the digest {{digest}}, and {what}"
            yield finding_of("playbook_differs", pin, sentence)
    for rests in connection.execute(text(_RESTING), values).mappings():
        known = ids.get(rests["digest"])
        if known is None or known != (rests["playbook"] or known):
            what = "none is kept with that digest" if known is None else f"that is the digest of {known}"
            of = " {playbook}" if rests["playbook"] else ""
            yield finding_of("playbook_differs", rests, f"it rests on the playbook{of} with the digest {{digest}}, and {what}")


def _wordings(connection: Connection, values: dict[str, Any]) -> Iterator[Finding]:
    """Hold published wordings against their digests, and against those that were published and that words were checked by."""
    kept: set[str] = set()
    for row in connection.execute(text("SELECT digest, name, body FROM wordings ORDER BY number")):
        kept.add(row.digest)
        if digest(row.body.encode()) != row.digest:
            sentence = f"the wording {row.name} is not the one that was published: its digest differs"
            yield Finding("wording_differs", None, None, sentence)
    published = first_published(connection)
    for named in connection.execute(text(_WORDINGS), values).mappings():
        if named["digest"] not in kept:
            yield finding_of(
                "wording_differs", named, "it names the wording {wording} with the digest {digest}, and none is kept"
            )
        elif named["position"] < published.get((named["wording"], named["digest"]), named["position"] + 1):
            sentence = (
                "it names the wording {wording} with the digest {digest}, which was not published under that name by then"
            )
            yield finding_of("wording_differs", named, sentence)


def _says(body: str, id_: str, version: str) -> bool:
    try:
        playbook = decode_playbook(body)
    except (msgspec.DecodeError, RecursionError):
        return False
    return (playbook.id, playbook.version) == (id_, version)


# The first event that names each playbook, and each that says that one was published. Bodies are searched and not parsed: they
# may be anything here.
_PINS = """
    SELECT e.position, e.type, e.version, e.stream_id, e.playbook,
           substring(e.body from '"playbook":\\{"digest":"([0-9a-f]{64})"') AS digest
      FROM (SELECT min(position) AS position FROM events
             WHERE playbook IS NOT NULL AND (CAST(:ids AS uuid[]) IS NULL OR stream_id = ANY(:ids)) GROUP BY playbook) AS first
      JOIN events e USING (position)
     UNION ALL
    SELECT position, type, version, stream_id, said[2] || '@' || said[3], said[1]
      FROM events, regexp_matches(body,
           '"digest":"([0-9a-f]{64})","playbook":"([^"]*)","type":"playbook_published","version":"([^"]*)"') AS said
     WHERE type = 'playbook_published' AND (CAST(:ids AS uuid[]) IS NULL OR stream_id = ANY(:ids))
     ORDER BY 1
"""

# The first event that rests on each playbook beside its own: below what a team and a rep do otherwise, and those that the owner
# and the colleague who calls follow.
_RESTING = """
    SELECT * FROM (
        SELECT DISTINCT ON (left(part, 64)) position, type, version, stream_id, NULL AS playbook, left(part, 64) AS digest
          FROM events, string_to_table(body, '"followed":"') WITH ORDINALITY AS said(part, number)
         WHERE strpos(body, '"followed":"') > 0 AND number > 1 AND left(part, 64) ~ '^[0-9a-f]{64}$'
           AND (CAST(:ids AS uuid[]) IS NULL OR stream_id = ANY(:ids))
         ORDER BY left(part, 64), position
    ) AS followed
     UNION ALL
    SELECT position, type, version, stream_id, said[1], said[2]
      FROM events, regexp_matches(body, '"layers":\\{"base":"([^"]*)","digest":"([0-9a-f]{64})"') AS said
     WHERE type = 'calendar_frozen' AND (CAST(:ids AS uuid[]) IS NULL OR stream_id = ANY(:ids))
     ORDER BY 1
"""

# The first event that names each wording: those by which words were checked, and those that say that one was published. No
# other body is searched, which CASE sees to: left to itself, PostgreSQL looks for the text first. LIKE takes ten times as long.
_WORDINGS = """
    SELECT * FROM (
        SELECT DISTINCT ON (said[1], said[2]) e.position, e.type, e.version, e.stream_id, said[1] AS wording, said[2] AS digest
          FROM events e, regexp_matches(e.body, '"wording":\\{"([a-z-]+)":"([0-9a-f]{64})"\\}') AS said
         WHERE CASE WHEN e.type IN ('note_sent', 'touch_sent', 'breakup_voicemail_left', 'breakup_email_sent', 'mail_queued',
                                    'strategy_recorded', 'event_invitation_sent', 'command_refused')
                    THEN strpos(e.body, '"wording":{') > 0 END
           AND (CAST(:ids AS uuid[]) IS NULL OR e.stream_id = ANY(:ids))
         ORDER BY said[1], said[2], e.position
    ) AS checked
     UNION ALL
    SELECT position, type, version, stream_id, said[2], said[1]
      FROM events, regexp_matches(body, '"digest":"([0-9a-f]{64})","type":"wording_published","wording":"([^"]*)"') AS said
     WHERE type = 'wording_published' AND (CAST(:ids AS uuid[]) IS NULL OR stream_id = ANY(:ids))
     ORDER BY 1
"""


def _texts(connection: Connection, values: dict[str, Any]) -> Iterator[Finding]:
    """Hold texts against their own commitments, and against those in the log."""
    wrong = (
        "SELECT id, lead_id, kind FROM documents WHERE encode(sha256(salt || convert_to(body, 'UTF8')), 'hex') <> commitment "
        "AND (CAST(:ids AS uuid[]) IS NULL OR lead_id = ANY(:ids)) "
    )
    for row in connection.execute(text(wrong + "ORDER BY id LIMIT :most"), values):
        yield Finding("text_differs", None, row.lead_id, f"the text {row.id} ({row.kind}) is not the one that was committed to")
    for id_, sentence in _contacts(connection, values):
        yield Finding("text_differs", None, id_, sentence)
    for code, (statement, sentence) in _MISPLACED.items():
        for misplaced in connection.execute(text(statement), values).mappings():
            yield Finding(code, None, misplaced["lead_id"], sentence.format_map(misplaced))
    for said in connection.execute(text(_REFERENCES), values).mappings():
        if said["is_there"]:
            how = "the text {id} that it commits to is kept as another's"
            yield finding_of(
                "text_differs", said, how if said["is_misplaced"] else "it commits to another text than is kept as {id}"
            )
        else:
            yield finding_of("text_missing", said, "the text {id} that it commits to is gone, and nobody was erased there")


# What events commit to, against what is kept. A contact stands under its lead's id, the newest of its versions only; one that
# was imported a moment ago is in a message and not in the log yet. Operators' reasons may be removed without a trace. What
# came with an answer to a campaign is the lead's who gave it, and goes with that lead. Bodies are split, because a search by a
# pattern takes twenty times as long.
_REFERENCES = """
    WITH said AS (
        SELECT e.position, e.type, e.version, e.stream_id, left(part, 64) AS commitment, substr(part, 82, 36) AS id,
               coalesce(CASE WHEN e.type IN ('event_rsvp_received', 'command_refused')
                              AND strpos(e.body, '"command":"record_rsvp"') > 0
                             THEN substring(e.body from '"lead_id":"([0-9a-f-]{36})"') END,
                        CAST(e.stream_id AS text)) AS of_whom
          FROM events e, string_to_table(e.body, '"commitment":"') AS part
         WHERE (CAST(:ids AS uuid[]) IS NULL OR e.stream_id = ANY(:ids))
           AND strpos(e.body, '"commitment"') > 0 AND substr(part, 65, 17) = '","document_id":"'
    ), erased AS (SELECT stream_id FROM events WHERE type IN ('lead_erased', 'event_texts_erased'))
    SELECT DISTINCT said.*, d.id IS NOT NULL AS is_there, d.commitment = said.commitment AS is_misplaced
      FROM said LEFT JOIN documents d ON CAST(d.id AS text) = said.id
     WHERE said.id <> CAST(said.stream_id AS text)
       AND (d.commitment, CAST(d.lead_id AS text)) IS DISTINCT FROM (said.commitment, said.of_whom)
       AND (d.id IS NOT NULL
            OR said.stream_id <> :service AND said.of_whom NOT IN (SELECT CAST(stream_id AS text) FROM erased))
     UNION ALL
    SELECT said.*, c.lead_id IS NOT NULL, false
      FROM (SELECT DISTINCT ON (stream_id) * FROM said WHERE id = CAST(stream_id AS text)
             ORDER BY stream_id, position DESC) AS said
      LEFT JOIN contacts c ON c.lead_id = said.stream_id
     WHERE c.commitment IS DISTINCT FROM said.commitment
       AND NOT EXISTS (SELECT 1 FROM messages WHERE stream_id = said.stream_id AND strpos(body, c.commitment) > 0)
       AND (c.lead_id IS NOT NULL OR said.stream_id NOT IN (SELECT stream_id FROM erased))
     ORDER BY 1 LIMIT :most
"""


# By code: texts and contacts where they may not be, which no event names there, and how to say it.
_MISPLACED = {
    "erasure_undone": (
        """
        WITH erased AS (SELECT stream_id FROM events WHERE type = 'lead_erased')
        SELECT lead_id, 'the text ' || id || ' (' || kind || ')' AS what FROM documents
         WHERE lead_id IN (SELECT stream_id FROM erased) AND kind <> 'erasure_reason'
           AND (CAST(:ids AS uuid[]) IS NULL OR lead_id = ANY(:ids))
         UNION ALL
        SELECT lead_id, 'the contact' FROM contacts
         WHERE lead_id IN (SELECT stream_id FROM erased) AND (CAST(:ids AS uuid[]) IS NULL OR lead_id = ANY(:ids))
         ORDER BY 1, 2 LIMIT :most
        """,
        "{what} of {lead_id} is kept, and the log says that all was erased",
    ),
    "text_shown": (
        """
        SELECT d.lead_id, d.id FROM documents d JOIN leads ON leads.id = d.lead_id
         WHERE d.kind = 'operator_reason' AND (CAST(:ids AS uuid[]) IS NULL OR d.lead_id = ANY(:ids)) ORDER BY 1, 2 LIMIT :most
        """,
        "the text {id} of {lead_id} stands among operators' reasons, which logins see from which texts are closed",
    ),
}


def _contacts(connection: Connection, values: dict[str, Any]) -> Iterator[tuple[UUID, str]]:
    statement = text(
        "SELECT lead_id, CAST(fields AS text) AS fields, salt, commitment FROM contacts "
        "WHERE CAST(:ids AS uuid[]) IS NULL OR lead_id = ANY(:ids) ORDER BY lead_id"
    )
    with connection.execute(
        statement.execution_options(stream_results=True, yield_per=PAGE_ROWS), {"ids": values["ids"]}
    ) as rows:
        for row in rows:
            if not _is_committed_to(row.fields, row.salt, row.commitment):
                yield row.lead_id, f"the personal data of {row.lead_id} is not what was committed to"


def _is_committed_to(fields: str, salt: bytes, commitment: str) -> bool:
    try:
        content = canonical(msgspec.json.decode(fields))
    except (ValueError, RecursionError):
        return False
    return hashlib.sha256(salt + content).hexdigest() == commitment
