"""The description of the interface: whole, the same as served and as it lies in docs/, and true of what the models and the core say."""

import json
from typing import Any

import jsonschema
import pytest

from integration import forms
from integration.procedure.case import Status
from tests.edge.portal import ROOT
from tests.edge.test_routes import FOR_PEOPLE
from webhooks import openapi

CALLBACKS = ("pengaduan.terdaftar", "pengaduan.perlu_revisi", "status.berubah", "giliran.unit_kerja", "dokumen.terbit", "pengaduan.selesai")
MESSAGES = ("pengaduan.diajukan", "pengaduan.direvisi", "pengaduan.dibatalkan", "uji_coba.dinilai", "serah_terima.ditanggapi")


def description() -> dict[str, Any]:
    return openapi.description(("FRM-SI-005",))


def valid(example: Any, schema: dict[str, Any]) -> None:
    """Raise where an example is not as its schema says."""
    whole = {**schema, "components": description()["components"]}
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    jsonschema.Draft202012Validator(whole, format_checker=checker).validate(example)


def test_every_route_is_described_and_no_other(app):
    served = {
        (method.lower(), rule.rule.replace("<ticket>", "{tiket}").replace("<public_id>", "{id}").replace("<sha256>", "{sha256}"))
        for rule in app.url_map.iter_rules()
        if rule.endpoint.split(".")[0] not in FOR_PEOPLE
        for method in rule.methods - {"OPTIONS", "HEAD"}
    }
    assert {(method, path) for path, methods in description()["paths"].items() for method in methods} == served


def test_the_file_in_docs_is_what_is_served(client):
    served = client.get("/openapi.json").json
    assert served["openapi"] == "3.1.0"
    assert json.loads((ROOT / "docs" / "openapi.json").read_text(encoding="utf-8")) == served, "run `make openapi`"


def test_every_reference_leads_somewhere():
    for part in json.dumps(description()).split('"$ref": "#/')[1:]:
        found = description()
        for name in part.split('"')[0].split("/"):
            found = found[name]


def test_the_six_callbacks_are_described_each_with_an_example_that_is_one():
    told = description()["webhooks"]
    assert tuple(told) == CALLBACKS
    for kind, call in told.items():
        content = call["post"]["requestBody"]["content"]["application/json"]
        assert content["example"]["type"] == kind
        valid(content["example"], content["schema"])


def test_the_five_messages_have_each_an_example_that_is_taken():
    content = description()["paths"]["/webhooks/layanan"]["post"]["requestBody"]["content"]["application/json"]
    assert tuple(content["examples"]) == MESSAGES
    for kind, example in content["examples"].items():
        valid(example["value"], content["schema"])
        read = forms.read(json.dumps(example["value"]).encode())
        assert not isinstance(read, forms.Faults | forms.NotJson)
        assert read.type == kind


@pytest.mark.parametrize("outcome", ["tolak-fungsi", "tolak-dokumen"])
def test_that_a_refused_handover_needs_a_reason_is_described(outcome):
    schema = description()["components"]["schemas"]["HandoverData"]
    data = {"tiket": "SI-2026-000001", "hasil": outcome, "oleh": "Dekan"}
    valid({**data, "catatan": "Tombol simpan masih galat."}, schema)
    for missing in (data, {**data, "catatan": ""}, {**data, "catatan": None}):
        with pytest.raises(jsonschema.ValidationError):
            valid(missing, schema)


def test_the_words_of_the_status_are_those_of_the_core():
    assert description()["components"]["schemas"]["StatusWord"]["enum"] == list(Status)


def test_what_the_portal_is_told_of_a_case_is_as_described(portal):
    ticket = portal.submit().json["tiket"]
    schemas = description()["components"]["schemas"]
    valid(portal.ask(ticket).json, schemas["Status"])
    valid(portal.list().json, schemas["Cases"])
