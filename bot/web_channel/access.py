"""Who may open which page: every route of the web channel stands here, or the tests fail.

"anyone" needs no session; "joined" belongs to whoever the session belongs to; anything else is an action of
conversations/roles.py.
"""

from __future__ import annotations

ACCESS: dict[tuple[str, str], str] = {
    ("GET", "/"): "anyone",
    ("GET", "/me"): "joined",
    ("POST", "/me"): "joined",
    ("GET", "/me/version"): "joined",
    ("GET", "/me/picture/{number:int}"): "joined",
    ("GET", "/me/file/{number:int}"): "joined",
    ("GET", "/join/{code}"): "anyone",
    ("POST", "/join/{code}"): "anyone",
    ("GET", "/queue"): "queue",
    ("GET", "/queue/{id}"): "queue",
    ("POST", "/queue/{id}"): "queue",
    ("GET", "/queue/{id}/name"): "queue",
    ("POST", "/queue/{id}/name"): "queue",
    ("POST", "/queue/{id}/route"): "queue",
    ("POST", "/queue/{id}/copy"): "queue",
    ("POST", "/queue/{id}/done"): "queue",
    ("POST", "/queue/{id}/comment"): "queue-all",
    ("GET", "/queue/{id}/{act}"): "queue",
    ("GET", "/people"): "invite",
    ("GET", "/people/letters"): "invite",
    ("POST", "/people/letters"): "invite",
    ("GET", "/people/made"): "invite",
    ("GET", "/people/paper"): "invite",
    ("GET", "/people/calls"): "invite",
    ("GET", "/people/group/{id}"): "invite",
    ("POST", "/people/group/{id}"): "invite",
    ("GET", "/people/letter/{id}"): "invite",
    ("POST", "/people/letter/{id}"): "invite",
    ("GET", "/people/family/{id}"): "invite",
    ("POST", "/people/family/{id}"): "invite",
    ("GET", "/people/staff"): "invite-staff",
    ("GET", "/people/staff/{id}"): "invite-staff",
    ("POST", "/people/staff/{id}"): "invite-staff",
    ("POST", "/people/waiting/{id}"): "invite-staff",
    ("GET", "/factor"): "second-factor",
    ("POST", "/factor"): "second-factor",
    ("GET", "/factor/picture"): "second-factor",
    ("GET", "/file/{token}"): "anyone",
    ("POST", "/file/{token}"): "anyone",
    ("POST", "/unlock"): "anyone",
    ("POST", "/sign-out"): "joined",
    ("GET", "/healthz"): "anyone",
    ("GET", "/readyz"): "anyone",
    ("GET", "/static"): "anyone",
}
