"""The audit log, tombstones, pauses, removals, totals and records. Looks and steps of ladders move into the log."""

import sqlalchemy as sa
from alembic import context, op

from data.audit import BASE_FACT, HEAD_FACT, Link, audit_row, entry_of, link_fact
from data.moments import new_id, stamp
from data.vault import Vault

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=True),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("mac", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("audit_ref", "audit", ["ref", "id"], unique=False)
    op.create_table(
        "tombstones",
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("hash"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "pauses",
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("since", sa.String(), nullable=False),
        sa.Column("until", sa.String(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["people.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("person"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "records",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("survey", sa.String(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["survey"],
            ["surveys.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sqlite_with_rowid=False,
    )
    op.create_index("records_survey", "records", ["survey"], unique=False)
    op.create_table(
        "removals",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("survey", sa.String(), nullable=False),
        sa.Column("at", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["survey"],
            ["surveys.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sqlite_with_rowid=False,
    )
    op.create_index("removals_survey", "removals", ["survey"], unique=False)
    op.create_table(
        "totals",
        sa.Column("survey", sa.String(), nullable=False),
        sa.Column("question", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["survey"],
            ["surveys.id"],
        ),
        sa.PrimaryKeyConstraint("survey", "question", "value"),
        sqlite_with_rowid=False,
    )
    _move_into_audit()
    op.drop_index("alert_steps_item", table_name="alert_steps")
    op.drop_table("alert_steps")
    op.drop_table("looks")
    op.add_column("people", sa.Column("erased_at", sa.String(), nullable=True))
    op.add_column("surveys", sa.Column("gone", sa.Integer(), server_default="0", nullable=False))
    op.add_column("surveys", sa.Column("paper", sa.Integer(), server_default="0", nullable=False))
    op.add_column("surveys", sa.Column("keys_cut_on", sa.String(), nullable=True))
    op.add_column("surveys", sa.Column("totals_since", sa.String(), nullable=True))
    _updates_id(sa.BigInteger())
    _add_sheets()


def downgrade() -> None:
    _updates_id(sa.Integer())
    op.get_bind().execute(_ANSWERS.delete().where(_ANSWERS.c.question == SHEET))
    op.drop_column("surveys", "totals_since")
    op.drop_column("surveys", "keys_cut_on")
    op.drop_column("surveys", "paper")
    op.drop_column("surveys", "gone")
    op.drop_column("people", "erased_at")
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
    _move_out_of_audit()
    op.drop_table("totals")
    op.drop_index("removals_survey", table_name="removals")
    op.drop_table("removals")
    op.drop_index("records_survey", table_name="records")
    op.drop_table("records")
    op.drop_table("pauses")
    op.drop_table("tombstones")
    op.drop_index("audit_ref", table_name="audit")
    op.drop_table("audit")


def _updates_id(type_: sa.types.TypeEngine[int]) -> None:
    """Telegram's numbers outgrow four bytes on PostgreSQL; SQLite's integers have no size."""
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("updates", "id", type_=type_)


def _add_sheets() -> None:
    """One row for every answer sheet: from now on they can be counted. Those without choices had left none."""
    bind = op.get_bind()
    for survey in bind.execute(_SURVEYS.select().where(_SURVEYS.c.state == "closed")).all():
        known = sa.select(_ANSWERS.c.sheet).where(_ANSWERS.c.survey == survey.id).distinct()
        sheets = [row.sheet for row in bind.execute(known).all()]
        sheets += [new_id() for _ in range(len(sheets), survey.finished or 0)]
        for sheet in sorted(sheets):
            bind.execute(_ANSWERS.insert().values(survey=survey.id, question=SHEET, value="", sheet=sheet))


def _vault() -> Vault:
    vault = context.config.attributes.get("vault")
    if not isinstance(vault, Vault):
        raise RuntimeError("rows of the log can only be moved with the key")
    return vault


def _move_into_audit() -> None:
    bind, head = op.get_bind(), Link()
    for at, actor, what, ref, detail in sorted(_old_rows(), key=lambda row: str(row[0])):
        row = audit_row(_vault(), head, at, actor, what, ref, detail)
        bind.execute(_AUDIT.insert().values(**row))
        head = Link(head.id + 1, str(row["hash"]))
    if head.id:
        bind.execute(_FACTS.insert().values(name=HEAD_FACT, value=link_fact(_vault(), HEAD_FACT, head)))


def _old_rows() -> list[tuple[str, str | None, str, str, dict[str, str]]]:
    """(at, actor, what, ref, details) of everything the two old tables hold, in their order."""
    bind, found = op.get_bind(), []
    for look in bind.execute(_LOOKS.select().order_by(_LOOKS.c.id)).all():
        reason = _vault().open("words", look.reason, f"look.{look.ref}").decode()
        found.append((look.at, look.person, f"look.{look.what}", look.ref, {"reason": reason} if reason else {}))
    for step in bind.execute(_STEPS.select().order_by(_STEPS.c.id)).all():
        detail = {k: v for k, v in (("role", step.role), ("person", step.person)) if v}
        found.append((step.at, None, f"alert.{step.what}", step.item, detail))
    return found


def _move_out_of_audit() -> None:
    """What an older version knows goes back to its tables; it has no place for the rest."""
    bind = op.get_bind()
    for row in bind.execute(_AUDIT.select().order_by(_AUDIT.c.id)).all():
        entry = entry_of(_vault(), row)
        kind, _, what = entry.what.partition(".")
        if kind == "look":
            reason = _vault().seal("words", entry.detail.get("reason", "").encode(), f"look.{entry.ref}")
            look = {"at": stamp(entry.at), "person": entry.actor or "", "what": what, "ref": entry.ref}
            bind.execute(_LOOKS.insert().values(**look, reason=reason))
        elif kind == "alert":
            who = {"role": entry.detail.get("role"), "person": entry.detail.get("person")}
            bind.execute(_STEPS.insert().values(item=entry.ref, at=stamp(entry.at), what=what, **who))
    bind.execute(_FACTS.delete().where(_FACTS.c.name.in_((HEAD_FACT, BASE_FACT))))


def _table(name: str, *columns: str) -> sa.TableClause:
    return sa.table(name, *(sa.column(c) for c in columns))


SHEET = "~sheet"
_SURVEYS = _table("surveys", "id", "state", "finished")
_ANSWERS = _table("answers", "survey", "question", "value", "sheet")
_FACTS = _table("facts", "name", "value")
_AUDIT = _table("audit", "id", "at", "actor", "what", "ref", "digest", "sealed", "hash", "mac")
_LOOKS = _table("looks", "id", "at", "person", "what", "ref", "reason")
_STEPS = _table("alert_steps", "id", "item", "at", "what", "role", "person")
