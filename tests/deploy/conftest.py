"""The edge, to ask for its routes and figures."""

from tests.edge.conftest import app, client, parts, settings, watch

__all__ = ["app", "client", "parts", "settings", "watch"]
