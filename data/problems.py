"""What can be wrong with a database, each in one line for people."""

from __future__ import annotations


class DatabaseProblem(Exception):
    """The database cannot be used; the text is one line that names the remedy."""


class DatabaseBusy(DatabaseProblem):
    """Another process holds the database; the same may work in a moment."""


class DatabaseHeld(DatabaseBusy):
    """Another program has locked what is needed, and did not let go of it in time."""


class StatementRefused(Exception):
    """The database works, but refuses this statement: a fault in the program. Holds no value of a row."""
