"""The rules beside the table: the weekly duty, pauses, hand-offs and the exception order."""

from datetime import datetime

from tests.stories.world import World


def test_a_missing_weekly_report_is_asked_for_on_friday_and_noted_on_monday(world: World) -> None:
    ticket = world.stands_at(18)
    friday = world.until_weekday(4, hour=14, minute=5)

    assert any("progres" in note and "@" + world.case(ticket).team[0] in note for note in world.campus.notes(ticket)), friday
    world.until_weekday(0, hour=7, minute=35)
    world.until_weekday(4, hour=14, minute=5)
    world.until_weekday(0, hour=7, minute=35)  # the first week was not owed in whole; the second was

    assert len(world.case(ticket).missed_weeks) >= 1


def test_a_report_made_in_the_week_counts_for_it_and_is_kept_as_history(world: World) -> None:
    ticket = world.stands_at(18)
    world.until_weekday(4, hour=15)

    world.report(ticket, 40)
    world.until_weekday(0, hour=8)

    case = world.case(ticket)
    assert [report.percent for report in case.reports] == [40]
    assert case.step == 18  # a report elsewhere than at step 19 moves nothing
    assert case.missed_weeks == ()


def test_a_step_past_its_due_time_is_shown_as_late_and_no_longer_once_it_is_left(world: World) -> None:
    ticket = world.stands_at(6)

    world.later(days=5)
    assert "status::terlambat" in world.campus.labels(ticket)

    world.play(ticket)
    assert "status::berjalan" in world.campus.labels(ticket)


def test_a_pause_stops_the_clock_and_moves_the_due_date(world: World) -> None:
    ticket = world.stands_at(8)
    due = world.case(ticket).due
    officer = world.campus.holder("kadiv-layanan")

    world.comment(officer, ticket, "/pos jeda Menunggu jadwal vendor.")
    assert "status::dijeda" in world.campus.labels(ticket)
    world.comment(officer, ticket, "/pos selesai\n### Risiko\nx\n### Dampak operasional\nx\n### Rekomendasi teknis\nx")
    assert world.case(ticket).step == 8
    world.later(days=7)
    world.comment(officer, ticket, "/pos lanjut")

    assert due == datetime.fromisoformat("2026-06-05T16:30:00+07:00")
    assert world.case(ticket).due == datetime.fromisoformat("2026-06-11T16:00:00+07:00")  # four closes of business fell into the pause
    assert "status::berjalan" in world.campus.labels(ticket)


def test_a_case_handed_to_a_related_procedure_ends_with_its_target(world: World) -> None:
    ticket = world.stands_at(6)

    world.comment(world.campus.holder("kepala-pustikom"), ticket, "/pos alihkan POS Pelaporan Insiden Siber Ditemukan tanda penyusupan.")

    case = world.case(ticket)
    assert case.status == "dialihkan"
    assert case.ending_target == "POS Pelaporan Insiden Siber"
    assert world.campus.issue(ticket)["state"] == "closed"


def test_an_exception_order_opens_the_server_steps_and_its_debts_are_paid_before_the_end(world: World) -> None:
    ticket = world.stands_at(17)

    world.comment(world.campus.holder("kepala-pustikom"), ticket, "/pos darurat Layanan akademik lumpuh pada masa pengisian nilai.")

    case = world.case(ticket)
    assert case.step == 25
    assert "status::darurat" in world.campus.labels(ticket)
    assert case.emergency
    assert [step for step, _ in case.emergency.debts] == list(range(17, 25))
    world.walk(ticket)
    assert world.case(ticket).status == "selesai"
    assert world.case(ticket).emergency is None or world.case(ticket).emergency.debts == ()


def test_only_kepala_pustikom_gives_an_exception_order(world: World) -> None:
    ticket = world.stands_at(17)

    world.comment(world.campus.holder("kadiv-layanan"), ticket, "/pos darurat Mendesak.")

    assert world.case(ticket).step == 17
    assert "Kepala Pustikom" in world.campus.notes(ticket)[-1]
