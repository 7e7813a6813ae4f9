"""Step 1: recommendations, decisions, outbox, log, people, ladder, outcomes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alembic.operations import Operations


def upgrade(op: Operations) -> None:
    """Make every table."""
    import sqlalchemy as sa

    number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "recommendations",
        sa.Column("number", number, primary_key=True, autoincrement=True),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("identity", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("made", sa.Text, nullable=False),
        sa.Column("expires", sa.Text, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
    )
    op.create_index("recommendations_by_identity", "recommendations", ["model", "identity"])
    op.create_table(
        "decisions",
        sa.Column("number", number, primary_key=True, autoincrement=True),
        sa.Column("recommendation", number, sa.ForeignKey("recommendations.number"),
                  nullable=False),
        sa.Column("verb", sa.Text, nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
    )
    op.create_table(
        "outbox",
        sa.Column("number", number, primary_key=True, autoincrement=True),
        sa.Column("key", sa.Text, nullable=False, unique=True),
        sa.Column("recommendation", number, nullable=True),
        sa.Column("connector", sa.Text, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("undoes", sa.Text, nullable=True),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False, default=0),
        sa.Column("due", sa.Float, nullable=False),
        sa.Column("leased_until", sa.Float, nullable=False, default=0.0),
        sa.Column("answer", sa.Text, nullable=False, default=""),
        sa.Column("made", sa.Text, nullable=False),
    )
    op.create_index("outbox_due", "outbox", ["status", "due"])
    op.create_table(
        "log",
        sa.Column("number", number, primary_key=True, autoincrement=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("mac", sa.Text, nullable=False),
    )
    op.create_table(
        "log_head",
        sa.Column("one", sa.Integer, primary_key=True),
        sa.Column("number", number, nullable=False),
        sa.Column("mac", sa.Text, nullable=False),
    )
    op.execute("insert into log_head (one, number, mac) values (1, 0, '')")
    op.create_table(
        "people",
        sa.Column("pseudonym", sa.Text, primary_key=True),
        sa.Column("mark", sa.Text, nullable=False, unique=True),
        sa.Column("secret", sa.Text, nullable=True),
        sa.Column("name", sa.Text, nullable=True),
    )
    op.create_table(
        "ladder",
        sa.Column("model", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("rung", sa.Text, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
    )
    op.create_table(
        "outcomes",
        sa.Column("recommendation", number, sa.ForeignKey("recommendations.number"),
                  primary_key=True),
        sa.Column("kpi", sa.Text, primary_key=True),
        sa.Column("promised", sa.Float, nullable=True),
        sa.Column("low", sa.Float, nullable=True),
        sa.Column("high", sa.Float, nullable=True),
        sa.Column("realised", sa.Float, nullable=True),
        sa.Column("estimated", sa.Boolean, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
    )
