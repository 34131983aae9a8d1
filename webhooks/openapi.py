"""The description of the edge, `GET /openapi.json`: the routes from openapi.yaml, the messages from the models that check them."""

import json
from functools import cache
from pathlib import Path

import yaml
from flask import Blueprint, Response, jsonify

from integration import forms
from integration.codec import Json

ROUTES = Path(__file__).with_name("openapi.yaml")


@cache
def description() -> Json:
    """The whole document, read once in a process. Models are named once, among its components."""
    document: Json = yaml.safe_load(ROUTES.read_text(encoding="utf-8"))
    message: Json = json.loads(json.dumps(forms.schema()).replace('"#/$defs/', '"#/components/schemas/'))
    document["components"]["schemas"].update(message.pop("$defs", {}), Message=message)
    return document


def openapi() -> Blueprint:
    """The one route."""
    pages = Blueprint("openapi", __name__)
    document = description()

    @pages.get("/openapi.json")
    def described() -> Response:
        return jsonify(document)

    return pages
