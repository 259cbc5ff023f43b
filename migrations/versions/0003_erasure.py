"""Erasure and the suppression list: whom nobody may contact, under whatever lead, and that what was erased stays erased.

The release before this one runs on this schema as it did: it leaves the new columns empty, which `thaw migrate` fills.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"

#: Columns with what people said and are called. PostgreSQL would keep samples of them for its planner, and go on keeping them.
_PERSONAL = {
    "contacts": {"external_id": "text", "fields": "jsonb", "imported": "jsonb"},
    "documents": {"body": "text"},
    "messages": {"body": "text", '"then"': "text", "reason": "text", "error": "text", "traceback": "text"},
}


def upgrade() -> None:
    """Create the list, name the identifiers of contacts, and keep data of erased people out and out of the statistics."""
    op.create_table(
        "suppressions",
        sa.Column("key", sa.Text(), nullable=False, comment="kind and keyed hash of an identifier, as in contacts.keys"),
        sa.Column("channel", sa.Text(), nullable=False, comment="a mode, or all"),
        sa.Column("reason", sa.Text(), nullable=False, comment="opted_out, erased or added"),
        sa.Column("since", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("key", "channel"),
    )
    op.create_table(
        "suppression_key",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False, comment="of the secret that all hashes are keyed with"),
        sa.CheckConstraint("id = 1", name="suppression_key_one_row"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.add_column("leads", sa.Column("erased_at", sa.DateTime(timezone=True), comment="when all personal data was erased"))
    op.add_column(
        "contacts",
        sa.Column(
            "keys",
            postgresql.ARRAY(sa.Text()),
            comment="kinds and keyed hashes of what identifies the person; absent until worked out",
        ),
    )
    op.create_index("contacts_keys", "contacts", ["keys"], unique=False, postgresql_using="gin")
    op.create_index("contacts_unkeyed", "contacts", ["lead_id"], unique=False, postgresql_where=sa.text("keys IS NULL"))
    _keep_out_of_statistics()
    _refuse_data_of_erased_leads()


def _keep_out_of_statistics() -> None:
    for table, columns in _PERSONAL.items():
        for column, type_ in columns.items():
            # Naming the type again changes nothing but that the samples taken so far are dropped.
            op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} TYPE {type_}, ALTER COLUMN {column} SET STATISTICS 0")


def _refuse_data_of_erased_leads() -> None:
    # Whoever erases a lead has locked its row. The lock taken here waits for that, so that no text arrives just behind it.
    op.execute("""
        CREATE FUNCTION refuse_erased() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            found uuid;
        BEGIN
            PERFORM FROM leads WHERE id IN (SELECT lead_id FROM arriving) ORDER BY id FOR KEY SHARE;
            SELECT id INTO found FROM leads
             WHERE id IN (SELECT lead_id FROM arriving) AND erased_at IS NOT NULL ORDER BY id LIMIT 1;
            IF found IS NOT NULL THEN
                RAISE EXCEPTION 'everything about lead % was erased: nothing more is kept of this person', found
                      USING ERRCODE = 'TH001';
            END IF;
            RETURN NULL;
        END $$
    """)
    for table in ("contacts", "documents"):
        op.execute(f"""
            CREATE TRIGGER {table}_of_the_living AFTER INSERT ON {table} REFERENCING NEW TABLE AS arriving
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_erased()
        """)
