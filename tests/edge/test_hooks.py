"""GitLab's hooks are kept once, in the lane of the case they are about, and always answered quickly."""

import base64
import json
import sqlite3
from dataclasses import replace
from datetime import timedelta

import pytest
from pydantic import SecretStr

from integration.payloads import OURSELVES, ourselves_text
from integration.rotation import Rotation
from integration.signatures import Secret, sign
from integration.store import Batch, CaseRow, Delivery
from tests.edge.portal import HOOK_TOKEN
from webhooks.app import create_app
from webhooks.edge import LARGEST_BODY
from webhooks.hooks import issue_number

ISSUE = {"object_kind": "issue", "object_attributes": {"iid": 7, "action": "update"}}
NOTE = {"object_kind": "note", "object_attributes": {"id": 501, "note": "/pos setuju"}, "issue": {"iid": 7}}


@pytest.fixture
def client(both):
    return both


def call(client, payload=ISSUE, *, token=HOOK_TOKEN, body=None, **headers):
    given = {"X-Gitlab-Event": "Confidential Issue Hook", **({"X-Gitlab-Token": token} if token is not None else {})}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post("/webhooks/gitlab", data=body if body is not None else json.dumps(payload).encode(), headers=given)


def link(store, iid: int) -> str:
    """A case whose issue has this number."""
    ticket = store.submit(Delivery("portal", "form", "", b""), "SI", 2026).answer["tiket"]
    turn, form = store.claim(lease=timedelta(minutes=1))
    row = CaseRow(ticket, "si", "1", "berjalan", 4, "kasi", None, 1, iid, "SIAKAD", store.clock(), None)
    store.commit(turn, form, Batch(ticket, case_row=row))
    return ticket


def test_a_hook_is_kept_and_answered_with_nothing(client, parts):
    heard = parts.bell.rings
    answer = call(client, Idempotency_Key="uuid-1", X_Gitlab_Instance="https://gitlab.kampus.example")
    assert (answer.status_code, answer.data) == (200, b"")
    (row,) = parts.store.inbox_rows()
    assert (row.source, row.key, row.lane) == ("gitlab", "uuid-1", "issue:7")
    assert row.headers == {
        "X-Gitlab-Event": "Confidential Issue Hook",
        "Idempotency-Key": "uuid-1",
        "X-Gitlab-Instance": "https://gitlab.kampus.example",
    }
    assert HOOK_TOKEN not in str(row)
    assert parts.bell.rings == heard + 1


@pytest.mark.parametrize("payload", [ISSUE, NOTE])
def test_a_hook_about_a_case_goes_into_its_lane(client, parts, payload):
    ticket = link(parts.store, 7)
    call(client, payload)
    assert parts.store.inbox_rows()[0].lane == ticket


def test_our_own_doing_is_kept_and_wakes_nobody_once_a_worker_found_out_who_we_are(client, parts, app):
    ours, theirs = (
        ISSUE | {"user": {"username": "alur-pos"}, "project": {"id": 41}},
        ISSUE | {"user": {"username": "kasi"}, "project": {"id": 41}},
    )
    call(client, ours, Idempotency_Key="sebelum")
    assert [row.key for row in parts.store.inbox_rows()] == ["sebelum"]

    parts.store.set_mark(OURSELVES, ourselves_text("alur-pos", 41))
    client = create_app(parts).test_client()
    heard = parts.bell.rings
    for _ in range(2):
        assert call(client, ours, Idempotency_Key="sesudah").status_code == 200
    assert parts.bell.rings == heard
    assert [row.key for row in parts.store.inbox_rows()] == ["sebelum"]
    (kept,) = parts.store.inbox_rows(state="done")
    assert (kept.key, kept.result, kept.attempts) == ("sesudah", "our own doing", 0)

    call(client, theirs, Idempotency_Key="orang")
    assert parts.store.inbox_rows()[0].key == "orang"
    assert parts.bell.rings == heard + 1


def test_of_our_own_doing_nobody_asks_whose_issue_it_is(parts, monkeypatch):
    link(parts.store, 7)
    parts.store.set_mark(OURSELVES, ourselves_text("alur-pos", 41))
    monkeypatch.setattr(parts.store, "ticket_of", lambda number: pytest.fail(f"asked whose {number} is"))
    call(create_app(parts).test_client(), ISSUE | {"user": {"username": "alur-pos"}, "project": {"id": 41}}, Idempotency_Key="kami")
    assert ("kami", "issue:7") in [(row.key, row.lane) for row in parts.store.inbox_rows(state="done")]


def test_a_hook_sent_twice_is_kept_once(client, parts):
    for _ in range(2):
        assert call(client, Idempotency_Key="uuid-1").status_code == 200
        assert call(client).status_code == 200
    assert len(parts.store.inbox_rows()) == 2
    assert call(client, NOTE, Idempotency_Key="uuid-1").status_code == 200
    assert len(parts.store.inbox_rows()) == 2


def test_the_log_names_each_hook_by_the_id_it_is_kept_under(client, parts, logged, tmp_path):
    ticket = link(parts.store, 7)
    for payload in (ISSUE, ISSUE, NOTE):
        call(client, payload, Idempotency_Key="uuid-1")
    call(client, Idempotency_Key="dua kata")
    call(client, token="x", Idempotency_Key="uuid-2")
    call(client, body=b" " * (LARGEST_BODY + 1), Idempotency_Key="uuid-3")
    other = sqlite3.connect(tmp_path / "alur.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    call(client, Idempotency_Key="uuid-4")
    other.close()
    told = [(line["delivery"], line["message"].partition(":")[0], line.get("case")) for line in logged()]
    assert told == [
        ("uuid-1", "kept", ticket),
        ("uuid-1", "repeated", ticket),
        ("uuid-1", "not kept", ticket),
        (parts.store.inbox_rows()[0].key, "kept", ticket),
        ("uuid-2", "refused", None),
        ("uuid-3", "refused", None),
        ("uuid-4", "the store is down", None),
    ]


def test_without_a_key_event_and_body_tell_hooks_apart(client, parts):
    call(client)
    call(client, X_Gitlab_Event="Issue Hook")
    call(client, NOTE)
    call(client, Idempotency_Key="k" * 300)
    assert len(parts.store.inbox_rows()) == 3


@pytest.mark.parametrize("token", [None, "", "rahasia", "rahasia hook ", "ráhasia hook"])
def test_a_hook_without_our_token_is_refused(client, parts, token):
    answer = call(client, token=token)
    assert (answer.status_code, answer.data) == (401, b"")
    assert parts.store.inbox_rows() == []


@pytest.mark.parametrize("body", [b"", b"no json", b"[]", b'{"object_kind": "wiki_page", "object_attributes": {"title": "x"}}'])
def test_what_concerns_no_case_is_kept_too(client, parts, body):
    assert call(client, body=body).status_code == 200
    assert parts.store.inbox_rows()[0].lane == "gitlab"


@pytest.mark.parametrize(
    ("payload", "number"),
    [
        (ISSUE, 7),
        (NOTE, 7),
        ({"object_kind": "work_item", "object_attributes": {"iid": 8}}, 8),
        ({"object_kind": "milestone", "object_attributes": {"iid": 8}}, None),
        ({"object_kind": "issue", "object_attributes": {"iid": True}}, None),
        ({"object_kind": "issue", "object_attributes": {"iid": "7"}}, None),
        ({"object_kind": "issue", "object_attributes": {"iid": 2**40}}, None),
        ({"object_kind": "issue"}, None),
        ({"issue": None}, None),
        (7, None),
    ],
)
def test_the_issue_a_hook_is_about(payload, number):
    assert issue_number(json.dumps(payload).encode()) == number


def test_what_nests_too_deep_is_about_nothing():
    assert issue_number(b"[" * 100_000) is None


def test_where_the_instance_signs_the_signature_counts_too(parts, watch):
    secret = "whsec_" + base64.b64encode(b"rahasia hook").decode()
    settings = parts.settings.model_copy(update={"gitlab_webhook_secret": SecretStr(secret)})
    client = create_app(replace(parts, settings=settings, rotation=Rotation(settings))).test_client()
    body, seconds = json.dumps(ISSUE).encode(), int(watch().timestamp())
    signature = sign(Secret.parse(secret), "uuid-1", seconds, body)
    signed = {"webhook_id": "uuid-1", "webhook_timestamp": str(seconds), "webhook_signature": signature}
    assert call(client, token=secret).status_code == 200
    assert call(client, token=secret, **signed).status_code == 200
    assert call(client, token=secret, **(signed | {"webhook_signature": "v1,AAAA"})).status_code == 401
    assert call(client, token="x", **signed).status_code == 401


def test_only_a_store_that_is_down_is_an_error(client, tmp_path, parts):
    other = sqlite3.connect(tmp_path / "alur.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert call(client).status_code == 503
    other.execute("ROLLBACK")
    other.close()
    assert call(client).status_code == 200
