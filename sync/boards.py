"""The boards of the project: one for each procedure with all its steps, and one for each division with the steps its people perform.

A board is known by its id once it was seen: a procedure or an office of another name renames it. What people add to it stays.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from integration.labels import step_label
from integration.procedure.definition import Procedure, Role
from integration.store import Store
from sync.gitlab import Platform

BOARDED = "papan"
"""The mark under which the ids of our boards are remembered, by key."""


@dataclass(frozen=True, slots=True)
class Board:
    """A board as it is to be. `columns`: labels from left to right."""

    key: str
    name: str
    columns: tuple[str, ...]


def boards_of(procedures: Sequence[Procedure]) -> Iterator[Board]:
    """The boards of these procedures; the newest revision of each, last of them, names them. A step has its column under any revision."""
    for newest in {procedure.prefix: procedure for procedure in procedures}.values():
        revisions = [one for one in procedures if one.slug == newest.slug]
        yield Board(newest.prefix, f"{newest.prefix} {newest.head.name}", _columns(revisions, {role.slug for role in newest.roles}))
        for top in _tops(newest):
            members = {role.slug for role in newest.roles if top in _above(newest, role)}
            columns = _columns(revisions, members)
            if columns:
                yield Board(f"{newest.prefix}/{top.slug}", f"{top.name} ({newest.prefix})", columns)


def _columns(revisions: Sequence[Procedure], roles: set[str]) -> tuple[str, ...]:
    """The labels of the steps a case can stand at that any of these roles may perform, in the order of the steps."""
    steps = [
        step
        for one in revisions
        for step in one.steps
        if step.number >= one.opens_at and roles & {step.performer or "", *(one.role for one in step.also)}
    ]
    return tuple(dict.fromkeys(step_label(step) for step in sorted(steps, key=lambda step: step.number)))


def _tops(procedure: Procedure) -> Iterator[Role]:
    """The heads of the divisions: the head of all, and whoever stands right below."""
    head = {role.slug for role in procedure.roles if role.superior is None}
    return (role for role in procedure.roles if role.slug in head or role.superior in head)


def _above(procedure: Procedure, role: Role) -> list[Role]:
    """The head of whose division somebody is: the head of all heads only themselves."""
    while role.superior and procedure.role(role.superior).superior:
        role = procedure.role(role.superior)
    return [role]


def made_ready(
    platform: Platform, store: Store, procedures: Sequence[Procedure], renamed: Mapping[str, str], *, act: bool
) -> Iterator[tuple[str, str, str]]:
    """What differs, and with `act` is put right: each as the kind of the change, the name of the board or column, and the name it had.

    `renamed`: labels that are to get another name, and so will their columns.
    """
    path = f"{platform.project}/boards"
    there = list(platform.pages(path))
    for column in (column for board in there for column in board["lists"] if column.get("label")):
        column["label"]["name"] = renamed.get(column["label"]["name"], column["label"]["name"])
    ids: dict[str, int] = json.loads(store.mark(BOARDED) or "{}")
    known = dict(ids)
    for wanted in boards_of(procedures):
        board = next((one for one in there if one["id"] == ids.get(wanted.key)), None)
        board = board or next((one for one in there if one["name"] == wanted.name and one["id"] not in ids.values()), None)
        if board is None:
            board = platform.post(path, {"name": wanted.name}) if act else {"name": wanted.name, "lists": []}
            yield "board_create", wanted.name, ""
        elif board["name"] != wanted.name:
            if act:
                platform.put(f"{path}/{board['id']}", {"name": wanted.name})
            yield "board_rename", wanted.name, board["name"]
        known |= {wanted.key: board["id"]} if "id" in board else {}
        yield from _in_order(platform, path, board, wanted, act=act)
    if act and known != ids:
        store.set_mark(BOARDED, json.dumps(known))


def _in_order(platform: Platform, path: str, board: dict[str, Any], wanted: Board, *, act: bool) -> Iterator[tuple[str, str, str]]:
    """The columns that are missing, which are put where they belong, and whether those that are there stand in another order."""
    columns = sorted((column for column in board.get("lists", []) if column.get("label")), key=lambda column: column["position"])
    there, ids = [column["id"] for column in columns], {column["label"]["name"]: column["id"] for column in columns}
    missing = [label for label in wanted.columns if label not in ids]
    disordered = bool(_moves(there, [ids[label] for label in wanted.columns if label in ids]))
    if act and missing:
        labels = {label["name"]: label["id"] for label in platform.pages(f"{platform.project}/labels")}
        for label in missing:
            ids[label] = platform.post(f"{path}/{board['id']}/lists", {"label_id": labels[label]})["id"]
            there.append(ids[label])
    if act:
        for column, position in _moves(there, [ids[label] for label in wanted.columns]):
            platform.put(f"{path}/{board['id']}/lists/{column}", {"position": position})
    yield from (("column_create", label, "") for label in missing)
    if disordered:
        yield "columns_order", wanted.name, ""


def _moves(there: Sequence[int], wanted: Sequence[int]) -> list[tuple[int, int]]:
    """The fewest columns to move, each with its new place, until `wanted` stand in this order among all that are `there`."""
    order, moves = list(there), []
    staying = _longest_rising([order.index(column) for column in wanted])
    following: int | None = None
    for column in reversed(wanted):
        if there.index(column) not in staying:
            order.remove(column)
            place = len(order) if following is None else order.index(following)
            order.insert(place, column)
            moves.append((column, place))
        following = column
    return moves


def _longest_rising(places: Sequence[int]) -> frozenset[int]:
    """The most of these places that rise as they come."""
    ending: list[tuple[int, ...]] = [()]
    for place in places:
        before = max((run for run in ending if not run or run[-1] < place), key=len)
        ending.append((*before, place))
    longest = max(ending, key=len)
    return frozenset(longest)
