"""Backups."""

BACKED_UP = "cadangan"
