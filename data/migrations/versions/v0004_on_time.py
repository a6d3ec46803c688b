"""The calendar, events with their times and bookings, planned sendings, "you said, we did". Drop-ins become events."""

from datetime import timedelta

import sqlalchemy as sa
from alembic import op

from data.moments import moment, stamp

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "calendar",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("first", sa.String(), nullable=False),
        sa.Column("last", sa.String(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "events",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("group_id", sa.String(), nullable=False),
        sa.Column("host", sa.String(), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("online", sa.Text(), nullable=False),
        sa.Column("ways", sa.String(), nullable=False),
        sa.Column("slot_minutes", sa.Integer(), nullable=True),
        sa.Column("capacity", sa.Integer(), nullable=True),
        sa.Column("access", sa.Text(), nullable=False),
        sa.Column("next_time", sa.Text(), nullable=False),
        sa.Column("repeats", sa.String(), nullable=False),
        sa.Column("made_by", sa.String(), nullable=True),
        sa.Column("made_at", sa.String(), nullable=False),
        sa.Column("cancelled_at", sa.String(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["group_id"],
            ["groups.id"],
        ),
        sa.ForeignKeyConstraint(["host"], ["people.id"], ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "requests",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("adult", sa.String(), nullable=False),
        sa.Column("asked_at", sa.String(), nullable=False),
        sa.Column("seen_at", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["adult"], ["people.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["person"], ["people.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("person", "adult"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "sendings",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("form", sa.String(), nullable=False),
        sa.Column("group_id", sa.String(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("due_at", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["group_id"],
            ["groups.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "wishes",
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["people.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("person", "kind"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "occasions",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("starts_at", sa.String(), nullable=False),
        sa.Column("ends_at", sa.String(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("cancelled_at", sa.String(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("first_at", sa.String(), nullable=True),
        sa.Column("hour_at", sa.String(), nullable=True),
        sa.Column("first_done", sa.Boolean(), nullable=False),
        sa.Column("hour_done", sa.Boolean(), nullable=False),
        sa.Column("followed_up", sa.Boolean(), nullable=False),
        sa.Column("came", sa.Integer(), nullable=True),
        sa.Column("missed", sa.Integer(), nullable=True),
        sa.Column("walked_in", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["event"],
            ["events.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("occasions_event", "occasions", ["event", "starts_at"], unique=False)
    op.create_index("occasions_starts", "occasions", ["starts_at"], unique=False)
    op.create_table(
        "wedid",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("survey", sa.String(), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("how_many", sa.Integer(), nullable=True),
        sa.Column("answer", sa.String(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("by_when", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("written_by", sa.String(), nullable=True),
        sa.Column("seen_by", sa.String(), nullable=True),
        sa.Column("published_on", sa.String(), nullable=True),
        sa.Column("replaces", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["survey"],
            ["surveys.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("wedid_survey", "wedid", ["survey", "state"], unique=False)
    op.create_table(
        "bookings",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("occasion", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=True),
        sa.Column("seat", sa.Integer(), nullable=True),
        sa.Column("heads", sa.Integer(), nullable=False),
        sa.Column("way", sa.String(), nullable=False),
        sa.Column("remind", sa.String(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("came", sa.Boolean(), nullable=True),
        sa.Column("made_at", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["occasion"],
            ["occasions.id"],
        ),
        sa.ForeignKeyConstraint(["person"], ["people.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("occasion", "person"),
        sa.UniqueConstraint("occasion", "slot", "seat"),
        sqlite_with_rowid=False,
    )
    op.create_index("bookings_person", "bookings", ["person"], unique=False)
    op.create_table(
        "room_notes",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("occasion", sa.String(), nullable=False),
        sa.Column("theme", sa.String(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["occasion"],
            ["occasions.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sqlite_with_rowid=False,
    )
    op.create_index("room_notes_occasion", "room_notes", ["occasion"], unique=False)
    _dropins_to_events()
    op.drop_index("dropins_remind", table_name="dropins")
    op.drop_table("dropins")
    op.add_column("groups", sa.Column("hidden", sa.Boolean(), server_default=sa.false(), nullable=False))
    _runs_without_person(True)
    op.add_column("surveys", sa.Column("nudge_at", sa.String(), nullable=True))
    op.add_column("surveys", sa.Column("pooled", sa.Boolean(), server_default=sa.false(), nullable=False))
    _know_pools_again()


def downgrade() -> None:
    op.drop_column("surveys", "pooled")
    op.drop_column("surveys", "nudge_at")
    op.get_bind().execute(_RUNS.delete().where(_RUNS.c.person.is_(None)))  # nobody could find them there
    _runs_without_person(False)
    op.drop_column("groups", "hidden")
    op.create_table(
        "dropins",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("group_id", sa.String(), nullable=False),
        sa.Column("starts_at", sa.String(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("remind_at", sa.String(), nullable=False),
        sa.Column("reminded", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["group_id"], ["groups.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("dropins_remind", "dropins", ["reminded", "remind_at"], unique=False)
    _events_to_dropins()
    op.drop_index("room_notes_occasion", table_name="room_notes")
    op.drop_table("room_notes")
    op.drop_index("bookings_person", table_name="bookings")
    op.drop_table("bookings")
    op.drop_index("wedid_survey", table_name="wedid")
    op.drop_table("wedid")
    op.drop_index("occasions_starts", table_name="occasions")
    op.drop_index("occasions_event", table_name="occasions")
    op.drop_table("occasions")
    op.drop_table("wishes")
    op.drop_table("sendings")
    op.drop_table("requests")
    op.drop_table("events")
    op.drop_table("calendar")


def _dropins_to_events() -> None:
    """Each drop-in becomes an event of one time, of an hour's length; its time keeps the id that letters name."""
    bind = op.get_bind()
    for d in bind.execute(_DROPINS.select().order_by(_DROPINS.c.id)).all():
        bind.execute(_EVENTS.insert().values(id=d.id, group_id=d.group_id, place=d.place, **_PLAIN_DROPIN))
        starts = moment(d.starts_at)
        ends, hour = stamp(starts + timedelta(hours=1)), stamp(starts - timedelta(hours=1))
        times = {"starts_at": d.starts_at, "ends_at": ends, "first_at": d.remind_at, "hour_at": hour}
        done = {"first_done": d.reminded, "hour_done": True, "followed_up": True}
        bind.execute(_OCCASIONS.insert().values(id=d.id, event=d.id, sequence=0, **times, **done))


def _events_to_dropins() -> None:
    """An older version knows when and where; it has no place for the rest."""
    bind = op.get_bind()
    both = sa.select(_OCCASIONS, _EVENTS.c.group_id, _EVENTS.c.place).join(_EVENTS, _EVENTS.c.id == _OCCASIONS.c.event)
    planned = both.where(_OCCASIONS.c.cancelled_at.is_(None), _EVENTS.c.kind == "dropin")
    for o in bind.execute(planned.order_by(_OCCASIONS.c.id)).all():
        times = {"starts_at": o.starts_at, "remind_at": o.first_at or o.starts_at, "reminded": o.first_done}
        bind.execute(_DROPINS.insert().values(id=o.id, group_id=o.group_id, place=o.place, **times))
    bind.execute(_OUTBOX.delete().where(_OUTBOX.c.state == "held"))


def _know_pools_again() -> None:
    """After a way back to 0003 and up again: a pool's group bears the name of its survey (data/pools.py)."""
    pool = sa.and_(_GROUPS.c.id == _SURVEYS.c.group_id, _GROUPS.c.name == _SURVEYS.c.id)
    op.get_bind().execute(_SURVEYS.update().where(sa.exists().where(pool)).values(pooled=True))
    op.get_bind().execute(_GROUPS.update().where(sa.exists().where(pool)).values(hidden=True))


def _runs_without_person(may: bool) -> None:
    """Whether a run may belong to nobody. SQLite cannot change a column, so there the table is made anew."""
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("runs", "person", existing_type=sa.String(), nullable=may)
        return
    op.create_table(
        "runs_anew",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=may),
        sa.Column("survey", sa.String(), nullable=True),
        sa.Column("errand", sa.String(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("words", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["person"], ["people.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["survey"], ["surveys.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("survey", "person"),
        sqlite_with_rowid=False,
    )
    columns = [c.name for c in _RUNS.c]
    op.get_bind().execute(_RUNS_ANEW.insert().from_select(columns, _RUNS.select()))
    op.drop_index("runs_person", table_name="runs")
    op.drop_table("runs")
    op.rename_table("runs_anew", "runs")
    op.create_index("runs_person", "runs", ["person"], unique=False)


def _table(name: str, *columns: str) -> sa.TableClause:
    return sa.table(name, *(sa.column(c) for c in columns))


_PLAIN_DROPIN = {
    "kind": "dropin",
    "title": "",
    "online": "",
    "ways": "in-person",
    "access": "{}",
    "next_time": "[]",
    "repeats": "",
    "made_at": "",
}
_DROPINS = _table("dropins", "id", "group_id", "starts_at", "place", "remind_at", "reminded")
_EVENTS = _table(
    "events", "id", "kind", "group_id", "title", "place", "online", "ways", "access", "next_time", "repeats", "made_at"
)
_OCCASIONS = _table(
    "occasions", "id", "event", "starts_at", "ends_at", "sequence", "cancelled_at", "first_at", "hour_at",
    "first_done", "hour_done", "followed_up",
)  # fmt: skip
_GROUPS = sa.table("groups", sa.column("id"), sa.column("name"), sa.column("hidden", sa.Boolean))
_SURVEYS = sa.table("surveys", sa.column("id"), sa.column("group_id"), sa.column("pooled", sa.Boolean))
_OUTBOX = _table("outbox", "id", "state")
_RUNS = _table("runs", "id", "person", "survey", "errand", "sealed", "words")
_RUNS_ANEW = _table("runs_anew", "id", "person", "survey", "errand", "sealed", "words")
