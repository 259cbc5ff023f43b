"""The first schema: the log, the messages, and the projections of the log."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the tables, the one row of the log's head, and the triggers that keep the log append-only."""
    _create_tables()
    op.execute("INSERT INTO log_head (id, position) VALUES (1, 0)")
    op.execute("""
        CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
        BEGIN
            RAISE EXCEPTION 'table % is append-only: % is refused', TG_TABLE_NAME, TG_OP
                  USING ERRCODE = 'insufficient_privilege';
        END $$
    """)
    for table in ("events", "playbooks"):
        op.execute(f"""
            CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """)
    # These rows change with every transition; room on the page keeps such updates off the indexes.
    for table in ("leads", "messages", "log_head"):
        op.execute(f"ALTER TABLE {table} SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05)")


def _create_tables() -> None:
    op.create_table(
        "bells",
        sa.Column("namespace", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False, comment="of the Redis that was last seen"),
        sa.Column(
            "marker",
            sa.Text(),
            nullable=False,
            comment="what was written there; gone or different means that Redis was lost",
        ),
        sa.PrimaryKeyConstraint("namespace"),
    )
    op.create_table(
        "calendars",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_table(
        "contacts",
        sa.Column("lead_id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("fields", postgresql.JSONB(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("commitment", sa.Text(), nullable=False, comment="SHA-256 over salt and canonical fields, as the log has it"),
        sa.Column(
            "imported",
            postgresql.JSONB(),
            nullable=True,
            comment="what the last import said of the lead besides the fields",
        ),
        sa.PrimaryKeyConstraint("lead_id"),
        sa.UniqueConstraint("source", "external_id", name="contacts_source_external_id"),
    )
    op.create_table(
        "documents",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("lead_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("commitment", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("documents_lead", "documents", ["lead_id"], unique=False)
    op.create_table(
        "events",
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False, comment="dense, in commit order, from 1"),
        sa.Column("stream_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False, comment="1, 2, 3 … within the stream"),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("schema", sa.SmallInteger(), nullable=False),
        sa.Column(
            "body",
            sa.Text(),
            nullable=False,
            comment="canonical JSON, hashed as it stands; the other columns are copies",
        ),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("correlation_id", sa.Uuid(), nullable=False),
        sa.Column("causation_id", sa.Uuid(), nullable=True),
        sa.Column("playbook", sa.Text(), nullable=True, comment="id@version"),
        sa.Column("hash", sa.LargeBinary(), nullable=False, comment="SHA-256 over the stream's previous hash and body"),
        sa.PrimaryKeyConstraint("position"),
        sa.UniqueConstraint("stream_id", "version", name="events_stream_version"),
    )
    op.create_index("events_message", "events", ["message_id"], unique=False)
    op.create_table(
        "leads",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("playbook", sa.Text(), nullable=True),
        sa.Column("score", sa.Integer(), nullable=True),
        sa.Column("last_contact_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("call_on", sa.Date(), nullable=True),
        sa.Column("next_timer", sa.Text(), nullable=True, comment="the next armed timer that acts on its own"),
        sa.Column("next_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("held", sa.Text(), nullable=True, comment="why its timers are frozen"),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False, comment="hash of its newest event"),
        sa.Column("body", sa.Text(), nullable=False, comment="the folded lead, canonical JSON"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("leads_owner_state", "leads", ["owner", "state", "score"], unique=False)
    op.create_table(
        "log_head",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column(
            "position",
            sa.BigInteger(),
            nullable=False,
            comment="position of the newest event; its row lock orders commits",
        ),
        sa.CheckConstraint("id = 1", name="log_head_one_row"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "messages",
        sa.Column("id", sa.Uuid(), nullable=False, comment="also the Dramatiq message id"),
        sa.Column("stream_id", sa.Uuid(), nullable=False),
        sa.Column("actor_name", sa.Text(), nullable=False, comment="the Dramatiq actor that carries it"),
        sa.Column("body", sa.Text(), nullable=False, comment="the command, canonical JSON"),
        sa.Column(
            "then",
            sa.Text(),
            nullable=True,
            comment="commands to stage on this stream once it is settled, a JSON array, or nothing",
        ),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("correlation_id", sa.Uuid(), nullable=False),
        sa.Column("causation_id", sa.Uuid(), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False, comment="not before, on the service's clock"),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column(
            "ring_again_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="set once rung: when to ring again unless settled, on the database's clock",
        ),
        sa.Column("rings", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "deliveries",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="counted before work from ring 2 on",
        ),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False, comment="failures so far"),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True, comment="on the database's clock"),
        sa.Column("outcome", sa.Text(), nullable=True, comment="applied, refused, superseded or dead"),
        sa.Column("rule", sa.Text(), nullable=True, comment="which rule refused"),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("traceback", sa.Text(), nullable=True),
        sa.CheckConstraint("(settled_at IS NULL) = (outcome IS NULL)", name="messages_settled_with_outcome"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("messages_dead", "messages", ["settled_at"], unique=False, postgresql_where=sa.text("outcome = 'dead'"))
    op.create_index(
        "messages_rung",
        "messages",
        ["ring_again_at"],
        unique=False,
        postgresql_where=sa.text("settled_at IS NULL AND ring_again_at IS NOT NULL"),
    )
    op.create_index("messages_stream", "messages", ["stream_id"], unique=False, postgresql_where=sa.text("settled_at IS NULL"))
    op.create_index(
        "messages_waiting",
        "messages",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("settled_at IS NULL AND ring_again_at IS NULL"),
    )
    op.create_table(
        "playbooks",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False, comment="canonical JSON"),
        sa.Column("published_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
        sa.UniqueConstraint("id", "version", name="playbooks_id_version"),
    )
    op.create_table(
        "reps",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("calendar", sa.Text(), nullable=False, comment="digest of the calendar in force"),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "slots",
        sa.Column("rep", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("lead_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("rep", "kind", "day", "ordinal"),
    )
