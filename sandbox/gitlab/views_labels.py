"""The label and board calls."""

import re
from dataclasses import replace

from sandbox.gitlab import representations, rights
from sandbox.gitlab.acting import Refused, invalid, missing
from sandbox.gitlab.calls import PAGES, Call, Reply, route
from sandbox.gitlab.entities import Board, BoardList, Label, Project

NAME_LIMIT = 255
COLOR = re.compile(r"#[0-9A-Fa-f]{3}(?:[0-9A-Fa-f]{3})?")
NAMED_COLORS = {"red": "#ff0000", "green": "#008000", "blue": "#0000ff", "gray": "#808080", "orange": "#ffa500", "purple": "#800080"}
LABELS = "/projects/<project>/labels"
BOARDS = "/projects/<project>/boards"
EDITABLE = ("new_name", "color", "description", "priority")


def _find(call: Call, project: Project, name: str) -> Label:
    """Find a label by id first, then by name: an all-digit name is shadowed by ids."""
    label = project.labels.get(int(name)) if name.isdigit() else None
    label = label or call.store.label_named(project, name)
    if label is None:
        raise missing("Label")
    return label


def _own(call: Call, project: Project, name: str) -> Label:
    """Find a label to change: one of the group above is none of the project's."""
    label = _find(call, project, name)
    if label.group:
        raise missing("Label")
    return label


def _name(text: str) -> str:
    name = text.strip()
    if not name:
        raise invalid("title", "can't be blank")
    if "," in name or len(name) > NAME_LIMIT:
        raise invalid("title", "is invalid" if "," in name else f"is too long (maximum is {NAME_LIMIT} characters)")
    return name


def _color(text: str) -> str:
    color = NAMED_COLORS.get(text.strip().lower(), text.strip())
    if not COLOR.fullmatch(color):
        raise invalid("color", "must be a valid color code")
    return color


@route("GET", LABELS, ("with_counts", "include_ancestor_groups", "search", *PAGES))
def list_labels(call: Call, project: str) -> Reply:
    """The labels of a project by name."""
    found = call.project(project)
    wanted, counts = str(call.params.get("search", "")).casefold(), call.flag("with_counts") or False
    rows = sorted((label for label in found.labels.values() if wanted in label.name.casefold()), key=lambda label: label.name.casefold())
    return call.page(rows, lambda label: representations.label(found, label, counts=counts))


@route("POST", LABELS, ("name", "color", "description", "priority"))
def create_label(call: Call, project: str) -> Reply:
    """Create a label; a name taken is 409."""
    found = call.project(project, rights.admin_label)
    name, color = _name(str(call.required("name"))), _color(str(call.required("color")))
    if call.store.label_named(found, name):
        raise Refused(409, {"message": "Label already exists"})
    label = call.store.add_label(found, name, color, call.params.get("description"))
    label.priority = call.integer("priority")
    return Reply(representations.label(found, label), 201)


@route("GET", f"{LABELS}/<name>", ("include_ancestor_groups",))
def show_label(call: Call, project: str, name: str) -> Reply:
    """One label by id or name."""
    found = call.project(project)
    return Reply(representations.label(found, _find(call, found, name)))


@route("PUT", f"{LABELS}/<name>", EDITABLE)
def change_label(call: Call, project: str, name: str) -> Reply:
    """Rename or recolour a label; issues keep it, and no hook tells."""
    found = call.project(project, rights.admin_label)
    label = _own(call, found, name)
    if not call.params:
        raise Refused(400, {"error": f"{', '.join(EDITABLE)} are missing, at least one parameter must be provided"})
    if "new_name" in call.params:
        new = _name(str(call.params["new_name"]))
        taken = call.store.label_named(found, new)
        if taken and taken.id != label.id:
            raise invalid("title", "has already been taken")
        label.name = new
    if "color" in call.params:
        label.color = _color(str(call.params["color"]))
    if "description" in call.params:
        label.description = call.params["description"]
    if "priority" in call.params:
        label.priority = call.integer("priority")
    label.updated_at = call.store.now()
    return Reply(representations.label(found, label))


@route("PUT", LABELS, ("label_id", "name", *EDITABLE))
def change_named_label(call: Call, project: str) -> Reply:
    """The old form of changing a label, which python-gitlab still uses: the name is a parameter."""
    name = call.params.pop("label_id", None) or call.required("name")
    call.params.pop("name", None)
    return change_label(call, project, str(name))


@route("DELETE", f"{LABELS}/<name>")
def delete_label(call: Call, project: str, name: str) -> Reply:
    """Delete a label: issues lose it without an event, its old events show null."""
    found = call.project(project, rights.admin_label)
    label = _own(call, found, name)
    del found.labels[label.id]
    for issue in found.issues.values():
        issue.label_ids = [number for number in issue.label_ids if number != label.id]
    for board in found.boards.values():
        board.lists = [column for column in board.lists if column.label_id != label.id]
    return Reply(None, 204)


@route("PUT", f"{LABELS}/<name>/promote")
def promote_label(call: Call, project: str, name: str) -> Reply:
    """Make a label one of the group: those of the same name in the group's projects become this one, and no hook tells."""
    found = call.project(project, rights.admin_label)
    group = found.path.rpartition("/")[0]
    promoted = replace(_own(call, found, name), id=call.store.number("label"), group=group)
    for one in call.store.projects.values():
        if one.path.rpartition("/")[0] == group:
            _merge(one, {label.id for label in one.labels.values() if label.name == promoted.name}, promoted)
    return Reply(representations.group_label(promoted))


def _merge(project: Project, merged: set[int], into: Label) -> None:
    """Put one label in the place of others: on issues, in their history, on boards."""
    project.labels = {number: label for number, label in project.labels.items() if number not in merged} | {into.id: into}
    for issue in project.issues.values():
        issue.label_ids = [into.id if number in merged else number for number in issue.label_ids]
        for event in issue.label_events:
            event.label_id = into.id if event.label_id in merged else event.label_id
    for column in (column for board in project.boards.values() for column in board.lists if column.label_id in merged):
        column.label_id = into.id


# boards


def _board(project: Project, number: str) -> Board:
    board = project.boards.get(int(number)) if number.isdigit() else None
    if board is None:
        raise missing("Board")
    return board


def _column(board: Board, number: str) -> BoardList:
    column = next((column for column in board.lists if str(column.id) == number), None)
    if column is None:
        raise missing("List")
    return column


@route("GET", BOARDS, PAGES)
def list_boards(call: Call, project: str) -> Reply:
    """The boards of a project."""
    found = call.project(project)
    return call.page(list(found.boards.values()), lambda board: representations.board(call.store, found, board))


@route("POST", BOARDS, ("name",))
def create_board(call: Call, project: str) -> Reply:
    """Create a board without columns."""
    found = call.project(project, rights.admin_board)
    board = Board(call.store.number("board"), str(call.required("name")))
    found.boards[board.id] = board
    return Reply(representations.board(call.store, found, board), 201)


@route("GET", f"{BOARDS}/<number>")
def show_board(call: Call, project: str, number: str) -> Reply:
    """One board."""
    found = call.project(project)
    return Reply(representations.board(call.store, found, _board(found, number)))


@route("PUT", f"{BOARDS}/<number>", ("name", "hide_backlog_list", "hide_closed_list"))
def change_board(call: Call, project: str, number: str) -> Reply:
    """Rename a board or hide its implicit columns."""
    found = call.project(project, rights.admin_board)
    board = _board(found, number)
    board.name = str(call.params.get("name", board.name))
    hidden = call.flag("hide_backlog_list"), call.flag("hide_closed_list")
    board.hide_backlog_list = board.hide_backlog_list if hidden[0] is None else hidden[0]
    board.hide_closed_list = board.hide_closed_list if hidden[1] is None else hidden[1]
    return Reply(representations.board(call.store, found, board))


@route("DELETE", f"{BOARDS}/<number>")
def delete_board(call: Call, project: str, number: str) -> Reply:
    """Delete a board; labels and issues stay."""
    found = call.project(project, rights.admin_board)
    del found.boards[_board(found, number).id]
    return Reply(None, 204)


@route("GET", f"{BOARDS}/<number>/lists", PAGES)
def list_columns(call: Call, project: str, number: str) -> Reply:
    """The columns of a board, the implicit ones left out."""
    found = call.project(project)
    rows = sorted(_board(found, number).lists, key=lambda column: column.position)
    return call.page(rows, lambda column: representations.board_list(found, column))


@route("POST", f"{BOARDS}/<number>/lists", ("label_id",))
def create_column(call: Call, project: str, number: str) -> Reply:
    """Add a column for a label."""
    found = call.project(project, rights.admin_board)
    board = _board(found, number)
    label_id = call.integer("label_id")
    if label_id not in found.labels:
        raise Refused(400, {"error": "Label not found!"})
    if any(column.label_id == label_id for column in board.lists):
        raise invalid("label", "has already been taken")
    column = BoardList(call.store.number("list"), label_id, len(board.lists))
    board.lists.append(column)
    return Reply(representations.board_list(found, column), 201)


@route("GET", f"{BOARDS}/<number>/lists/<column>")
def show_column(call: Call, project: str, number: str, column: str) -> Reply:
    """One column."""
    found = call.project(project)
    return Reply(representations.board_list(found, _column(_board(found, number), column)))


@route("PUT", f"{BOARDS}/<number>/lists/<column>", ("position",))
def move_column(call: Call, project: str, number: str, column: str) -> Reply:
    """Put a column elsewhere; the others make room."""
    found = call.project(project, rights.admin_board)
    board = _board(found, number)
    moved = _column(board, column)
    order = sorted((one for one in board.lists if one is not moved), key=lambda one: one.position)
    order.insert(int(call.required("position")), moved)
    for position, one in enumerate(order):
        one.position = position
    return Reply(representations.board_list(found, moved))


@route("DELETE", f"{BOARDS}/<number>/lists/<column>")
def delete_column(call: Call, project: str, number: str, column: str) -> Reply:
    """Take a column away; the label stays."""
    board = _board(call.project(project, rights.admin_board), number)
    board.lists.remove(_column(board, column))
    return Reply(None, 204)
