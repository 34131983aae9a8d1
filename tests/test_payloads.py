"""Kept bytes, read: the portal's messages as facts without secrets, GitLab's hooks as places to look."""

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from integration.faults import Permanent
from integration.issue import EVERYTHING, Part
from integration.payloads import Ignored, Look, Told, look_bytes, read_hook, read_look, read_portal
from integration.procedure.facts import Actor, ActorKind, Attachment, FormRevised, FormSubmitted, OutcomeChosen, Via, Withdrawn
from integration.procedures import load
from integration.secrecy import MASK
from sandbox.portal import attachment
from tests.edge.portal import form

POS = load("pengaduan-masalah-teknis-si.2025-05")
NOW = datetime(2026, 6, 2, 2, tzinfo=UTC)
TICKET = "SI-2026-000001"
DEAN = Actor(ActorKind.UNIT, name="Dekan")


def told(kind: str, **data: Any) -> Told | Ignored:
    body = {"type": kind, "timestamp": "2026-06-02T09:00:00+07:00", "data": data}
    return read_portal(json.dumps(body).encode(), ticket=TICKET, key="msg_1", at=NOW, procedures=(POS,))


def submitted(**changes: Any) -> Told:
    said = told("pengaduan.diajukan", formulir=form(**changes))
    assert isinstance(said, Told)
    return said


class TestThePortal:
    def test_a_form_opens_a_case(self):
        said = submitted(pengisian={"mulai": "2026-06-02T08:00:00+07:00", "selesai": "2026-06-02T08:20:00+07:00"})
        assert said.form == "FRM-SI-005"
        fact = said.fact
        assert isinstance(fact, FormSubmitted)
        assert (fact.key, fact.at, fact.ticket, fact.by) == ("portal:msg_1", NOW, TICKET, Actor(ActorKind.UNIT, name="Fakultas Teknik"))
        seen = fact.submission
        assert (seen.unit_code, seen.system, seen.subject, seen.urgency) == ("FT", "SIAKAD", "Nilai tidak tersimpan", "tinggi")
        assert (seen.head_nip, seen.reproduction, seen.system_url) == ("", "", "https://siakad.kampus.example")
        assert (seen.filled_from, seen.filled_until) == (datetime(2026, 6, 2, 1, tzinfo=UTC), datetime(2026, 6, 2, 1, 20, tzinfo=UTC))

    def test_what_the_portal_leaves_out_is_empty(self):
        bare = form()
        del bare["sistem"]["url"]
        seen = submitted(sistem=bare["sistem"]).fact.submission
        assert (seen.system_url, seen.filled_from, seen.filled_until, seen.attachments) == ("", None, None, ())

    def test_the_form_is_kept_frozen_under_its_hash_without_the_files_bytes(self):
        said = submitted(lampiran=[attachment("galat.png", "image/png", b"png")])
        frozen, content = said.contents
        assert hashlib.sha256(frozen).hexdigest() == said.fact.submission.sha256
        kept = json.loads(frozen)
        assert kept["pelapor"]["telepon"] == "021 555 0101"
        assert "isi" not in kept["lampiran"][0]
        assert kept["lampiran"][0]["sha256"] == hashlib.sha256(content).hexdigest()
        assert content == b"png"
        assert said.fact.submission.attachments == (Attachment("galat.png", "image/png", 3, hashlib.sha256(b"png").hexdigest()),)

    def test_the_same_form_has_the_same_hash_whatever_its_order(self):
        turned = told("pengaduan.diajukan", formulir=dict(reversed(form().items())))
        other = submitted(pelapor=form()["pelapor"] | {"nama": "Lain"})
        assert turned.fact.submission.sha256 == submitted().fact.submission.sha256 != other.fact.submission.sha256

    def test_a_file_that_is_elsewhere_is_only_named(self):
        far = {"nama": "j.log", "jenis": "text/plain", "ukuran": 3, "sha256": "a" * 64, "url": "https://portal.example/j.log"}
        said = submitted(lampiran=[far])
        assert len(said.contents) == 1
        assert said.fact.submission.attachments[0].url == "https://portal.example/j.log"

    def test_a_secret_in_a_form_goes_no_further(self):
        secret = "password: Rahasia123!"
        masalah = form()["masalah"] | {"uraian": f"Galat. {secret}", "judul": f"Galat {secret}", "langkah_reproduksi": secret}
        said = submitted(masalah=masalah)
        seen = said.fact.submission
        for text in (seen.description, seen.subject, seen.reproduction, said.contents[0].decode()):
            assert "Rahasia123!" not in text
        assert MASK in seen.description

    def test_a_revision_is_the_same_form_anew(self):
        said = told("pengaduan.direvisi", tiket=TICKET, formulir=form())
        assert isinstance(said, Told)
        assert isinstance(said.fact, FormRevised)
        assert (said.form, said.fact.submission) == ("", submitted().fact.submission)

    def test_a_withdrawal_has_its_reason(self):
        said = told("pengaduan.dibatalkan", tiket=TICKET, alasan="Sudah baik; sandi: Rahasia123!", oleh="Dekan")
        assert said == Told(Withdrawn("portal:msg_1", NOW, DEAN, f"Sudah baik; sandi: {MASK}!"))

    @pytest.mark.parametrize(("kind", "word", "step"), [("uji_coba.dinilai", "gagal", 24), ("serah_terima.ditanggapi", "tolak-fungsi", 31)])
    def test_an_answer_is_meant_for_the_unit_s_own_step(self, kind: str, word: str, step: int):
        said = told(kind, tiket=TICKET, hasil=word, catatan="Masih galat", oleh="Dekan")
        assert said == Told(OutcomeChosen("portal:msg_1", NOW, DEAN, word, "Masih galat", (), Via.PORTAL, step))

    def test_a_word_of_several_steps_is_meant_for_the_current_one(self):
        body = {"type": "uji_coba.dinilai", "timestamp": "2026-06-02T09:00:00+07:00"}
        data = {"tiket": TICKET, "hasil": "lulus", "catatan": "Baik", "oleh": "Dekan"}
        said = read_portal(json.dumps(body | {"data": data}).encode(), ticket=TICKET, key="k", at=NOW, procedures=())
        assert isinstance(said, Told)
        assert said.fact.step is None

    def test_what_was_taken_and_cannot_be_read_any_more_is_not_passed_over(self):
        with pytest.raises(Permanent):
            read_portal(b"{}", ticket=TICKET, key="k", at=NOW, procedures=(POS,))


def hook(**changes: Any) -> bytes:
    body = {
        "object_kind": "issue",
        "event_type": "confidential_issue",
        "user": {"username": "kasi"},
        "project": {"id": 40},
        "object_attributes": {"iid": 7, "type": "Issue", "action": "update"},
        "changes": {},
    }
    return json.dumps(body | changes).encode()


def read(body: bytes) -> Look | Ignored:
    return read_hook(body, own="alur-pos", project_id=40)


NOTE = {"object_kind": "note", "issue": {"iid": 7}, "object_attributes": {"noteable_type": "Issue", "action": "create", "id": 3}}


class TestHooks:
    def test_a_comment_says_look_at_the_comments(self):
        assert read(hook(**NOTE)) == Look(7, frozenset({Part.NOTES}))

    @pytest.mark.parametrize("kind", ["issue", "work_item"])
    def test_a_change_says_look(self, kind: str):
        assert read(hook(object_kind=kind)) == Look(7)
        assert read(hook(object_kind=kind, object_attributes={"iid": 7})) == Look(7)
        assert read(hook(object_kind=kind, object_attributes={"iid": 7, "type": "Task"})) == Look(7)

    @pytest.mark.parametrize(
        ("changes", "parts"),
        [
            ({"labels": {"previous": [{"title": "langkah::04 Pemeriksaan"}], "current": []}}, {Part.LABEL_EVENTS}),
            ({"labels": {"previous": None, "current": [{"title": "langkah::05 X"}]}}, {Part.LABEL_EVENTS}),
            ({"labels": {"previous": [{"title": "prioritas::rendah"}], "current": []}}, {Part.LABEL_EVENTS}),
            ({"labels": {"previous": [], "current": [{"title": "prioritas::gawat"}]}}, {Part.LABEL_EVENTS}),
            ({"labels": {"previous": [], "current": [{"title": "penting"}, {"title": "status::selesai"}, "aneh"]}}, set()),
            ({"labels": "aneh"}, set()),
            ({"description": {"previous": "a", "current": "b"}}, {Part.NOTES}),
            ({"title": {"previous": "a", "current": "b"}}, set()),
        ],
    )
    def test_what_changed_says_where_the_request_stands(self, changes: dict, parts: set[Part]):
        assert read(hook(changes=changes)) == Look(7, frozenset(parts))

    @pytest.mark.parametrize("action", ["close", "reopen"])
    def test_closing_says_look_at_the_states(self, action: str):
        assert read(hook(object_attributes={"iid": 7, "action": action})) == Look(7, frozenset({Part.STATE_EVENTS}))

    @pytest.mark.parametrize(
        ("body", "reason"),
        [
            (b"nonsense", "not a hook of an issue"),
            (b"[]", "not a hook of an issue"),
            (hook(user={"username": "alur-pos"}), "our own doing"),
            (hook(project={"id": 41}), "another project's"),
            (hook(object_kind="emoji"), "nothing about an issue: emoji"),
            (hook(**NOTE | {"object_attributes": {"noteable_type": "MergeRequest", "action": "create"}}), "nothing about an issue: note"),
            (hook(**NOTE | {"object_attributes": {"noteable_type": "Issue", "action": "update"}}), "nothing about an issue: note"),
            (hook(**NOTE | {"issue": None}), "nothing about an issue: note"),
        ],
    )
    def test_what_concerns_no_case_is_named(self, body: bytes, reason: str):
        assert read(body) == Ignored(reason)

    def test_a_hook_without_a_user_or_project_is_still_a_hint(self):
        assert read(hook(user=None, project=None)) == Look(7)

    def test_gitlab_s_own_examples_are_understood(self, shared: Path):
        folder = shared / "gitlab" / "webhook-payloads"
        seen = {}
        for path in sorted(folder.rglob("*.json")):
            body = path.read_bytes()
            if path.name != "delivery-headers.json":
                said = json.loads(body)
                project = (said.get("project") or {}).get("id", 0)
                seen[path.name] = read_hook(body, own="alur-pos", project_id=project)
        looks = {name for name, said in seen.items() if isinstance(said, Look)}
        assert looks == {
            "confidential-issue-open.json",
            "confidential-issue-update-labels.json",
            "confidential-note-on-issue.json",
            "issue-close.json",
            "issue-reopen.json",
            "issue-update-labels-assignees-due-date.json",
            "issue-with-label-changes.json",
            "note-on-issue.json",
        }


@pytest.mark.parametrize("look", [Look(7), Look(7, EVERYTHING, closely=True), Look(7, after=datetime(2026, 6, 2, 3, tzinfo=UTC))])
def test_a_look_is_kept_and_read_again(look: Look):
    assert read_look(look_bytes(look)) == look
