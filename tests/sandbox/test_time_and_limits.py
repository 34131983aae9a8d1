"""What depends on the clock: throttled touches, rate limits, ordering."""


def _issue(campus, iid):
    return campus.raw("GET", f"/projects/{campus.project.id}/issues/{iid}").json()


def test_a_comment_moves_updated_at_at_most_once_a_minute(campus):
    iid = campus.act().open(campus.project, "x")
    opened = _issue(campus, iid)["updated_at"]
    campus.clock.move(seconds=59)
    campus.act().comment(campus.project, iid, "satu")
    assert _issue(campus, iid)["updated_at"] == opened
    campus.clock.move(seconds=1)
    campus.act().comment(campus.project, iid, "dua")
    assert _issue(campus, iid)["updated_at"] > opened


def test_a_change_of_nothing_does_not_move_it(campus):
    iid = campus.act().open(campus.project, "x")
    campus.act().rename(campus.project, iid, "y")
    before = _issue(campus, iid)["updated_at"]
    campus.clock.move(hours=1)
    campus.act().rename(campus.project, iid, "y")
    assert _issue(campus, iid)["updated_at"] == before


def test_a_label_moves_it(campus):
    iid = campus.act().open(campus.project, "x")
    before = _issue(campus, iid)["updated_at"]
    campus.clock.move(hours=1)
    campus.act().label(campus.project, iid, add=("a",))
    assert _issue(campus, iid)["updated_at"] > before


def test_a_renamed_label_does_not(campus):
    iid = campus.act().open(campus.project, "x", labels=["a"])
    before = _issue(campus, iid)["updated_at"]
    campus.clock.move(hours=1)
    assert campus.raw("PUT", f"/projects/{campus.project.id}/labels/a", json={"new_name": "b"}).status_code == 200
    assert _issue(campus, iid)["updated_at"] == before


def test_comments_are_limited_by_the_minute(campus):
    iid = campus.act().open(campus.project, "x")
    campus.forge.limits["notes_create"] = 2
    path = f"/projects/{campus.project.id}/issues/{iid}/notes"
    answers = [campus.raw("POST", path, json={"body": "x"}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201, 201, 429]
    assert answers[2].headers["Retry-After"] == "60"
    campus.clock.move(minutes=1)
    assert campus.raw("POST", path, json={"body": "x"}).status_code == 201


def test_new_issues_are_limited_without_a_hint(campus):
    campus.forge.limits["issues_create"] = 1
    path = f"/projects/{campus.project.id}/issues"
    assert campus.raw("POST", path, json={"title": "x"}).status_code == 201
    answer = campus.raw("POST", path, json={"title": "x"})
    assert (answer.status_code, "Retry-After" in answer.headers) == (429, False)


def test_searches_are_limited(campus):
    campus.forge.limits["search"] = 1
    path = f"/projects/{campus.project.id}/issues?search=x"
    assert [campus.raw("GET", path).status_code for _ in range(2)] == [200, 429]


def test_the_limits_are_gitlabs(campus):
    assert campus.forge.limits == {"notes_create": 300, "issues_create": 300, "search": 30}


def test_a_project_has_room_for_many_pages(campus):
    for number in range(45):
        campus.act().open(campus.project, f"{number}")
    issues = campus.client.projects.get(campus.project.id).issues
    assert len(issues.list(get_all=True)) == 45
    assert [issue.title for issue in issues.list(order_by="title", sort="asc", per_page=2, page=2, get_all=False)] == ["10", "11"]


def test_an_issue_holds_five_thousand_notes(campus):
    iid = campus.act().open(campus.project, "x")
    campus.act().comment(campus.project, iid, "satu")
    issue = campus.project.issues[iid]
    issue.notes *= 5000
    assert campus.raw("POST", f"/projects/{campus.project.id}/issues/{iid}/notes", json={"body": "x"}).status_code == 400


def test_an_issue_may_be_made_to_hold_only_so_many_labels(campus):
    campus.forge.most_labels = 2
    path = f"/projects/{campus.project.id}/issues"
    assert campus.raw("POST", path, json={"title": "x", "labels": ["a", "b", "c"]}).status_code == 400
    assert list(campus.project.issues) == []
    iid = campus.act().open(campus.project, "x", labels=["a", "b"])
    refused = campus.raw("PUT", f"{path}/{iid}", json={"title": "y", "add_labels": ["c"]})
    assert (refused.status_code, refused.json()["message"]) == (400, "Cannot add more than 2 labels to a work item.")
    assert (_issue(campus, iid)["title"], _issue(campus, iid)["labels"]) == ("x", ["a", "b"])
    campus.act().drag(campus.project, iid, "a", "c")
    campus.forge.most_labels = 1
    campus.act().rename(campus.project, iid, "y")  # what is over the limit already may stay
    assert _issue(campus, iid)["labels"] == ["b", "c"]
