"""What a simulation found, as sentences and tables for the operator, or as JSON for other programs; values in, words out.

Both say the same figures; whatever strangers wrote is cleaned before a terminal sees it.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from babel.numbers import format_decimal, format_percent
from rich.table import Table
from rich.text import Text

from integration.neutral import clean
from integration.procedure.events import Missing
from integration.templates import messages
from sync.console import LOCALE
from sync.rehearsal import Objection
from sync.scripts import FEWEST
from sync.simulation import Comparison, Simulation, Tally

NAMED = 3  # tickets that are told by number
TENTH = 0.05  # below which two figures are shown as the same


def told(tried: Simulation, file: Path, *, wanted_past: bool) -> Iterator[Table | Text]:
    """What to print, in order; `wanted_past`: whether past cases were asked for."""
    words = messages("simulate")
    before = tried.current.revision if tried.current else ""
    heading = words["compared" if tried.current else "alone"]
    yield Text(heading.format(name=tried.edited.head.name, before=before, after=tried.edited.revision, file=file))
    if wanted_past and tried.past is None:
        yield Text(words["no_past"])
    for comparison, title in ((tried.past, words["past"]), (tried.invented, words["invented"])):
        if comparison:
            yield Text(f"\n{title.format(n=comparison.cases, seed=tried.seed)}", style="bold")
            yield from _comparison(comparison, file, past=comparison is tried.past)
    yield Text(f"\n{words['assumed'].format(fewest=FEWEST)}")
    yield Text(words["open_cases"])


def as_json(tried: Simulation) -> str:
    """The same as JSON: figures of both sides in working days, shares from 0 to 1."""
    said = {
        "prosedur": tried.edited.slug,
        "berlaku": tried.current.revision if tried.current else None,
        "disunting": tried.edited.revision,
        "benih": tried.seed,
        "lalu": _data(tried.past),
        "buatan": _data(tried.invented),
    }
    return json.dumps(said, ensure_ascii=False, indent=2)


# --- for people ---


def _comparison(comparison: Comparison, file: Path, *, past: bool) -> Iterator[Table | Text]:
    words = messages("simulate")
    if comparison.after.days:
        yield _whole(comparison)
        yield _steps(comparison)
        yield _roles(comparison)
        papers = _papers(comparison)
        yield papers if papers.row_count else Text(words["papers_same"])
    else:
        yield Text(words["no_figures"])
    if comparison.objections:
        yield Text(words["objections"].format(file=file))
        yield from (Text(_objected(objection, tickets)) for objection, tickets in comparison.objections.items())
    elif past:
        yield Text(words["no_objections"].format(file=file))
    for side, tally in (("before", comparison.before), ("after", comparison.after)):
        for why, count in sorted(tally.stopped.items()) if tally else ():
            yield Text(words[f"stopped_{why}"].format(n=count, side=words[f"side_{side}"]))


def _whole(comparison: Comparison) -> Table:
    """A line a figure of whole cases."""
    words, before, after = messages("simulate"), comparison.before, comparison.after
    table = _table("title_all", "what", "before", "after", "change")
    table.add_row(words["row_ended"], str(len(before.days)) if before else "", str(len(after.days)), "")
    for name in ("middle", "most"):
        sides = [getattr(tally, name) if tally else None for tally in (before, after)]
        table.add_row(words[f"row_{name}"], *map(_days, sides), _change(*sides))
    for name in ("late", "returned"):
        table.add_row(words[f"row_{name}"], *(_share(_part(tally, name)) for tally in (before, after)), "")
    table.add_row(words["row_bottleneck"], _bottleneck(before), _bottleneck(after), "")
    return table


def _steps(comparison: Comparison) -> Table:
    """A line a step: median, ninetieth percentile, and how often it was late and sent back, each on both sides."""
    before, after = comparison.before, comparison.after
    table = _table("title_steps", "step", "middle", "most", "late", "returned")
    for old, new in comparison.steps():
        here, there = _figures(before, old), _figures(after, new)
        if here or there:
            cells = [_pair(_days(here.get(name)), _days(there.get(name))) for name in ("middle", "most")]
            cells += [_pair(_share(here.get(name)), _share(there.get(name))) for name in ("late", "returned")]
            table.add_row(_named(comparison, old, new), *cells)
    return table


def _roles(comparison: Comparison) -> Table:
    table = _table("title_roles", "role", "before", "after")
    shares = [tally.shares() if tally else {} for tally in (comparison.before, comparison.after)]
    for name in dict.fromkeys([*shares[1], *shares[0]]):
        table.add_row(name, *(_share(of_side.get(name)) for of_side in shares))
    return table


def _papers(comparison: Comparison) -> Table:
    table = _table("title_papers" if comparison.before else "title_papers_alone", "paper", "before", "after", "change")
    before, after = comparison.before.papers if comparison.before else {}, comparison.after.papers
    for title in dict.fromkeys([*after, *before]):
        had, has = before.get(title, 0), after.get(title, 0)
        if had != has:
            table.add_row(title, str(had), str(has), f"{has - had:+d}")
    return table


def _objected(objection: Objection, tickets: list[str]) -> str:
    words = messages("simulate")
    named = ", ".join(tickets[:NAMED])
    reasons = [_lacking(missing) for missing in objection.missing] or [messages("refusals")[objection.code]]
    return words["objection"].format(
        step=objection.step,
        asked=objection.asked,
        n=len(tickets),
        tickets=words["tickets_more"].format(tickets=named) if len(tickets) > NAMED else named,
        reason=clean(" ".join(reasons)),
    )


def _lacking(missing: Missing) -> str:
    kind = f"gate_{missing.item}" if missing.kind == "gate" else missing.kind
    return messages("simulate")[f"missing_{kind}"].format(item=missing.item)


def _named(comparison: Comparison, old: int | None, new: int | None) -> str:
    words = messages("simulate")
    if new is None and comparison.before and old:
        return words["step_gone"].format(step=comparison.before.procedure.step(old).label_text)
    label = comparison.after.procedure.step(new or 0).label_text
    return words["step_new"].format(step=label) if comparison.before and old is None else label


def _bottleneck(tally: Tally | None) -> str:
    shares = tally.shares() if tally else {}
    role = next(iter(shares), None)
    return messages("simulate")["bottleneck"].format(role=role, share=_share(shares[role])) if role else ""


def _pair(before: str, after: str) -> str:
    """Both sides; one figure where they are the same."""
    return after if before in ("", after) else messages("simulate")["pair"].format(before=before, after=after or "-")


def _days(value: float | None) -> str:
    return "" if value is None else format_decimal(value, "0.0", locale=LOCALE)


def _share(value: float | None) -> str:
    return "" if value is None else format_percent(value, "0 %", locale=LOCALE)


def _change(before: float | None, after: float | None) -> str:
    if before is None or after is None or abs(after - before) < TENTH:
        return ""
    return format_decimal(after - before, "+0.0;-0.0", locale=LOCALE)


def _table(title: str, *columns: str) -> Table:
    words = messages("simulate")
    table = Table(title=words[title], title_justify="left")
    for number, column in enumerate(columns):
        table.add_column(words[f"column_{column}"], overflow="fold", justify="right" if number else "left")
    return table


# --- for both ---


def _part(tally: Tally | None, name: str) -> float | None:
    """How many of all stays were late, or sent back."""
    return sum(getattr(tally, name).values()) / tally.left if tally and tally.left else None


def _figures(tally: Tally | None, number: int | None) -> Mapping[str, float]:
    """The figures of a step by name; none where no case left it."""
    known = tally.figures(number) if tally and number else None
    if tally is None or known is None or not known.left or number is None:
        return {}
    shares = {name: getattr(tally, name)[number] / known.left for name in ("late", "returned")}
    return {"stays": known.left, "middle": known.middle, "most": known.most} | shares


def _data(comparison: Comparison | None) -> dict[str, object] | None:
    if comparison is None:
        return None
    sides = {"berlaku": comparison.before, "disunting": comparison.after}
    return {
        "perkara": comparison.cases,
        **{name: _side(tally) if tally else None for name, tally in sides.items()},
        "langkah": [
            {
                "langkah": _named(comparison, old, new),
                "berlaku": dict(_figures(comparison.before, old)) or None,
                "disunting": dict(_figures(comparison.after, new)) or None,
            }
            for old, new in comparison.steps()
        ],
        "keberatan": [
            {
                "langkah": objection.step,
                "kata": objection.asked,
                "kode": objection.code,
                "kurang": [missing.item for missing in objection.missing],
                "perkara": tickets,
            }
            for objection, tickets in comparison.objections.items()
        ],
    }


def _side(tally: Tally) -> dict[str, object]:
    return {
        "selesai": len(tally.days),
        "berhenti": dict(tally.stopped),
        "median": tally.middle,
        "sembilan_dari_sepuluh": tally.most,
        "terlambat": _part(tally, "late"),
        "dikembalikan": _part(tally, "returned"),
        "peran": tally.shares(),
        "dokumen": dict(tally.papers),
    }
