"""Read-only web pages: the issue list, an issue, a board."""

from flask import Flask

from sandbox.gitlab.store import Store


def attach(app: Flask, store: Store) -> None:
    """Add the pages to the app."""
