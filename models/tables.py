"""Every table, in one place: what is kept, and who may rebuild it from what.

``events`` is the truth. ``leads``, ``reps``, ``campaigns``, ``sales_events``, ``slots``, ``calendars`` and ``pauses`` are
projections of it and can be dropped and rebuilt (`models.rebuild`). ``messages`` is outbox, inbox and durable timer at once.
``contacts`` and ``documents`` hold the personal data that the log only refers to; ``suppressions`` what outlives an erasure,
as keyed hashes. ``playbooks`` and ``wordings`` are published once and never change. ``tree_nodes`` and ``checkpoints`` are the
Merkle tree over the log and what was signed of it; the log tells whether they are true. ``heads_nodes`` are those of the trees
over recorded heads, made of the log like a projection. ``checkpoint_deliveries`` and ``checkpoint_failures`` say where
checkpoints were sent and did not arrive.

``log_head`` is the one row that whoever appends to the log holds to the commit; ``bells`` the mark by which a Redis is known
again; ``suppression_key`` the check of the key that the hashes are made with; ``mailboxes`` the addresses that reps write from.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

metadata = MetaData()

_moment = DateTime(timezone=True)

events = Table(
    "events",
    metadata,
    Column("position", BigInteger, primary_key=True, autoincrement=False, comment="dense, in commit order, from 1"),
    Column("stream_id", Uuid, nullable=False),
    Column("version", Integer, nullable=False, comment="1, 2, 3 … within the stream"),
    Column("type", Text, nullable=False),
    Column("schema", SmallInteger, nullable=False),
    Column("body", Text, nullable=False, comment="canonical JSON, hashed as it stands; the other columns are copies"),
    Column("occurred_at", _moment, nullable=False),
    Column("recorded_at", _moment, nullable=False),
    Column("message_id", Uuid, nullable=False),
    Column("actor", Text, nullable=False),
    Column("correlation_id", Uuid, nullable=False),
    Column("causation_id", Uuid),
    Column("playbook", Text, comment="id@version"),
    Column("hash", LargeBinary, nullable=False, comment="SHA-256 over the stream's previous hash and body"),
    UniqueConstraint("stream_id", "version", name="events_stream_version"),
    Index("events_message", "message_id"),
    Index("events_calendars", "position", postgresql_where=text("type = 'calendar_frozen'")),
)

log_head = Table(
    "log_head",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("position", BigInteger, nullable=False, comment="position of the newest event; its row lock orders commits"),
    CheckConstraint("id = 1", name="log_head_one_row"),
)

messages = Table(
    "messages",
    metadata,
    Column("id", Uuid, primary_key=True, comment="also the Dramatiq message id"),
    Column("stream_id", Uuid, nullable=False),
    Column("actor_name", Text, nullable=False, comment="the Dramatiq actor that carries it"),
    Column("body", Text, nullable=False, comment="the command, canonical JSON"),
    Column("then", Text, comment="commands to stage on this stream once it is settled, a JSON array, or nothing"),
    Column("asked_by", Text, nullable=False),
    Column("correlation_id", Uuid, nullable=False),
    Column("causation_id", Uuid),
    Column("due_at", _moment, nullable=False, comment="not before, on the service's clock"),
    Column("created_at", _moment, nullable=False, server_default=text("clock_timestamp()")),
    Column("ring_again_at", _moment, comment="set once rung: when to ring again unless settled, on the database's clock"),
    Column("rings", Integer, nullable=False, server_default=text("0")),
    Column("deliveries", Integer, nullable=False, server_default=text("0"), comment="counted before work from ring 2 on"),
    Column("attempts", Integer, nullable=False, server_default=text("0"), comment="failures so far"),
    Column("settled_at", _moment, comment="on the database's clock"),
    Column("outcome", Text, comment="applied, refused, superseded or dead"),
    Column("rule", Text, comment="which rule refused"),
    Column("reason", Text),
    Column("error", Text),
    Column("traceback", Text),
    Column("worker", Text, comment="host:pid of who settled it or failed at it last"),
    CheckConstraint("(settled_at IS NULL) = (outcome IS NULL)", name="messages_settled_with_outcome"),
    Index("messages_waiting", "due_at", postgresql_where=text("settled_at IS NULL AND ring_again_at IS NULL")),
    Index("messages_rung", "ring_again_at", postgresql_where=text("settled_at IS NULL AND ring_again_at IS NOT NULL")),
    Index("messages_stream", "stream_id", postgresql_where=text("settled_at IS NULL")),
    Index(
        "messages_call_by",
        text("(body::jsonb ->> 'call_by')"),
        postgresql_where=text("settled_at IS NULL AND actor_name = 'note_scheduled'"),
    ),
    Index("messages_dead", "settled_at", postgresql_where=text("outcome = 'dead'")),
    Index("messages_caused_by", "causation_id"),
)

leads = Table(
    "leads",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("playbook", Text),
    Column("score", Integer),
    Column("last_contact_at", _moment),
    Column("call_on", Date),
    Column("call_by", Text, comment="the colleague who makes its call; empty: its owner does"),
    Column("next_timer", Text, comment="the next armed timer that acts on its own"),
    Column("next_due_at", _moment),
    Column("held", Text, comment="why its timers are frozen"),
    Column("erased_at", _moment, comment="when all personal data was erased"),
    Column("recorded_at", _moment, nullable=False),
    Column("hash", LargeBinary, nullable=False, comment="hash of its newest event"),
    Column("body", Text, nullable=False, comment="the folded lead, canonical JSON"),
    Index("leads_owner_state", "owner", "state", "score"),
    Index("leads_call_by", "call_by", "state", postgresql_where=text("call_by IS NOT NULL")),
)

reps = Table(
    "reps",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("version", Integer, nullable=False),
    Column("calendar", Text, nullable=False, comment="digest of the calendar in force"),
    Column("recorded_at", _moment, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("body", Text, nullable=False),
)

campaigns = Table(
    "campaigns",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("version", Integer, nullable=False),
    Column("recorded_at", _moment, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("body", Text, nullable=False),
)

sales_events = Table(
    "sales_events",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("version", Integer, nullable=False),
    Column("recorded_at", _moment, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("body", Text, nullable=False),
)

calendars = Table(
    "calendars",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("body", Text, nullable=False),
)

playbooks = Table(
    "playbooks",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("id", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("body", Text, nullable=False, comment="canonical JSON"),
    Column("source", Text, nullable=False, server_default="", comment="the TOML that it was published from"),
    Column("published_at", _moment, nullable=False, server_default=text("clock_timestamp()")),
    UniqueConstraint("id", "version", name="playbooks_id_version"),
)

mailboxes = Table(
    "mailboxes",
    metadata,
    Column("rep", Text, primary_key=True),
    Column("address", Text, nullable=False, comment="the rep's own mail address"),
    Column("name", Text, nullable=False, server_default="", comment="as it stands before the address"),
)

slots = Table(
    "slots",
    metadata,
    Column("rep", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("ordinal", Integer, primary_key=True),
    Column("lead_id", Uuid, nullable=False),
)

contacts = Table(
    "contacts",
    metadata,
    Column("lead_id", Uuid, primary_key=True),
    Column("source", Text, nullable=False),
    Column("external_id", Text, nullable=False),
    Column("fields", JSONB, nullable=False),
    Column("salt", LargeBinary, nullable=False),
    Column("commitment", Text, nullable=False, comment="SHA-256 over salt and canonical fields, as the log has it"),
    Column("imported", JSONB, comment="what the last import said of the lead besides the fields"),
    Column("keys", ARRAY(Text), comment="kinds and keyed hashes of what identifies the person; absent until worked out"),
    UniqueConstraint("source", "external_id", name="contacts_source_external_id"),
    Index("contacts_keys", "keys", postgresql_using="gin"),
    Index("contacts_unkeyed", "lead_id", postgresql_where=text("keys IS NULL")),
)

documents = Table(
    "documents",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("lead_id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("salt", LargeBinary, nullable=False),
    Column("commitment", Text, nullable=False),
    Column("writer", Text, comment="who wrote it: rep:dan, manager:ann"),
    Column("written_at", _moment, comment="on the service's clock"),
    Column("message_id", Uuid, comment="the message that hands it in"),
    Index("documents_lead", "lead_id"),
    Index("documents_recent", "kind", "written_at"),
)

suppressions = Table(
    "suppressions",
    metadata,
    Column("key", Text, primary_key=True, comment="kind and keyed hash of an identifier, as in contacts.keys"),
    Column("channel", Text, primary_key=True, comment="a mode, or all"),
    Column("reason", Text, nullable=False, comment="opted_out, erased or added"),
    Column("since", Date, nullable=False),
)

suppression_key = Table(
    "suppression_key",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("fingerprint", Text, nullable=False, comment="of the secret that all hashes are keyed with"),
    CheckConstraint("id = 1", name="suppression_key_one_row"),
)

bells = Table(
    "bells",
    metadata,
    Column("namespace", Text, primary_key=True),
    Column("run_id", Text, nullable=False, comment="of the Redis that was last seen"),
    Column("marker", Text, nullable=False, comment="what was written there; gone or different means that Redis was lost"),
)

pauses = Table(
    "pauses",
    metadata,
    Column("actor", Text, primary_key=True, comment="whose messages wait; * for all that may"),
    Column("since", _moment, nullable=False),
    Column("by", Text, nullable=False),
    Column("reason", Uuid, nullable=False, comment="the document that says why"),
    Column("version", Integer, nullable=False, comment="of the event, in the service's own stream"),
)

tree_nodes = Table(
    "tree_nodes",
    metadata,
    Column("level", SmallInteger, primary_key=True, autoincrement=False, comment="8 and above: 2**level leaves"),
    Column(
        "number", BigInteger, primary_key=True, autoincrement=False, comment="from 0, of the complete subtrees of the level"
    ),
    Column("hash", LargeBinary, nullable=False),
)

heads_nodes = Table(
    "heads_nodes",
    metadata,
    Column("size", BigInteger, primary_key=True, autoincrement=False, comment="the heads are those of so many events"),
    Column("level", SmallInteger, primary_key=True, autoincrement=False, comment="6 and above: 2**level heads"),
    Column("number", Integer, primary_key=True, autoincrement=False, comment="from 0, of the subtrees of the level"),
    Column("last", Uuid, nullable=False, comment="the stream of the last of the heads"),
    Column("hash", LargeBinary, nullable=False),
)

checkpoints = Table(
    "checkpoints",
    metadata,
    Column("size", BigInteger, primary_key=True, autoincrement=False, comment="the events up to this position"),
    Column("root", LargeBinary, nullable=False, comment="of the Merkle tree over them (RFC 6962)"),
    Column("note", Text, nullable=False, comment="the signed note (C2SP), as it was sent"),
    Column("made_at", _moment, nullable=False, server_default=text("clock_timestamp()")),
)

checkpoint_failures = Table(
    "checkpoint_failures",
    metadata,
    Column("destination", Text, primary_key=True, comment="where checkpoints do not arrive"),
    Column("size", BigInteger, nullable=False, comment="of the checkpoint that was tried last"),
    Column("error", Text, nullable=False),
    Column("since", _moment, nullable=False, server_default=text("clock_timestamp()")),
    Column("times", Integer, nullable=False, server_default=text("1")),
)

checkpoint_deliveries = Table(
    "checkpoint_deliveries",
    metadata,
    Column("destination", Text, primary_key=True, comment="file, webhook or mail"),
    Column("size", BigInteger, primary_key=True, autoincrement=False, comment="of the checkpoint that arrived there"),
    Column("delivered_at", _moment, nullable=False, server_default=text("clock_timestamp()")),
)

wordings = Table(
    "wordings",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False, comment="a later one goes before"),
    Column("name", Text, nullable=False),
    Column("digest", Text, nullable=False, comment="SHA-256 of the body"),
    Column("body", Text, nullable=False),
    Column("shipped", Boolean, nullable=False, comment="it came with a release; the team's own go before"),
    Column("published_at", _moment, nullable=False, server_default=text("clock_timestamp()")),
    Index("wordings_digest", "digest"),
)
