"""A populated database for every released schema, made with the code of its release (fill.py)."""
