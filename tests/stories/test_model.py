"""The whole service under random people: real store, real HTTP, real edge, and afterwards all is as the procedure says.

Examples are the same each time; a failing one is printed as the deeds that lead to it. About one action in six is to let all come to rest
and look at it. `ALUR_MODEL_ACTIONS=5000 pytest tests/stories/test_model.py` does more of them, `--hypothesis-profile=default` looks for new
ones, and `--hypothesis-seed=N` for others again.
"""

import os
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from tests.stories.people import DEEDS, EVERYBODY, People, form
from tests.stories.soundness import come_to_rest, unsound
from tests.stories.world import World
from tests.stories.world import world as told

ACTIONS = int(os.environ.get("ALUR_MODEL_ACTIONS", "600"))
A_RUN = 60  # actions in one example
A_BURST = 3  # of them at least come before all is to rest and is looked at
CASES = 4
IN_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 -- nothing here has to survive the machine
STARTS = (4, 4, 6, 11, 13, 16, 18, 19, 20, 22, 23, 24, 27, 28, 30, 31)

choices = st.integers(0, 99)
cases = st.integers(0, CASES - 1)
people = st.sampled_from(EVERYBODY)
deeds = st.sampled_from(sorted(DEEDS))
CALM, HURRIED, FAILING = "calm", "hurried", "failing"
ways = st.sampled_from((CALM, CALM, CALM, HURRIED, HURRIED, FAILING))
"""How the service comes to answer: at once; only later, with what is done until then; at once, but the platform fails meanwhile."""

FAILURES: tuple[dict[str, Any], ...] = (
    {"method": "POST", "path": r"/notes$", "status": 500, "after_commit": True},
    {"method": "PUT", "path": r"/issues/\d+$", "status": 500, "after_commit": True},
    {"method": "POST", "path": r"/issues$", "status": 500, "after_commit": True},
    {"method": "POST", "path": r"/uploads$", "status": 502},
    {"method": "*", "path": r"/issues", "status": 429, "headers": {"Retry-After": "30"}, "times": 2},
    {"method": "GET", "path": r"/issues/\d+$", "status": 503, "times": 2},
    {"method": "GET", "path": r"/notes", "drop": True},
    {"method": "PUT", "path": r"/notes/\d+$", "drop": True, "after_commit": True},
)
HAPPENINGS = (
    "time passes",
    "time passes",
    "time passes",
    "unit acts",
    "unit acts",
    "hooks are lost",
    "hooks are lost",
    "hooks are shuffled",
    "hooks come again",
    "service dies",
    "office changes, cases are told",
    "office changes",
)
LOST = (0.3, 1.0, 0.0)
PASSING = ({"minutes": 5}, {"minutes": 50}, {"hours": 3}, {"hours": 9}, {"days": 1}, {"days": 3}, {"days": 8}, {"days": 16})


class Campus(RuleBasedStateMachine):
    """Everybody at once, in any weather; now and then all comes to rest and is looked at."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory(dir=IN_MEMORY)))
        self.world: World = self.stack.enter_context(told(folder, f"sqlite:///{folder / 'alur.db'}"))
        self.people = People(self.world)
        self.tickets: list[str] = []
        self.broken = False
        self.burst = 0  # what was done since all was looked at last

    @initialize(start=st.sampled_from(STARTS), lost=st.sampled_from((0.0, 0.0, 0.0, *LOST)))
    def a_case_has_come_so_far(self, start: int, lost: float) -> None:
        self.tickets.append(self.world.stands_at(start))
        self.people.arrive()
        self.world.service.tick()  # a service that runs has looked at its clock
        self.world.campus.gitlab.hooks_lost = lost

    @precondition(lambda self: len(self.tickets) < CASES)
    @rule(choice=choices)
    def a_complaint_arrives(self, choice: int) -> None:
        self.burst += 1
        self.tickets.append(self.world.campus.portal.submit(form(choice)))
        self.after()

    @rule(case=cases, choice=choices, way=ways)
    def the_right_people_go_on(self, case: int, choice: int, way: str) -> None:
        self.go_on(case, choice, way)

    @rule(case=cases, choice=choices)
    def the_right_people_go_on_in_order(self, case: int, choice: int) -> None:
        self.go_on(case, choice, CALM)

    @rule(deed=deeds, who=people, case=cases, choice=choices, way=ways)
    def somebody_acts(self, deed: str, who: str, case: int, choice: int, way: str) -> None:
        self.burst += 1
        self.people.act(deed, who, self.ticket(case), choice)
        self.after(way, choice)

    @rule(deed=deeds, case=cases, choice=choices, way=ways)
    def one_of_those_named_acts(self, deed: str, case: int, choice: int, way: str) -> None:
        self.burst += 1
        named = self.people.named(self.ticket(case))
        self.people.act(deed, named, self.ticket(case), choice)
        self.after(way, choice)

    @rule(happening=st.sampled_from(HAPPENINGS), choice=choices)
    def something_happens(self, happening: str, choice: int) -> None:
        """What nobody who works on cases does."""
        self.burst += 1
        gitlab = self.world.campus.gitlab
        match happening:
            case "time passes":
                self.world.later(**PASSING[choice % len(PASSING)])
            case "hooks are lost":
                gitlab.hooks_lost = LOST[choice % len(LOST)]
            case "hooks are shuffled":
                gitlab.hooks_shuffled = not gitlab.hooks_shuffled
            case "hooks come again":
                self.world.redeliver()
            case "service dies":
                self.world.restart()
            case "unit acts":
                self.people.try_(lambda: self.people.portal(self.ticket(choice), choice))
                self.after()
            case "office changes, cases are told":
                self.people.reorganise(choice)
                self.world.service.tick()
                self.after()
            case _:  # what is asked meanwhile is decided under it before
                self.people.reorganise(choice)

    @precondition(lambda self: self.burst >= A_BURST)
    @rule()
    def all_comes_to_rest(self) -> None:
        self.broken = True  # until shown otherwise
        come_to_rest(self.world)
        found = unsound(self.world, self.people)
        assert not found, "\n".join(found)
        self.broken, self.burst = False, 0

    def teardown(self) -> None:
        with self.stack:
            if self.tickets and not self.broken:
                self.all_comes_to_rest()

    def ticket(self, case: int) -> str:
        return self.tickets[case % len(self.tickets)]

    def go_on(self, case: int, choice: int, way: str) -> None:
        self.burst += 1
        self.people.try_(lambda: self.people.go_on(self.ticket(case), choice))
        self.after(way, choice)

    def after(self, way: str = CALM, choice: int = 0) -> None:
        """The service answers, unless people are faster than it."""
        if way == FAILING:
            self.world.campus.gitlab.fault(**FAILURES[choice % len(FAILURES)])
        if way != HURRIED:
            self.world.settle()


Campus.TestCase.settings = settings(
    max_examples=max(1, ACTIONS // A_RUN),
    stateful_step_count=A_RUN,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
)
TestCampus = pytest.mark.timeout(3600)(Campus.TestCase)
