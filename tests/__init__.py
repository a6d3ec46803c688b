"""Tests, and the stand-ins they need; a package, so that tests can import them by name."""
