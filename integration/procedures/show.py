"""A procedure for people to look at: as a table of its decisions and as a Mermaid diagram. Pure; nothing here knows a procedure."""

from itertools import zip_longest
from textwrap import wrap

from integration.procedure.definition import Also, Outcome, Procedure, Role, Step
from integration.procedures.reading import ONE_EDITION
from integration.templates import messages

COLUMNS = ("number", "step", "performer", "time", "outcomes", "sections", "documents")
WIDTHS = (2, 18, 25, 8, 21, 18, 16)
GAP = "  "

Row = tuple[str, ...]
"""One cell per column; the lines of a cell are separated by newlines."""


def table(procedure: Procedure) -> tuple[Row, list[Row]]:
    """The headings, and one row per step."""
    said = messages("procedure")
    return tuple(said[f"column-{column}"] for column in COLUMNS), [_row(procedure, step) for step in procedure.steps]


def as_table(procedure: Procedure) -> str:
    """The table as text, 120 characters wide, and the office above each role."""
    headings, rows = table(procedure)
    rule = GAP.join("─" * width for width in WIDTHS)
    title = f"{procedure.head.name}\n{procedure.head.number} · {procedure.slug}.{procedure.revision}"
    said = messages("procedure")
    ranks = [said["ranks"], *(f"  {_rank(procedure, role)}" for role in procedure.roles), ""]
    return "\n".join([title, "", _lines(headings), rule, *(f"{_lines(row)}\n" for row in rows), *ranks, said["legend"]])


def mermaid(procedure: Procedure) -> str:
    """A flowchart: forward outcomes as lines, returns and endings that need a reason dashed, the unit's steps in another colour."""
    unit = [_node(step.number) for step in procedure.steps if step.performer in {r.slug for r in procedure.roles if r.channel == "portal"}]
    endings = sorted({outcome.ending for step in procedure.steps for outcome in step.outcomes if outcome.ending})
    return "\n".join(
        [
            "flowchart TD",
            *(f"    {_node(step.number)}[{_quoted(_caption(procedure, step))}]" for step in procedure.steps),
            *(f"    {ending}([{_quoted(ending)}])" for ending in endings),
            *(f"    {_node(number)} --> {_node(number + 1)}" for number in range(1, procedure.opens_at)),
            *(f"    {_edge(procedure, step, outcome)}" for step in procedure.steps for outcome in step.outcomes),
            *([f"    darurat{{{{darurat}}}} ==> {_node(procedure.emergency.first)}"] if procedure.emergency else []),
            "    classDef unit fill:#eaf2fb,stroke:#2f6fab",
            f"    class {','.join(unit)} unit",
            "",
        ]
    )


def _row(procedure: Procedure, step: Step) -> Row:
    said = messages("procedure")
    performer = [said["recorded-step"]]
    if step.performer:
        performer = [f"{procedure.role(step.performer).name} ({said[f'source-{step.source}']})"]
    documents = [_paper(procedure, product.document, product.edition) for product in step.products]
    if procedure.duty and procedure.duty.document and procedure.duty.step == step.number:
        documents.append(_paper(procedure, procedure.duty.document, ONE_EDITION))
    parts = procedure.duty.parts if procedure.duty and procedure.duty.step == step.number else step.sections
    return (
        str(step.number),
        step.name,
        "\n".join([*performer, *(_also(procedure, also) for also in step.also)]),
        step.standard.text if step.standard else "",
        "\n".join(_way(procedure, step, outcome) for outcome in step.outcomes),
        "\n".join(part.title for part in parts),
        "\n".join(documents),
    )


def _rank(procedure: Procedure, role: Role) -> str:
    said = messages("procedure")
    return said["rank"].format(role=role.name, superior=procedure.role(role.superior).name if role.superior else said["rank-top"])


def _paper(procedure: Procedure, document: str, edition: str) -> str:
    title = procedure.document(document).title
    return title if edition == ONE_EDITION else f"{title} ({edition})"


def _also(procedure: Procedure, also: Also) -> str:
    said, role = messages("procedure"), procedure.role(also.role).name
    if also.attachment is None:
        return said["also-role"].format(role=role)
    return said["also-attachment"].format(role=role, attachment=procedure.document(also.attachment).title)


def _word(procedure: Procedure, step: Step, outcome: Outcome) -> str:
    """The outcome's word; where a report leaves the step, the report's."""
    duty = procedure.duty
    if duty and (duty.step, duty.outcome) == (step.number, outcome.word):
        return messages("procedure")["word-of-report"].format(word=duty.word)
    return outcome.word


def _way(procedure: Procedure, step: Step, outcome: Outcome) -> str:
    return f"{_word(procedure, step, outcome)}{'*' if outcome.needs_reason else ''} → {outcome.ending or outcome.to}"


def _lines(row: Row) -> str:
    cells = [
        [line for part in cell.split("\n") for line in wrap(part, width, break_on_hyphens=False)]
        for cell, width in zip(row, WIDTHS, strict=True)
    ]
    lines = zip_longest(*cells, fillvalue="")
    return "\n".join(GAP.join(part.ljust(width) for part, width in zip(line, WIDTHS, strict=True)).rstrip() for line in lines)


def _node(number: int) -> str:
    return f"s{number:02d}"


def _caption(procedure: Procedure, step: Step) -> str:
    return f"{step.label_text}<br/>{procedure.role(step.performer).name}" if step.performer else step.label_text


def _edge(procedure: Procedure, step: Step, outcome: Outcome) -> str:
    arrow = "-.->" if outcome.needs_reason else "-->"
    target = outcome.ending or (_node(outcome.to) if outcome.to else "")
    return f"{_node(step.number)} {arrow}|{_quoted(_word(procedure, step, outcome))}| {target}"


def _quoted(text: str) -> str:
    return '"' + text.replace('"', "#quot;") + '"'
