"""The straight path of POS 100b/UN39.17/SOP/V/2025, typed from procedure.md: who leaves each step, and by which word."""

from integration.procedure.definition import Procedure
from integration.procedure.facts import AccessGiven, AccessTaken
from tests.core.office import person
from tests.core.run import Run

PATH = {
    4: ("kasi", "lengkap"),
    5: ("kepala", "setuju"),
    6: ("kasi", "selesai"),
    7: ("layanan", "selesai"),
    8: ("layanan", "selesai"),
    9: ("pengembangan", "selesai"),
    10: ("koordinator", "selesai"),
    11: ("pengembangan", "selesai"),
    12: ("pengembangan", "setuju"),
    13: ("koordinator", "selesai"),
    14: ("kasi", "selesai"),
    15: ("kepala", "setuju"),
    16: ("koordinator", "terima"),
    17: ("koordinator", "selesai"),
    18: ("budi", "selesai"),
    19: ("budi", "progres"),
    20: ("koordinator", "diterima"),
    21: ("pengembangan", "diterima"),
    22: ("layanan", "diterima"),
    23: ("kepala", "diterima"),
    24: ("", "lulus"),
    25: ("pengembangan", "selesai"),
    26: ("infrastruktur", "selesai"),
    27: ("jaringan", "selesai"),
    28: ("budi", "selesai"),
    29: ("layanan", "selesai"),
    30: ("kepala", "serahkan"),
    31: ("", "terima"),
}


def prepare(run: Run) -> None:
    """Supply what the current step asks for besides its sections."""
    actor = PATH[run.at][0]
    run.tick_all(actor)
    if run.at == 13 and not run.open.team:
        run.assign()
    if run.at == 27 and not run.open.open_grants:
        grant(run)
    if run.at == 30:
        for open_grant in run.open.open_grants:
            run.fact(AccessTaken, person("jaringan"), open_grant.account, open_grant.server)


def grant(run: Run) -> None:
    run.fact(AccessGiven, person("jaringan"), "budi", "srv-siakad", "ssh", run.now.date().replace(month=12, day=31))


def step_on(run: Run) -> None:
    """Leave the current step as the straight path does."""
    prepare(run)
    stay = run.open.entered_seq
    actor, word = PATH[run.at]
    if word == "progres":
        run.report(actor)
    elif actor:
        run.say(actor, word)
    else:
        run.portal(word, "Baik")
    assert run.open.ending or run.open.entered_seq != stay, f"the straight path is blocked at {run.at}"


def walk(run: Run, until: int) -> Run:
    """Go on to this step."""
    while run.at != until:
        step_on(run)
    return run


def every_step(procedure: Procedure) -> dict[int, Run]:
    """A case standing at each step of the straight path."""
    run = Run(procedure)
    run.submit()
    found = {run.at: run.copy()}
    while run.at != max(PATH):
        step_on(run)
        found[run.at] = run.copy()
    return found
