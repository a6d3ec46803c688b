"""Schema versions, one after the other; released ones are never edited."""
