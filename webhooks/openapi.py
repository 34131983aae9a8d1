"""What `GET /openapi.json` and docs/openapi.json say: the routes and callbacks from YAML, the messages from the models that check them.

`python -m webhooks.openapi` prints it.
"""

import json
from functools import cache
from pathlib import Path

import yaml
from flask import Blueprint, Response, jsonify

from integration import forms, procedures
from integration.codec import Json
from webhooks.edge import Edge

HERE = Path(__file__).parent
HEADERS = tuple({"$ref": f"#/components/parameters/{name}"} for name in ("id", "timestamp", "signature"))


@cache
def description(codes: tuple[str, ...]) -> Json:
    """The whole document, where forms of these codes are taken; read once in a process. Models are named once, among its components."""
    document, schemas, callbacks = (_read(name) for name in ("openapi", "schemas", "callbacks"))
    message: Json = json.loads(json.dumps(forms.schema()).replace('"#/$defs/', '"#/components/schemas/'))
    called = {kind: _callback(kind, told) for kind, told in callbacks.items()}
    document["components"]["schemas"] = {**schemas, **message.pop("$defs", {}), "Message": message}
    document["components"]["schemas"]["Form"]["properties"]["kode"] = {"title": "Kode", "type": "string", "enum": list(codes)}
    document["webhooks"] = called
    return document


def _read(name: str) -> Json:
    content: Json = yaml.safe_load((HERE / f"{name}.yaml").read_text(encoding="utf-8"))
    return content


def _callback(kind: str, told: Json) -> Json:
    """One kind of call of the portal as OpenAPI: where the case stands, and what this kind tells more."""
    more = {"type": "object", "properties": told["more"], "required": told.get("required", [])}
    data = {"allOf": [{"$ref": "#/components/schemas/Standing"}, more]} if told["more"] else {"$ref": "#/components/schemas/Standing"}
    schema = {
        "type": "object",
        "required": ["type", "timestamp", "data"],
        "properties": {"type": {"const": kind}, "timestamp": {"type": "string", "format": "date-time"}, "data": data},
    }
    call = {
        "summary": told["summary"],
        "description": told.get("description", ""),
        "parameters": list(HEADERS),
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema, "example": told["example"]}}},
        "responses": {
            "2XX": {"$ref": "#/components/responses/Kept"},
            "429": {"$ref": "#/components/responses/Again"},
            "4XX": {"$ref": "#/components/responses/Parked"},
            "5XX": {"$ref": "#/components/responses/Again"},
        },
    }
    return {"post": {name: value for name, value in call.items() if value}}


def openapi(edge: Edge) -> Blueprint:
    """The one route."""
    pages = Blueprint("openapi", __name__)
    document = description(edge.forms)

    @pages.get("/openapi.json")
    def described() -> Response:
        return jsonify(document)

    return pages


if __name__ == "__main__":
    shipped = dict.fromkeys(procedures.load(path).form for path in procedures.shipped().values())
    print(json.dumps(description(tuple(shipped)), ensure_ascii=False, indent=2))  # noqa: T201 -- `make openapi` writes it to docs/
