"""What is refused, and what the refusal says: one field changed from what would be right, and nothing moved."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from integration.procedure.definition import Gate, Supply
from integration.procedure.effects import PostNote, ShowOnIssue
from integration.procedure.facts import (
    AccessGiven,
    AccessTaken,
    DocumentAttached,
    IssueClosed,
    IssueReopened,
    OutcomeChosen,
    PauseAsked,
    StepLabelMoved,
    Ticked,
    Via,
)
from tests.core.office import STRANGER, UNIT, office, organisation, person
from tests.core.run import calls, entered, kinds, note, notes, refused
from tests.core.straight import PATH, grant, prepare, walk


def items(decision) -> list[tuple[str, str]]:
    return [(missing.kind, missing.item) for missing in refused(decision).missing]


@pytest.mark.parametrize("step", [step for step in PATH if step != 19])
def test_a_stranger_leaves_no_step(at, step) -> None:
    run = at(step)
    prepare(run)
    decision = run.fact(OutcomeChosen, STRANGER, PATH[step][1], "", (), Via.COMMENT)
    assert refused(decision).code == "not_yours"
    assert not any(isinstance(effect, ShowOnIssue) for effect in decision.effects), "nothing was moved, nothing is shown"
    assert calls(decision) == []
    said = note(decision, "penolakan")
    assert said["by"] == "orang-lain"
    assert said["may_act"]
    assert run.at == step


def test_a_refusal_names_who_may_act_and_a_complete_block_to_copy(at) -> None:
    decision = at(8).say("kasi", "selesai")
    said = note(decision, "penolakan")
    assert said["may_act"] == [{"account": "layanan", "name": "Layanan", "role": "Kepala Divisi Layanan dan Pangkalan Data", "office": ""}]
    assert (said["line"], said["sections"]) == ("/pos selesai", ["Risiko", "Dampak operasional", "Rekomendasi teknis"])
    assert (said["step"], said["step_name"], said["asked"]) == (8, "Evaluasi", "selesai")


def test_the_same_refusal_updates_its_note_until_the_step_is_entered_again(at) -> None:
    run = at(8)
    first, second = ((run.say("kasi", "selesai")).effects for _ in range(2))
    assert first[0].slot == second[0].slot
    assert first[0].key != second[0].key
    run.say("layanan", "selesai")
    run.say("pengembangan", "kembali", "Risiko belum lengkap")
    assert run.say("kasi", "selesai").effects[0].slot != first[0].slot


def test_a_word_of_another_step(at) -> None:
    decision = at(8).say("layanan", "setuju")
    assert refused(decision).code == "no_such_outcome"
    assert note(decision, "penolakan")["line"] == "/pos selesai"


def test_an_answer_of_the_unit_meant_for_another_step_tells_the_portal_the_state(at) -> None:
    run = at(25)
    decision = run.portal("lulus", "Baik", step=24)
    assert refused(decision).code == "other_step"
    assert calls(decision) == ["status.berubah"]
    assert run.at == 25


@pytest.mark.parametrize("heading", ["Risiko", "Dampak operasional", "Rekomendasi teknis"])
def test_each_section_is_needed(at, heading) -> None:
    written = {"Risiko": "a", "Dampak operasional": "b", "Rekomendasi teknis": "c"} | {heading: " "}
    assert items(at(8).say("layanan", "selesai", sections=written)) == [("section", heading)]


def test_headings_are_read_whatever_their_case_and_spacing(at) -> None:
    run = at(8)
    written = {"risiko:": "a", "DAMPAK   operasional": "b", "Rekomendasi Teknis": "c", "Catatan lain": "d"}
    assert entered(run.say("layanan", "selesai", sections=written)) == [9]
    assert run.open.written[8] == (("Risiko", "a"), ("Dampak operasional", "b"), ("Rekomendasi teknis", "c"), ("Catatan lain", "d"))


@pytest.mark.parametrize(
    ("heading", "text", "kind"),
    [
        ("Mulai", "besok", "date"),
        ("Mulai", "31 Februari 2026", "date"),
        ("Target selesai", "2 Juni", "date"),
        ("Prioritas", "penting", "priority"),
    ],
)
def test_a_section_must_be_readable_as_what_it_is(at, heading, text, kind) -> None:
    written = {"Mulai": "2026-06-03", "Target selesai": "3 Juli 2026", "Prioritas": "Tinggi"}
    assert items(at(6).say("kasi", "selesai", sections=written | {heading: text})) == [(kind, heading)]


@pytest.mark.parametrize(
    ("begins", "ends", "found"),
    [
        ("2026-06-03", "2026-06-02", [("date_order", "Target selesai")]),
        ("3 Juli 2026", "2026-06-30", [("date_order", "Target selesai")]),
        ("2026-06-03", "3 Juni 2026", []),
        ("besok", "2026-06-02", [("date", "Mulai")]),
        ("2026-06-03", "", [("section", "Target selesai")]),
    ],
)
def test_nothing_is_finished_before_it_begins(at, begins, ends, found) -> None:
    run = at(6)
    decision = run.say("kasi", "selesai", sections={"Mulai": begins, "Target selesai": ends, "Prioritas": "tinggi"})
    assert (items(decision) if found else []) == found
    assert run.at == (6 if found else 7)
    if found:
        assert refused(decision).missing[0].suppliers == ("Kepala Seksi Layanan Administrasi", "Kepala Divisi Layanan dan Pangkalan Data")


def test_the_schedule_sets_the_priority(at) -> None:
    run = at(6)
    written = {"Mulai": "2026-06-03", "Target selesai": "3 Juli 2026", "Prioritas": "Kritis"}
    decision = run.say("kasi", "selesai", sections=written)
    assert kinds(decision) == ["StepLeft", "PrioritySet", "DocumentIssued", "StepEntered"]
    assert run.open.priority == "kritis"
    again = at(6)
    assert "PrioritySet" not in kinds(again.say("kasi", "selesai", sections=written | {"Prioritas": "sedang"})), "it was so already"


@pytest.mark.parametrize("requirement", ["18.1", "18.2", "18.3"])
def test_each_box_is_needed(at, requirement) -> None:
    run = at(18)
    run.tick_all("budi")
    run.fact(Ticked, person("budi"), requirement, done=False)
    decision = run.say("budi", "selesai")
    missing = refused(decision).missing
    assert [m.kind for m in missing] == ["requirement"]
    assert missing[0].suppliers == ("Tim Programmer",)
    assert note(decision, "penolakan")["line"] == "/pos selesai"


def test_boxes_do_not_survive_a_return(at) -> None:
    run = at(18)
    run.tick_all("budi")
    run.say("budi", "selesai")
    run.report("budi")
    run.say("koordinator", "perlu-perbaikan", "Uji gagal")
    assert run.open.ticks == frozenset()
    assert len(refused(run.say("budi", "selesai")).missing) == 3


@pytest.mark.parametrize(("step", "box"), [(18, "18.1"), (20, "20.5")])
def test_a_tick_by_somebody_else_is_undone_and_explained(at, step, box) -> None:
    run = at(step)
    decision = run.fact(Ticked, STRANGER, box, done=True)
    assert (refused(decision).code, refused(decision).asked) == ("not_yours", f"tick:{box}")
    assert any(isinstance(effect, ShowOnIssue) for effect in decision.effects)
    assert run.open.ticks == frozenset()


def test_what_the_case_holds_is_not_ticked(at) -> None:
    run = at(20)
    assert refused(run.fact(Ticked, person("koordinator"), "20.1", done=False)).code == "not_tickable"
    assert run.fact(Ticked, person("koordinator"), "20.1", done=True).ignored == "it is so already"


@pytest.mark.parametrize(
    ("box", "done", "reason"), [("4.1", True, "it speaks of another stay in a step"), ("18.1", False, "it is so already")]
)
def test_ticks_that_change_nothing(at, box, done, reason) -> None:
    assert at(18).fact(Ticked, person("budi"), box, done=done).ignored == reason


def test_a_team_is_needed_at_13(at) -> None:
    run = at(13)
    decision = run.say("koordinator", "selesai")
    assert items(decision) == [("requirement", "Daftar tim programmer")], "named once, though requirement and gate"
    assert note(decision, "penolakan")["line"] == "/pos tugaskan @pj @anggota"
    assert refused(decision).missing[0].suppliers == (
        "Koordinator Programmer",
        "Kepala Divisi Pengembangan Sistem Informasi dan Pemrograman",
    )


def test_a_grant_is_needed_at_27(at) -> None:
    run = at(27)
    decision = run.say("jaringan", "selesai")
    assert items(decision) == [("gate", Gate.GRANT)]
    assert note(decision, "penolakan")["line"].startswith("/pos akses @orang")
    grant(run)
    assert entered(run.say("jaringan", "selesai")) == [28]


def test_a_grant_must_be_open_at_28(at) -> None:
    run = at(28)
    run.tick_all("budi")
    run.fact(AccessTaken, person("jaringan"), "budi", "srv-siakad")
    decision = run.say("budi", "selesai")
    assert [kind for kind, _ in items(decision)] == ["requirement"]
    assert note(decision, "penolakan")["line"].startswith("/pos akses")


@pytest.mark.parametrize("step", [27, 28])
def test_access_that_has_ended_by_its_date_is_none(at, step) -> None:
    run = at(step)
    if not run.open.open_grants:
        run.fact(AccessGiven, person("jaringan"), "budi", "srv-siakad", "ssh", run.now.date())
    else:
        run.now = run.now.replace(year=2027)
    actor, word = PATH[step]
    run.tick_all(actor)
    if step == 27:
        run.now += timedelta(days=1)
    decision = run.say(actor, word)
    assert [kind for kind, _ in items(decision)] == ["gate" if step == 27 else "requirement"]
    assert note(decision, "penolakan")["line"].startswith("/pos akses")
    run.fact(AccessGiven, person("jaringan"), "budi", "srv-siakad", "ssh", run.now.date())
    assert entered(run.say(actor, word)) == [step + 1]
    assert len(run.open.open_grants) == 2, "what has ended is still to be taken back"


def test_every_grant_is_revoked_at_30(at) -> None:
    run = at(30)
    run.tick_all("kepala")
    decision = run.say("kepala", "serahkan")
    assert items(decision) == [("grant", "budi srv-siakad")]
    assert note(decision, "penolakan")["line"] == "/pos cabut-akses @budi srv-siakad"


def test_documents_are_named_with_who_makes_them(pos, at) -> None:
    run = at(9)
    run.case = replace(run.open, documents=())
    run.checked = False  # no ledger leads here
    decision = run.say("pengembangan", "selesai")
    (missing,) = refused(decision).missing
    assert (missing.kind, missing.suppliers) == ("document", ("Kepala Divisi Layanan dan Pangkalan Data",))
    assert pos.step(9).requirements[0].supply is Supply.DOCUMENT


def test_a_signed_form_lets_the_coordinator_record_the_trial(at) -> None:
    run = at(24)
    decision = run.say("koordinator", "lulus")
    assert items(decision) == [("attachment", "Formulir Uji Coba yang Ditandatangani Unit Kerja")]
    assert note(decision, "penolakan")["line"] == "/pos lampir formulir-uji-coba"
    run.fact(DocumentAttached, person("koordinator"), "formulir-uji-coba", ("[form](/uploads/x)",))
    decision = run.say("koordinator", "lulus")
    assert entered(decision) == [25]
    assert note(decision, "langkah")["unconfirmed"] is True


def test_the_form_of_an_earlier_trial_does_not_count(at) -> None:
    run = at(24)
    run.fact(DocumentAttached, person("koordinator"), "formulir-uji-coba", ("[form](/uploads/x)",))
    run.say("koordinator", "gagal", "Masih galat")
    assert run.at == 18
    for step in (18, 19, 20, 21, 22, 23):
        assert run.at == step
        prepare(run)
        run.report() if step == 19 else run.say(*PATH[step])
    assert [kind for kind, _ in items(run.say("koordinator", "lulus"))] == ["attachment"]


def test_the_units_remark_is_the_trials_result(at) -> None:
    run = at(24)
    assert items(run.portal("lulus", " ")) == [("section", "Hasil uji coba")]
    run.portal("lulus", "Berjalan baik")
    assert run.open.written[24] == (("Hasil uji coba", "Berjalan baik"),)


def test_a_failed_trial_recorded_from_a_signed_form_keeps_nothing_of_the_trial_before(at) -> None:
    run = at(24)
    run.portal("gagal", "Nilai kosong")
    walk(run, 24)
    run.fact(DocumentAttached, person("koordinator"), "formulir-uji-coba", ("[a](/uploads/a)",))
    run.say("koordinator", "gagal", "Tombol simpan mati")
    assert run.open.written[24] == (("Hasil uji coba", "Tombol simpan mati"),)


def test_a_step_of_a_team_that_nobody_named(at) -> None:
    run = at(18)
    run.case = replace(run.open, team=())
    run.checked = False
    decision = run.say("budi", "selesai")
    assert refused(decision).code == "no_team"
    assert note(decision, "penolakan")["line"] == "/pos tugaskan @pj @anggota"
    assert [person["account"] for person in note(decision, "penolakan")["may_act"]] == ["koordinator", "pengembangan"]


def test_a_vacant_office_is_nobodys(at) -> None:
    decision = at(5, organisation(without="kepala-pustikom")).say("kepala", "setuju")
    assert refused(decision).code == "not_yours"
    assert (note(decision, "penolakan")["may_act"], note(decision, "penolakan")["appoint"]) == ([], []), "above the head there is nobody"


def test_of_a_vacant_office_those_are_named_who_appoint(at) -> None:
    run = at(8, organisation(without="kadiv-layanan"))
    said = note(run.say("kasi", "selesai"), "penolakan")
    assert (said["may_act"], [p["account"] for p in said["appoint"]]) == ([], ["kepala"])
    nobody = replace(run.organisation, offices=tuple(o for o in run.organisation.offices if o.role == "kepala-pustikom"))
    resumed = note(at(18, nobody).fact(AccessTaken, person("jaringan"), "budi", "srv-siakad"), "penolakan")
    assert ([p["account"] for p in resumed["appoint"]], resumed["line"]) == (["kepala"], ""), "the office above is vacant, too"


def test_where_a_second_role_may_act_the_vacancy_is_told_all_the_same(at) -> None:
    decision = at(13, organisation(without="kasi-layanan-administrasi")).say("koordinator", "selesai")
    assert refused(decision).code == "incomplete"
    run = at(13, organisation(without="kasi-layanan-administrasi"))
    run.assign()
    said = note(run.say("koordinator", "selesai"), "langkah")
    assert said["vacant"] is True
    assert [p["account"] for p in said["performers"]] == [p["account"] for p in said["may_act"]] == ["koordinator"]
    assert [p["account"] for p in said["appoint"]] == ["layanan"]
    filled = at(13)
    filled.assign()
    said = note(filled.say("koordinator", "selesai"), "langkah")
    assert (said["vacant"], said["may_act"], said["appoint"]) == (False, [], [])


@pytest.mark.parametrize(
    ("since", "until", "code"),
    [
        (date(2026, 6, 1), date(2026, 6, 3), ""),
        (date(2026, 6, 2), date(2026, 6, 2), ""),
        (date(2026, 6, 3), None, "not_yours"),
        (date(2025, 1, 1), date(2026, 6, 1), "not_yours"),
    ],
)
def test_an_office_is_held_by_days(at, since, until, code) -> None:
    run = at(5, organisation(office("kepala-pustikom", "lain", since=since, until=until)))
    decision = run.say("lain", "setuju")
    assert (refused(decision).code if code else "") == code
    assert run.at == (5 if code else 6)


def test_the_day_is_the_organisations(at) -> None:
    """18.30 UTC is the next day in Jakarta."""
    run = at(5, organisation(office("kepala-pustikom", "lain", since=date(2026, 6, 3))))
    run.now = run.now.replace(hour=18, minute=30)
    assert entered(run.say("lain", "setuju")) == [6]


# --- cards and closing ---


def test_a_card_moved_where_one_outcome_leads_without_words(at) -> None:
    decision = at(5).fact(StepLabelMoved, person("kepala"), 6)
    assert entered(decision) == [6]


@pytest.mark.parametrize(
    ("step", "to", "code"),
    [
        (5, 8, "label_no_way"),
        (5, 99, "label_no_way"),
        (4, 5, "label_needs_words"),
        (5, 2, "label_needs_words"),
        (20, 19, "label_needs_words"),
    ],
)
def test_a_card_moved_elsewhere_is_put_back(at, step, to, code) -> None:
    run = at(step)
    decision = run.fact(StepLabelMoved, person(PATH[step][0]), to)
    assert (refused(decision).code, refused(decision).asked) == (code, f"label:{to}")
    assert any(isinstance(effect, ShowOnIssue) for effect in decision.effects)
    assert run.at == step


def test_the_line_below_a_card_that_needs_words_is_the_outcomes_own(at) -> None:
    decision = at(5).fact(StepLabelMoved, person("kepala"), 2)
    assert note(decision, "penolakan")["line"] == "/pos revisi <alasan>"


def test_a_card_moved_by_the_wrong_person_is_put_back(at) -> None:
    decision = at(5).fact(StepLabelMoved, STRANGER, 6)
    assert refused(decision).code == "not_yours"
    assert any(isinstance(effect, ShowOnIssue) for effect in decision.effects)


def test_a_card_left_where_it_is(at) -> None:
    assert at(5).fact(StepLabelMoved, person("kepala"), 5).ignored == "it is so already"


@pytest.mark.parametrize("step", [4, 18, 30, 31])
def test_an_issue_closed_by_hand_is_reopened_with_what_is_missing(at, step) -> None:
    run = at(step)
    decision = run.fact(IssueClosed, person("kepala"))
    assert refused(decision).code == "close_not_allowed"
    assert notes(decision) == ["ditutup-manual"]
    assert any(isinstance(effect, ShowOnIssue) for effect in decision.effects)
    assert bool(note(decision, "ditutup-manual")["missing"]) is (step in {4, 18, 30})
    assert run.at == step


def test_an_open_issue_reopened_asks_for_nothing(at) -> None:
    assert at(5).fact(IssueReopened, person("kasi")).ignored == "it is so already"


# --- paused ---


@pytest.mark.parametrize("word", ["diterima", "dikembalikan"])
def test_a_paused_case_is_left_by_no_word(at, word) -> None:
    run = at(20)
    run.tick_all("koordinator")
    run.fact(PauseAsked, person("kepala"), "Menunggu server")
    decision = run.say("koordinator", word, "Alasan")
    assert refused(decision).code == "paused"
    assert note(decision, "penolakan")["line"] == "/pos lanjut"
    assert [p["account"] for p in note(decision, "penolakan")["may_act"]] == ["kepala", "layanan", "pengembangan", "koordinator"]


def test_the_unit_and_the_service_are_no_officers(at) -> None:
    assert refused(at(5).fact(OutcomeChosen, UNIT, "setuju", "", (), Via.COMMENT)).code == "not_yours"
    decision = at(5).say("kepala", "setuju")
    assert [type(effect) for effect in decision.effects if isinstance(effect, PostNote)] == [PostNote]
