"""The stand-in's answers against GitLab's own JSON schemas and OpenAPI description, where those are beside the project."""

import json
import re
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft7Validator, FormatChecker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT7

from sandbox.gitlab.calls import ROUTES

ROOT = "file:///spec/fixtures/api/schemas/public_api/v4/"
RUBY_ONLY, PORTABLE = "^#[0-9A-Fa-f]{3}{1,2}$", "^#(?:[0-9A-Fa-f]{3}){1,2}$"

# Calls or parameters the stand-in has although the OpenAPI subset does not list them, with the reason.
BEYOND = {
    "pagination": "keyset paging is asked for by this parameter on every list",
    "avatar": "sent by python-gitlab with every upload",
    "permanently_remove": "documented for deleting a project, missing in the generated file",
    "full_path": "documented for deleting a project, missing in the generated file",
    "active": "documented filter",
    **dict.fromkeys(("branch", "content", "commit_message"), "documented for files of a repository, missing in the generated file"),
}
BEYOND_ROUTES = {("POST", "/users/{}/personal_access_tokens"), ("POST", "/projects/{}/archive"), ("POST", "/projects/{}/unarchive")}


@pytest.fixture(scope="module")
def schemas(shared: Path) -> Registry:
    folder = shared / "gitlab/spec/fixtures/api/schemas/public_api/v4"
    files = folder.rglob("*.json")
    return Registry().with_resources(
        (
            ROOT + file.relative_to(folder).as_posix(),
            Resource(json.loads(file.read_text().replace(RUBY_ONLY, PORTABLE)), DRAFT7),
        )
        for file in files
    )


@pytest.fixture(scope="module")
def openapi(shared: Path) -> dict:
    return yaml.load((shared / "gitlab/openapi-subset.yaml").read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe


@pytest.fixture
def ready(campus):
    """A campus with one of everything."""
    act, project = campus.act(), campus.project
    iid = act.open(project, "Satu", "- [ ] a", labels=["langkah::04"], due_date="2026-12-31", assignee_ids=[campus.reporter.id])
    act.comment(project, iid, "teks")
    act.label(project, iid, add=("b",), remove=("langkah::04",))
    act.close(project, iid)
    other = act.open(project, "Dua")
    body = {"target_project_id": project.id, "target_issue_iid": other}
    assert campus.raw("POST", f"/projects/{project.id}/issues/{iid}/links", json=body).status_code == 201
    board = next(iter(project.boards.values()))
    label = next(label for label in project.labels.values() if label.name == "b")
    campus.raw("POST", f"/projects/{project.id}/boards/{board.id}/lists", json={"label_id": label.id})
    campus.raw("POST", f"/projects/{project.id}/hooks", json={"url": "http://127.0.0.1:9/x", "token": "x"})
    act.upload(project, "a.png", b"x")
    campus.raw("POST", f"/projects/{project.id}/wikis", json={"title": "Satu", "content": "x"})
    return campus


SCHEMAS = {
    "issue": "/projects/{p}/issues/1",
    "issues": "/projects/{p}/issues",
    "notes": "/projects/{p}/issues/1/notes",
    "related_issues": "/projects/{p}/issues/1/links",
    "labels/project_label": "/projects/{p}/labels/b",
    "boards": "/projects/{p}/boards",
    "members": "/projects/{p}/members",
    "project_hooks": "/projects/{p}/hooks",
    "projects": "/projects",
    "user/public": "/user",
    "user/basics": "/users",
    "metadata": "/metadata",
}


@pytest.mark.parametrize(("name", "path"), SCHEMAS.items(), ids=SCHEMAS)
def test_answers_match_the_schemas(ready, schemas, name, path):
    answer = ready.raw("GET", path.format(p=ready.project.id)).json()
    assert answer != []
    Draft7Validator({"$ref": f"{ROOT}{name}.json"}, registry=schemas, format_checker=FormatChecker()).validate(answer)


def test_labels_with_counts_and_in_full_match(ready, schemas):
    rows = ready.raw("GET", f"/projects/{ready.project.id}/labels?with_counts=true").json()
    validator = Draft7Validator({"$ref": f"{ROOT}labels/project_label_with_counts.json"}, registry=schemas)
    for row in rows:
        validator.validate(row)
    issue = ready.raw("GET", f"/projects/{ready.project.id}/issues?with_labels_details=true&labels=b").json()[0]
    Draft7Validator({"$ref": f"{ROOT}label_basic.json"}, registry=schemas).validate(issue["labels"][0])


def test_a_new_link_matches(ready, schemas):
    third = ready.act().open(ready.project, "Tiga")
    body = {"target_project_id": ready.project.id, "target_issue_iid": third}
    answer = ready.raw("POST", f"/projects/{ready.project.id}/issues/1/links", json=body).json()
    Draft7Validator({"$ref": f"{ROOT}issue_link.json"}, registry=schemas).validate(answer)


def test_a_moved_and_converted_issue_matches(ready, schemas):
    target = ready.forge.project("pustikom/lain")
    ready.forge.member(target, ready.bot, 40)
    validator = Draft7Validator({"$ref": f"{ROOT}issue.json"}, registry=schemas, format_checker=FormatChecker())
    path = f"/projects/{ready.project.id}/issues/1"
    validator.validate(ready.raw("PUT", path, json={"issue_type": "incident", "discussion_locked": True, "confidential": False}).json())
    validator.validate(ready.raw("POST", f"{path}/move", json={"to_project_id": target.id}).json())
    validator.validate(ready.raw("GET", path).json())


def test_a_promoted_label_matches(ready, schemas, openapi):
    path = f"/projects/{ready.project.id}/labels/b"
    answer = ready.raw("PUT", f"{path}/promote").json()
    assert set(answer) <= set(openapi["components"]["schemas"]["APIEntitiesGroupLabel"]["properties"])
    Draft7Validator({"$ref": f"{ROOT}labels/label.json"}, registry=schemas).validate(answer)
    Draft7Validator({"$ref": f"{ROOT}labels/project_label.json"}, registry=schemas).validate(ready.raw("GET", path).json())


COMPONENTS = {
    "ResourceLabelEvent": "/projects/{p}/issues/1/resource_label_events",
    "ResourceStateEvent": "/projects/{p}/issues/1/resource_state_events",
    "MarkdownUploadAdmin": "/projects/{p}/uploads",
    "WikiPageBasic": "/projects/{p}/wikis",
    "WikiPage": "/projects/{p}/wikis/Satu",
    "Metadata": "/version",
    "UserPublic": "/user",
    "Issue": "/projects/{p}/issues/1",
    "ProjectLabel": "/projects/{p}/labels/b",
    "ProjectHook": "/projects/{p}/hooks",
    "PersonalAccessTokenWithLastUsedIps": "/personal_access_tokens/self",
}
FREE_TIER_LEAVES_OUT = {
    "Issue": {"weight", "epic_iid", "epic", "iteration", "health_status"},
    "UserPublic": {
        "custom_attributes",
        "avatar_path",
        "scim_identities",
        "shared_runners_minutes_limit",
        "extra_shared_runners_minutes_limit",
    },
    "ProjectHook": {"organization_id", "vulnerability_events"},
    "ProjectLabel": {"open_issues_count", "closed_issues_count", "open_merge_requests_count"},
    "PersonalAccessTokenWithLastUsedIps": {"last_used_ips"},
}
SOCIAL = {"work_information", "followers", "following", "is_followed", "local_time", "preferred_language", "pronouns"}


@pytest.mark.parametrize(("name", "path"), COMPONENTS.items(), ids=COMPONENTS)
def test_answers_hold_the_fields_of_the_openapi_description(ready, openapi, name, path):
    answer = ready.raw("GET", path.format(p=ready.project.id)).json()
    row = answer[0] if isinstance(answer, list) else answer
    described = set(openapi["components"]["schemas"][f"APIEntities{name}"]["properties"])
    assert set(row) - described <= {"is_admin"}
    assert described - set(row) <= FREE_TIER_LEAVES_OUT.get(name, set()) | SOCIAL


def _shape(path: str) -> str:
    return re.sub(r"<[^>]*>|\{[^}]*\}", "{}", path)


def test_every_call_and_parameter_is_one_of_gitlabs(openapi):
    described: dict[tuple[str, str], set[str]] = {}
    for path, methods in openapi["paths"].items():
        for method, operation in methods.items():
            if method not in {"get", "post", "put", "delete"}:
                continue
            names = {one["name"].removesuffix("[]") for one in operation.get("parameters", []) if "name" in one}
            for content in operation.get("requestBody", {}).get("content", {}).values():
                schema = content["schema"]
                schema = openapi["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]] if "$ref" in schema else schema
                names |= set(schema.get("properties", {}))
            described.setdefault((method.upper(), _shape(path.removeprefix("/api/v4"))), set()).update(names)
    stray = []
    for route in ROUTES:
        key = (route.method, _shape(route.rule))
        if key in BEYOND_ROUTES:
            continue
        assert key in described, f"{key} is not in GitLab's description"
        stray += [(key, name) for name in route.params - described[key] if name not in BEYOND]
    assert stray == []
