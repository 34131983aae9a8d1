"""The straight path of the real procedure, from form to handover."""

from integration.procedure.case import Status
from integration.procedure.events import CaseEnded
from tests.core.run import Run
from tests.core.straight import PATH, step_on


def test_a_case_walks_all_31_steps(pos) -> None:
    run = Run(pos)
    run.submit()
    walked = []
    while run.open.step is not None:
        walked.append(run.at)
        step_on(run)
    assert walked == list(PATH)
    assert run.open.status is Status.DONE
    assert isinstance(run.entries[-1].event, CaseEnded)
