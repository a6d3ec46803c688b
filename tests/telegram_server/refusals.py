"""How the server says no: Telegram's codes and words, and which refusals nobody can avoid."""

CONFLICT = "conflict"
FLOOD = "flood"
FORBIDDEN = "forbidden"
NOT_MODIFIED = "not modified"
QUERY = "query"
TOO_OLD = "too old to delete"  # a bot that keeps no times finds out by trying


class Refusal(Exception):
    """An answer that is not ok; `unavoidable` names its kind where a restart may cause it."""

    def __init__(
        self, code: int, description: str, unavoidable: str | None = None, parameters: dict | None = None
    ) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.unavoidable = unavoidable
        self.parameters = parameters or {}


def bad(description: str, unavoidable: str | None = None) -> Refusal:
    return Refusal(400, f"Bad Request: {description}", unavoidable)


def forbidden(description: str) -> Refusal:
    return Refusal(403, f"Forbidden: {description}", FORBIDDEN)


def conflict(description: str) -> Refusal:
    return Refusal(409, f"Conflict: {description}", CONFLICT)


def too_many(retry_after: int) -> Refusal:
    description = f"Too Many Requests: retry after {retry_after}"
    return Refusal(429, description, FLOOD, {"retry_after": retry_after})


def not_modified() -> Refusal:
    description = (
        "message is not modified: specified new message content and reply markup "
        "are exactly the same as a current content and reply markup of the message"
    )
    return bad(description, NOT_MODIFIED)


def query_too_old() -> Refusal:
    return bad("query is too old and response timeout expired or query ID is invalid", QUERY)
