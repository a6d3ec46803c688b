"""Letters, roles that wait, second factors, the ladder, routes and comments."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "alert_steps",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("item", sa.String(), nullable=False),
        sa.Column("at", sa.String(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=True),
        sa.Column("person", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("alert_steps_item", "alert_steps", ["item", "id"], unique=False)
    op.create_table(
        "looks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("reason", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "alerts",
        sa.Column("item", sa.String(), nullable=False),
        sa.Column("rung", sa.Integer(), nullable=False),
        sa.Column("climb_at", sa.String(), nullable=False),
        sa.Column("acknowledged_at", sa.String(), nullable=True),
        sa.Column("acknowledged_by", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["item"], ["queue.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("item"),
        sqlite_with_rowid=False,
    )
    op.create_index("alerts_due", "alerts", ["acknowledged_at", "climb_at"], unique=False)
    op.create_table(
        "children",
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("nth", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["people.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("person", "nth"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "duties",
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("away_until", sa.String(), nullable=True),
        sa.Column("any_hour", sa.Boolean(), nullable=True),
        sa.ForeignKeyConstraint(["person"], ["people.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("person"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "second_factors",
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("confirmed", sa.Boolean(), nullable=False),
        sa.Column("last_step", sa.Integer(), nullable=False),
        sa.Column("wrong", sa.Integer(), nullable=False),
        sa.Column("wrong_at", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["person"], ["people.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("person"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "comments",
        sa.Column("item", sa.String(), nullable=False),
        sa.Column("survey", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["item"], ["queue.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["survey"],
            ["surveys.id"],
        ),
        sa.PrimaryKeyConstraint("item"),
        sqlite_with_rowid=False,
    )
    op.create_index("comments_survey", "comments", ["survey", "state"], unique=False)
    op.add_column("addresses", sa.Column("ended", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("code_uses", sa.Column("at", sa.String(), nullable=True))
    op.add_column("codes", sa.Column("made_at", sa.String(), nullable=True))
    op.add_column("codes", sa.Column("made_by", sa.String(), nullable=True))
    op.add_column("codes", sa.Column("waits", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("codes", sa.Column("children", sa.Integer(), server_default="1", nullable=False))
    op.add_column("codes", sa.Column("slip", sa.Integer(), nullable=True))
    op.add_column("codes", sa.Column("replaced", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("codes", sa.Column("device_of", sa.String(), nullable=True))
    op.add_column("people", sa.Column("ended_at", sa.String(), nullable=True))
    op.add_column("queue", sa.Column("about", sa.String(), nullable=True))
    op.add_column("queue", sa.Column("reached", sa.String(), nullable=True))
    op.add_column("queue", sa.Column("route", sa.String(), nullable=True))
    op.add_column("queue", sa.Column("routed_at", sa.String(), nullable=True))
    op.add_column("queue", sa.Column("routed_by", sa.String(), nullable=True))
    op.add_column("queue", sa.Column("reason", sa.LargeBinary(), nullable=True))
    op.add_column("queue", sa.Column("done_at", sa.String(), nullable=True))
    op.add_column("queue", sa.Column("done_by", sa.String(), nullable=True))
    op.add_column("sessions", sa.Column("idle_at", sa.String(), nullable=True))
    op.add_column("sessions", sa.Column("locks_at", sa.String(), nullable=True))
    op.add_column("sessions", sa.Column("proved_until", sa.String(), nullable=True))
    op.create_index("sessions_person", "sessions", ["person"], unique=False)


def downgrade() -> None:
    op.drop_index("sessions_person", table_name="sessions")
    op.drop_column("sessions", "proved_until")
    op.drop_column("sessions", "locks_at")
    op.drop_column("sessions", "idle_at")
    op.drop_column("queue", "done_by")
    op.drop_column("queue", "done_at")
    op.drop_column("queue", "reason")
    op.drop_column("queue", "routed_by")
    op.drop_column("queue", "routed_at")
    op.drop_column("queue", "route")
    op.drop_column("queue", "reached")
    op.drop_column("queue", "about")
    op.drop_column("people", "ended_at")
    op.drop_column("codes", "device_of")
    op.drop_column("codes", "replaced")
    op.drop_column("codes", "slip")
    op.drop_column("codes", "children")
    op.drop_column("codes", "waits")
    op.drop_column("codes", "made_by")
    op.drop_column("codes", "made_at")
    op.drop_column("code_uses", "at")
    op.drop_column("addresses", "ended")
    op.drop_index("comments_survey", table_name="comments")
    op.drop_table("comments")
    op.drop_table("second_factors")
    op.drop_table("duties")
    op.drop_table("children")
    op.drop_index("alerts_due", table_name="alerts")
    op.drop_table("alerts")
    op.drop_table("looks")
    op.drop_index("alert_steps_item", table_name="alert_steps")
    op.drop_table("alert_steps")
