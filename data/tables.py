"""The schema, as SQLAlchemy Core tables. `sealed` columns are encrypted (data/vault.py).

Ids of people, runs, sheets and queue items are random, so that they tell no order. Tables that hold answers have no
rowid and no time. Times are UTC, as ISO text, which sorts and reads the same on every database.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
)

metadata = MetaData()


def _person(**more: object) -> Column[str]:
    return Column("person", String, ForeignKey("people.id", ondelete="CASCADE"), **more)  # type: ignore[arg-type]


facts = Table(  # one row per fact about this installation: the sealed school, the key check, the bot's name
    "facts",
    metadata,
    Column("name", String, primary_key=True),
    Column("value", LargeBinary, nullable=False),
)

groups = Table(
    "groups",
    metadata,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False, unique=True),
    Column("hidden", Boolean, nullable=False, default=False, server_default=false()),  # of a pool; nobody joins it
)

people = Table(
    "people",
    metadata,
    Column("id", String, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),  # name or family label
    Column("language", String, nullable=False),
    Column("stopped", Boolean, nullable=False, default=False),
    Column("consent_at", String, nullable=False),
    Column("consent_wording", Integer, nullable=False),
    Column("consent_language", String, nullable=False),
    Column("front", String),  # the run in front of the person
    Column("ended_at", String),  # since when the school has cut this person's access (PR-2)
    Column("erased_at", String),  # deleted; the row stays only until the last chat is tidied
    sqlite_with_rowid=False,
)

children = Table(  # whom a parent answers for; the nickname is the parent's own and shown to nobody else
    "children",
    metadata,
    _person(primary_key=True),
    Column("nth", Integer, primary_key=True, autoincrement=False),
    Column("sealed", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

roles = Table(
    "roles",
    metadata,
    _person(primary_key=True),
    Column("role", String, primary_key=True),
    sqlite_with_rowid=False,
)

memberships = Table(
    "memberships",
    metadata,
    Column("group_id", String, ForeignKey("groups.id"), primary_key=True),
    _person(primary_key=True),
    sqlite_with_rowid=False,
)

addresses = Table(
    "addresses",
    metadata,
    Column("channel", String, primary_key=True),
    Column("hash", String, primary_key=True),
    _person(nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("unreachable", Boolean, nullable=False, default=False),
    Column("ended", Boolean, nullable=False, default=False, server_default=false()),  # belongs to nobody; to be tidied
    Index("addresses_person", "person"),
    sqlite_with_rowid=False,
)

sessions = Table(  # browsers that have joined
    "sessions",
    metadata,
    Column("hash", String, primary_key=True),
    _person(nullable=False),
    Column("ends_at", String, nullable=False),
    Column("idle_at", String),  # staff: when it locks unless it is used before
    Column("locks_at", String),  # staff: when it locks at the latest
    Column("proved_until", String),  # staff: until when the second factor counts
    Index("sessions_person", "person"),
    sqlite_with_rowid=False,
)

second_factors = Table(  # the secret of a member of staff's authenticator app
    "second_factors",
    metadata,
    _person(primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("confirmed", Boolean, nullable=False),
    Column("last_step", Integer, nullable=False),  # codes up to this half minute are used up
    Column("wrong", Integer, nullable=False),
    Column("wrong_at", String),
    sqlite_with_rowid=False,
)

codes = Table(
    "codes",
    metadata,
    Column("hash", String, primary_key=True),
    Column("role", String, nullable=False),
    Column("group_id", String, ForeignKey("groups.id")),
    Column("sealed", LargeBinary),  # family label
    Column("language", String, nullable=False),
    Column("uses_left", Integer, nullable=False),
    Column("expires_at", String, nullable=False),
    Column("made_at", String),
    Column("made_by", String),  # who made it in a chat or on a page; none for the command line
    Column("waits", Boolean, nullable=False, default=False, server_default=false()),  # for a colleague's yes
    Column("children", Integer, nullable=False, default=1, server_default="1"),
    Column("slip", Integer),  # number of its letter within the group
    Column("replaced", Boolean, nullable=False, default=False, server_default=false()),  # a newer one was made for it
    Column("device_of", String),  # it adds a device to this person
    sqlite_with_rowid=False,
)

code_uses = Table(  # so that a used code opened again by the same person goes on
    "code_uses",
    metadata,
    Column("hash", String, ForeignKey("codes.hash", ondelete="CASCADE"), primary_key=True),
    _person(primary_key=True),
    Column("at", String),
    sqlite_with_rowid=False,
)

visits = Table(  # strangers who opened a code and have not said yes or no
    "visits",
    metadata,
    Column("address", String, primary_key=True),
    Column("code", String, nullable=False),
    Column("at", String, nullable=False),
    sqlite_with_rowid=False,
)

wrong_codes = Table(  # for slowing down those who guess; kept an hour
    "wrong_codes",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("address", String, nullable=False),
    Column("at", String, nullable=False),
    Index("wrong_codes_address", "address", "at"),
)

forms = Table(
    "forms",
    metadata,
    Column("id", String, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("source", Text, nullable=False),
)

surveys = Table(
    "surveys",
    metadata,
    Column("id", String, primary_key=True),
    Column("nth", Integer, nullable=False),
    Column("form", String, nullable=False),
    Column("version", Integer, nullable=False),
    Column("source", Text, nullable=False),  # the form as it was sent
    Column("mode", String, nullable=False),
    Column("group_id", String, ForeignKey("groups.id"), nullable=False),
    Column("decision", Text, nullable=False),
    Column("decider", LargeBinary, nullable=False),  # sealed: a name
    Column("opened_on", String, nullable=False),
    Column("closes_at", String, nullable=False),
    Column("answer_by", String, nullable=False),
    Column("state", String, nullable=False),  # open, closed, unopened, lost
    Column("closed_on", String),
    Column("asked", Integer, nullable=False),
    Column("started", Integer),
    Column("finished", Integer),
    Column("gone", Integer, nullable=False, default=0, server_default="0"),  # marks of people since deleted
    Column("paper", Integer, nullable=False, default=0, server_default="0"),  # sheets given on paper
    Column("keys_cut_on", String),  # CONF: since when nobody can tell whose sheet it is
    Column("totals_since", String),  # since when only totals are left
    Column("nudge_at", String),  # when the one reminder goes; none: it went, or there is none
    Column("pooled", Boolean, nullable=False, default=False, server_default=false()),  # one box for many visits
    UniqueConstraint("form", "nth"),
)

runs = Table(
    "runs",
    metadata,
    Column("id", String, primary_key=True),
    _person(),  # none: sent into a pool, and let go of since (data/pools.py)
    Column("survey", String, ForeignKey("surveys.id")),
    Column("errand", String),
    Column("sealed", LargeBinary, nullable=False),
    Column("words", LargeBinary),
    UniqueConstraint("survey", "person"),
    Index("runs_person", "person"),
    sqlite_with_rowid=False,
)

marks = Table(  # who was asked and who took part, written at closing
    "marks",
    metadata,
    Column("survey", String, ForeignKey("surveys.id"), primary_key=True),
    _person(primary_key=True),
    Column("finished", Boolean, nullable=False),
    sqlite_with_rowid=False,
)

answers = Table(  # the primary key is the covering index that makes a summary one range scan
    "answers",
    metadata,
    Column("survey", String, ForeignKey("surveys.id"), primary_key=True),
    Column("question", String, primary_key=True),
    Column("value", String, primary_key=True),
    Column("sheet", String, primary_key=True),
    sqlite_with_rowid=False,
)

sheet_keys = Table(  # CONF and NAMED: whose sheet it is, sealed; a random id, so that no order links the two
    "sheet_keys",
    metadata,
    Column("id", String, primary_key=True),
    Column("survey", String, ForeignKey("surveys.id"), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

removals = Table(  # answer sheets that were taken out, each with a reason (AUDIT-1)
    "removals",
    metadata,
    Column("id", String, primary_key=True),
    Column("survey", String, ForeignKey("surveys.id"), nullable=False),
    Column("at", String, nullable=False),
    Column("by", String),
    Column("sealed", LargeBinary, nullable=False),  # the reason
    Index("removals_survey", "survey"),
    sqlite_with_rowid=False,
)

totals = Table(  # what stays of a survey when its raw answers have gone: how often each value was given
    "totals",
    metadata,
    Column("survey", String, ForeignKey("surveys.id"), primary_key=True),
    Column("question", String, primary_key=True),
    Column("value", String, primary_key=True),
    Column("n", Integer, nullable=False),
    sqlite_with_rowid=False,
)

records = Table(  # NAMED answers, whole: the child's record area, with who said it and how it was given
    "records",
    metadata,
    Column("id", String, primary_key=True),
    Column("survey", String, ForeignKey("surveys.id"), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Index("records_survey", "survey"),
    sqlite_with_rowid=False,
)

queue = Table(
    "queue",
    metadata,
    Column("id", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("sealed", LargeBinary, nullable=False),  # words, person, question
    Column("survey", String),
    Column("came_at", String, nullable=False),
    Column("read_at", String),
    Column("read_by", String),
    Column("about", String),  # the roles it is about, with commas: those who hold one never see it (SAFE-7)
    Column("reached", String),  # the roles to which its ladder has climbed, with commas: they see it too
    Column("route", String),  # welfare, staff, head, complaint, none (SAFE-7)
    Column("routed_at", String),
    Column("routed_by", String),
    Column("reason", LargeBinary),  # sealed: why it is no concern
    Column("done_at", String),  # the school's own record has it (SAFE-8); the words go a week later
    Column("done_by", String),
    Index("queue_waiting", "read_at", "came_at"),
    sqlite_with_rowid=False,
)

comments = Table(  # what readers decided about the words of a survey; undecided ones have no row
    "comments",
    metadata,
    Column("item", String, ForeignKey("queue.id", ondelete="CASCADE"), primary_key=True),
    Column("survey", String, ForeignKey("surveys.id"), nullable=False),
    Column("state", String, nullable=False),  # held, theme, quote
    Column("sealed", LargeBinary, nullable=False),  # the words as they may travel, and their themes
    Index("comments_survey", "survey", "state"),
    sqlite_with_rowid=False,
)

alerts = Table(  # the ladder of one urgent item (SAFE-5)
    "alerts",
    metadata,
    Column("item", String, ForeignKey("queue.id", ondelete="CASCADE"), primary_key=True),
    Column("rung", Integer, nullable=False),  # how many people's turns have come
    Column("climb_at", String, nullable=False),  # when the next one's turn comes
    Column("acknowledged_at", String),
    Column("acknowledged_by", String),
    Index("alerts_due", "acknowledged_at", "climb_at"),
    sqlite_with_rowid=False,
)

duties = Table(  # how those on the ladder can be alerted
    "duties",
    metadata,
    _person(primary_key=True),
    Column("away_until", String),
    Column("any_hour", Boolean),  # alerts outside office hours too; none: as the role has it
    sqlite_with_rowid=False,
)

audit = Table(  # who looked at, took out, changed or deleted what: rows chained by hash, never changed (data/audit.py)
    "audit",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("at", String, nullable=False),
    Column("actor", String),  # who did it; none for the program itself
    Column("what", String, nullable=False),
    Column("ref", String, nullable=False),  # the id of what it was done to
    Column("digest", String),  # of the details, so that they can be emptied and the chain still holds
    Column("sealed", LargeBinary),  # details: a reason, a role
    Column("hash", String, nullable=False),  # of the row before and this one
    Column("mac", String, nullable=False),  # the same with the key
    Index("audit_ref", "ref", "id"),
)

tombstones = Table(  # what must not come back with a backup, as keyed hashes (data/tombstones.py)
    "tombstones",
    metadata,
    Column("hash", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("at", String, nullable=False),
    sqlite_with_rowid=False,
)

pauses = Table(  # families to whom the bot writes nothing of its own accord for a while
    "pauses",
    metadata,
    _person(primary_key=True),
    Column("since", String, nullable=False),
    Column("until", String),  # none: until somebody ends it
    Column("sealed", LargeBinary, nullable=False),  # why, and who said so
    sqlite_with_rowid=False,
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String, nullable=False),
    Column("ref", String, nullable=False),
    _person(nullable=False),
    Column("lane", Integer, nullable=False),
    Column("due_at", String, nullable=False),
    Column("state", String, nullable=False),  # waiting, sending, held, page, sent, failed, dropped
    Column("why", String),
    Column("owner", String),
    Column("lease_until", String),
    Column("tries", Integer, nullable=False, default=0),
    UniqueConstraint("kind", "ref", "person"),
    Index("outbox_due", "state", "lane", "due_at"),
    Index("outbox_person", "person", "state"),
)

calendar = Table(  # terms, holidays and other stretches of days, as the school's calendar file says
    "calendar",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String, nullable=False),  # term, half-term, inset, holiday, festival, exams, closed
    Column("first", String, nullable=False),
    Column("last", String, nullable=False),
    Column("name", Text, nullable=False),
)

events = Table(  # drop-ins, coffee mornings, charity and wellbeing events: what is the same each time
    "events",
    metadata,
    Column("id", String, primary_key=True),
    Column("kind", String, nullable=False),  # dropin, coffee, event, charity, wellbeing
    Column("group_id", String, ForeignKey("groups.id"), nullable=False),
    Column("host", String, ForeignKey("people.id", ondelete="SET NULL")),
    Column("title", Text, nullable=False),  # empty: named after its kind
    Column("place", Text, nullable=False),
    Column("online", Text, nullable=False),  # the address of a video meeting; empty without one
    Column("ways", String, nullable=False),  # in-person, phone, video, with commas
    Column("slot_minutes", Integer),  # none: people just come, or say that they will
    Column("capacity", Integer),  # of each slot, else of each time; none: no limit
    Column("access", Text, nullable=False),  # JSON: noise, crowds, toilets, quiet, cost, wear -> words
    Column("next_time", Text, nullable=False),  # JSON: what B6e offers for next time, a list of words
    Column("repeats", String, nullable=False),  # "", weekly, fortnightly, monthly
    Column("made_by", String),
    Column("made_at", String, nullable=False),
    Column("cancelled_at", String),
    Column("reason", Text),  # why it is off, as families are told
)

occasions = Table(  # the times of an event
    "occasions",
    metadata,
    Column("id", String, primary_key=True),
    Column("event", String, ForeignKey("events.id"), nullable=False),
    Column("starts_at", String, nullable=False),
    Column("ends_at", String, nullable=False),
    Column("sequence", Integer, nullable=False),  # grows with each change, for calendar files (RFC 5545)
    Column("cancelled_at", String),
    Column("reason", Text),
    Column("first_at", String),  # when the reminder of the school day before is due; none: there is none
    Column("hour_at", String),  # when the one of an hour before is due
    Column("first_done", Boolean, nullable=False),
    Column("hour_done", Boolean, nullable=False),
    Column("followed_up", Boolean, nullable=False),  # people were asked how it was
    Column("came", Integer),  # counts that stay when the bookings have gone, as the host noted
    Column("missed", Integer),
    Column("walked_in", Integer),
    Index("occasions_event", "event", "starts_at"),
    Index("occasions_starts", "starts_at"),
)

bookings = Table(  # who comes, waits for a place, or cannot come; deleted 30 days after
    "bookings",
    metadata,
    Column("id", String, primary_key=True),
    Column("occasion", String, ForeignKey("occasions.id"), nullable=False),
    _person(nullable=False),
    Column("state", String, nullable=False),  # coming, waiting, cannot
    Column("slot", Integer),  # from 0; none where there are no slots, or while waiting for any
    Column("seat", Integer),  # within the slot, from 0; none where nothing limits them, or while waiting
    Column("heads", Integer, nullable=False),
    Column("way", String, nullable=False),  # in-person, phone, video
    Column("remind", String, nullable=False),  # both, day, hour, none
    Column("sealed", LargeBinary),  # topic, needs, interpreter; emptied the day after
    Column("came", Boolean),  # as the host noted
    Column("made_at", String, nullable=False),
    UniqueConstraint("occasion", "person"),
    UniqueConstraint("occasion", "slot", "seat"),
    Index("bookings_person", "person"),
    sqlite_with_rowid=False,
)

wishes = Table(  # what people chose to hear of besides: charity, wellbeing (MSG-2)
    "wishes",
    metadata,
    _person(primary_key=True),
    Column("kind", String, primary_key=True),
    sqlite_with_rowid=False,
)

room_notes = Table(  # "said in the room": themes, and words without names, as the host noted them
    "room_notes",
    metadata,
    Column("id", String, primary_key=True),
    Column("occasion", String, ForeignKey("occasions.id"), nullable=False),
    Column("theme", String, nullable=False),
    Column("sealed", LargeBinary),
    Index("room_notes_occasion", "occasion"),
    sqlite_with_rowid=False,
)

requests = Table(  # pupils who asked to talk with an adult; gone when the adult has been with them
    "requests",
    metadata,
    Column("id", String, primary_key=True),
    _person(nullable=False),
    Column("adult", String, ForeignKey("people.id", ondelete="CASCADE"), nullable=False),
    Column("asked_at", String, nullable=False),
    Column("seen_at", String),
    UniqueConstraint("person", "adult"),
    sqlite_with_rowid=False,
)

sendings = Table(  # questions that are to go out on a day and time
    "sendings",
    metadata,
    Column("id", String, primary_key=True),
    Column("form", String, nullable=False),
    Column("group_id", String, ForeignKey("groups.id"), nullable=False),
    Column("sealed", LargeBinary, nullable=False),  # decision, decider, dates
    Column("due_at", String, nullable=False),
    Column("by", String),
    Column("state", String, nullable=False),  # planned, sent, refused, cancelled
    Column("why", String),
)

wedid = Table(  # rows of "you said, we did"
    "wedid",
    metadata,
    Column("id", String, primary_key=True),
    Column("survey", String, ForeignKey("surveys.id"), nullable=False),
    Column("said", Text, nullable=False),
    Column("how_many", Integer),
    Column("answer", String, nullable=False),  # did, doing, already, cannot
    Column("words", Text, nullable=False),  # what is done; for cannot: why
    Column("who", Text, nullable=False),  # a role, not a name
    Column("by_when", String),
    Column("state", String, nullable=False),  # draft, published, replaced
    Column("written_by", String),
    Column("seen_by", String),  # the colleague of the second look
    Column("published_on", String),
    Column("replaces", String),
    Index("wedid_survey", "survey", "state"),
)

links = Table(  # one-time links: a file to fetch, or the queue page
    "links",
    metadata,
    Column("hash", String, primary_key=True),
    _person(nullable=False),
    Column("kind", String, nullable=False),
    Column("ref", String, nullable=False),
    Column("expires_at", String, nullable=False),
    sqlite_with_rowid=False,
)

updates = Table(  # repeated deliveries change nothing
    "updates",
    metadata,
    Column("channel", String, primary_key=True),
    Column("id", Integer().with_variant(BigInteger, "postgresql"), primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

readings = Table(  # the last time at which words were handed to their readers
    "readings",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", String, nullable=False),
)
