"""Tests that look at pages: a plain browser that reads forms, and Chromium."""
