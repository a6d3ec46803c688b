"""What every page, chat command and verb writes into the audit log: declared here, played by tests/test_audit_words.py.

Whatever shows names, hands something out, or changes something for others has its kinds of rows (data/audit_kinds.py)
here; an empty tuple says that there is nothing to note. Taking part in a survey never is: nobody can see in the log
whether or when somebody answered.
"""

from __future__ import annotations

Words = tuple[str, ...]
NOTHING: Words = ()

_LADDER = ("alert.alerted", "alert.blocked", "alert.nobody")
_ROUTED = tuple(f"alert.routed-{route}" for route in ("welfare", "staff", "head", "complaint", "none"))
_FILES = tuple(f"look.export-{kind}" for kind in ("counts", "codebook", "answers", "comments"))

PAGES: dict[tuple[str, str], Words] = {
    ("GET", "/"): NOTHING,
    ("GET", "/me"): NOTHING,
    ("POST", "/me"): NOTHING,  # a chat: what its commands and buttons write stands below
    ("GET", "/me/version"): NOTHING,
    ("GET", "/me/picture/{number:int}"): NOTHING,
    ("GET", "/me/file/{number:int}"): NOTHING,
    ("GET", "/mydata"): NOTHING,  # one's own
    ("GET", "/mydata/file"): NOTHING,
    ("GET", "/calendar/{id}"): NOTHING,  # one's own place
    ("GET", "/privacy"): NOTHING,
    ("GET", "/join/{code}"): NOTHING,
    ("POST", "/join/{code}"): ("role.given",),
    ("GET", "/queue"): NOTHING,
    ("GET", "/queue/{id}"): NOTHING,  # words come only after somebody pressed Read, which is noted
    ("POST", "/queue/{id}"): ("item.read", "alert.acknowledged"),
    ("GET", "/queue/{id}/name"): NOTHING,
    ("POST", "/queue/{id}/name"): ("look.name",),
    ("POST", "/queue/{id}/route"): (*_ROUTED, *_LADDER),
    ("POST", "/queue/{id}/copy"): ("look.copy",),
    ("POST", "/queue/{id}/done"): ("alert.in-record", "alert.not-in-record"),
    ("POST", "/queue/{id}/comment"): ("comment.held", "comment.theme", "comment.quote"),
    ("GET", "/queue/{id}/{act}"): NOTHING,
    ("GET", "/people"): NOTHING,  # numbers only
    ("GET", "/people/letters"): NOTHING,
    ("POST", "/people/letters"): ("letters.made",),
    ("GET", "/people/made"): NOTHING,
    ("GET", "/people/paper"): ("look.letters",),
    ("GET", "/people/calls"): ("look.call-list",),
    ("GET", "/people/group/{id}"): ("look.labels",),
    ("POST", "/people/group/{id}"): ("letter.made-again",),
    ("GET", "/people/letter/{id}"): ("look.letter",),
    ("POST", "/people/letter/{id}"): ("letter.made-again", "letter.taken-back", "access.ended"),
    ("GET", "/people/family/{id}"): ("look.family",),
    ("POST", "/people/family/{id}"): ("access.ended",),
    ("GET", "/people/pause/{id}"): ("look.pause",),
    ("POST", "/people/pause/{id}"): ("look.pause", "pause.set", "pause.ended", "child-name.out"),
    ("GET", "/people/staff"): ("look.labels",),
    ("GET", "/people/staff/{id}"): ("look.colleague",),
    ("POST", "/people/staff/{id}"): ("role.given", "role.taken", "factor.reset", "signed-out", "access.ended"),
    ("POST", "/people/waiting/{id}"): ("role.approved", "role.refused", "role.given", "access.ended"),
    ("GET", "/events"): NOTHING,  # numbers only
    ("GET", "/events/import"): NOTHING,
    ("POST", "/events/import"): ("dropin.made", "event.made"),
    ("GET", "/events/{id}"): NOTHING,
    ("POST", "/events/{id}"): ("look.host-sheet",),
    ("GET", "/names"): NOTHING,
    ("GET", "/names/{id}"): ("look.sheets",),
    ("GET", "/names/{id}/{sheet}"): NOTHING,
    ("POST", "/names/{id}/{sheet}"): ("look.name",),
    ("GET", "/records"): ("look.labels",),
    ("GET", "/records/{id}"): ("look.family",),
    ("POST", "/records/{id}"): ("look.record", "look.export-record"),
    ("GET", "/results"): NOTHING,
    ("GET", "/results/{id}"): NOTHING,
    ("POST", "/results/{id}"): _FILES,
    ("GET", "/results/{id}/sheet"): ("look.sheet",),
    ("POST", "/results/{id}/sheet"): ("look.sheet", "sheet.removed"),
    ("GET", "/factor"): NOTHING,
    ("POST", "/factor"): ("factor.set",),
    ("GET", "/factor/picture"): NOTHING,
    ("GET", "/file/{token}"): NOTHING,
    ("POST", "/file/{token}"): NOTHING,
    ("POST", "/unlock"): NOTHING,
    ("POST", "/sign-out"): NOTHING,  # one's own browsers
    ("POST", "/telegram"): NOTHING,  # what Telegram brings: chat commands and buttons stand below
    ("GET", "/healthz"): NOTHING,
    ("GET", "/readyz"): NOTHING,
    ("GET", "/static"): NOTHING,
}

CHAT: dict[str, Words] = {  # with the buttons that a command leads to
    "surveys": NOTHING,
    "dropins": ("look.request", "request.ended"),  # a pupil asks; the adult opens it
    "events": NOTHING,  # one's own places
    "queue": ("duty.away", "duty.back", "duty.any-hour", "duty.school-hours"),
    "send": (
        "survey.sent", "survey.planned", "survey.plan-cancelled", "sending.paused", "sending.resumed",
        "sending.stopped",
    ),
    "summary": ("survey.reminded",),
    "close": ("survey.closed",),
    "export": ("look.export-counts",),
    "dropin": (
        "dropin.made", "dropin.changed", "dropin.cancelled", "dropin.attended", "dropin.room-notes", "look.labels",
        "look.host-sheet",
    ),
    "event": ("event.made", "event.changed", "event.cancelled", "event.attended", "event.room-notes", "look.labels",
              "look.host-sheet"),
    "invite": (
        "code.made", "letters.made", "look.labels", "look.waiting", "role.approved", "role.refused", "role.given",
    ),
    "wedid": ("wedid.written", "wedid.published", "wedid.taken-back"),
    "yousaid": NOTHING,
    "menu": NOTHING,
    "help": NOTHING,
    "again": NOTHING,
    "explain": NOTHING,
    "language": NOTHING,
    "settings": ("consent.withdrawn", "access.ended"),
    "whoreads": NOTHING,
    "privacy": NOTHING,
    "mydata": NOTHING,  # one's own
    "delete": ("person.erased",),
    "needhelp": (*_LADDER, "alert.waits"),
    "stop": NOTHING,
    "start": NOTHING,  # alone; with a code it joins, as the page does
}  # fmt: skip

VERBS: dict[str, Words] = {
    "demo": NOTHING,  # an invented school
    "setup": ("school.set-up", "school.changed", "code.made"),
    "run": NOTHING,  # what its clock does stands below
    "doctor": NOTHING,
    "invite": ("code.made", "letters.made"),
    "send": ("survey.sent",),
    "close": ("survey.closed", "survey.lost"),
    "export": _FILES,
    "forget": ("kept", "person.erased"),
    "backup": ("backup",),
    "restore": ("restored",),
    "rollback": NOTHING,  # the database of before, as it was
    "move": ("moved",),
    "documents": NOTHING,
    "try": NOTHING,
    "form list": NOTHING,
    "form check": NOTHING,
    "form add": ("form.added",),
    "form show": NOTHING,
    "event import": ("dropin.made", "event.made"),
    "event check": NOTHING,
    "event delivery": NOTHING,  # counts only
    "event list": NOTHING,
    "survey list": NOTHING,
    "survey show": NOTHING,
    "survey delivery": NOTHING,  # counts only
    "survey remove": ("look.sheet", "sheet.removed"),
    "calendar load": ("calendar.loaded",),
    "calendar check": NOTHING,
    "calendar show": NOTHING,
    "audit verify": NOTHING,
    "audit export": ("look.audit-export",),
    "audit show": ("look.audit",),
    "key new": NOTHING,  # there is no database yet
    "key sheet": ("key-sheet",),
    "key check": NOTHING,
    "key restore": NOTHING,  # without its key there is no log to write
    "key rotate": ("key-rotated",),
    "sar prepare": ("look.sar",),
    "sar finish": ("look.export-sar",),
}

CLOCK: Words = (  # what the running program writes of its own accord
    "survey.closed", "survey.lost", "survey.postponed", "survey.reminded",
    "alert.alerted", "alert.blocked", "alert.nobody", "alert.waits",
    "kept", "named-warned", "names.cut", "forgotten", "erased", "person.erased", "token-changed", "older-database",
)  # fmt: skip
