"""What people can do to an issue and its labels behind everybody's back: moved, converted, locked, promoted, renamed, deleted."""

import pytest
import requests


@pytest.fixture
def other(campus):
    """Another project of the same group, where everybody may do what they may in the first."""
    project = campus.forge.project("pustikom/lain")
    campus.forge.member(project, campus.bot, 40)
    campus.forge.member(project, campus.reporter, 20)
    return project


@pytest.fixture
def iid(campus):
    iid = campus.act().open(campus.project, "Satu", "teks", labels=["a", "b"], confidential=True, due_date="2031-02-03")
    campus.act().comment(campus.project, iid, "komentar")
    campus.raw("POST", f"/projects/{campus.project.id}/hooks", json={"url": "http://127.0.0.1:9/x", **FLAGS})
    return iid


FLAGS = {"issues_events": True, "confidential_issues_events": True, "note_events": True}


def shown(campus, iid):
    return campus.raw("GET", f"/projects/{campus.project.id}/issues/{iid}").json()


def said(campus, iid):
    return [note["body"] for note in campus.raw("GET", f"/projects/{campus.project.id}/issues/{iid}/notes?sort=asc").json()]


class TestMoving:
    def test_a_copy_is_opened_there_and_the_original_closed_here(self, campus, iid, other):
        campus.raw("POST", f"/projects/{other.id}/labels", json={"name": "b", "color": "#112233"})
        there = campus.act(campus.reporter).move(campus.project, iid, other)
        copy = campus.raw("GET", f"/projects/{other.id}/issues/{there}").json()
        assert (copy["title"], copy["description"], copy["confidential"], copy["labels"]) == ("Satu", "teks", True, ["b"])
        assert copy["author"]["username"] == "alur-bot"
        assert [note.body for note in other.issues[there].notes][-2:] == ["komentar", f"moved from pustikom/pengaduan-si#{iid}"]
        issue = shown(campus, iid)
        assert (issue["state"], issue["moved_to_id"]) == ("closed", copy["id"])
        assert said(campus, iid)[-2:] == ["komentar", f"moved to pustikom/lain#{there}"]

    def test_the_closing_is_told(self, campus, iid, other):
        campus.act(campus.reporter).move(campus.project, iid, other)
        campus.forge.settle()
        told = [delivery.body["object_attributes"] for delivery in campus.forge.deliveries]
        assert [(event["action"], event["moved_to_id"] is None) for event in told] == [("close", False)]

    def test_reopened_it_forgets_the_copy_and_can_be_moved_again(self, campus, iid, other):
        person = campus.act(campus.reporter)
        person.move(campus.project, iid, other)
        with pytest.raises(requests.HTTPError):
            person.move(campus.project, iid, other)
        person.reopen(campus.project, iid)
        assert shown(campus, iid)["moved_to_id"] is None
        assert person.move(campus.project, iid, other) == 2

    def test_where_it_comes_from_and_where_nothing_may_be_done_are_refused(self, campus, iid, other):
        del other.members[campus.reporter.id]
        for target, status in ((campus.project.id, 400), (other.id, 404), (99, 404)):
            path = f"{campus.forge.url}/api/v4/projects/{campus.project.id}/issues/{iid}/move"
            token = {"PRIVATE-TOKEN": campus.reporter.token}
            assert requests.post(path, json={"to_project_id": target}, headers=token, timeout=5).status_code == status


class TestOtherChanges:
    def test_converted_it_is_a_work_item_for_hooks(self, campus, iid):
        campus.act(campus.reporter).convert(campus.project, iid, "task")
        campus.forge.settle()
        body = campus.forge.deliveries[-1].body
        assert (body["object_kind"], body["object_attributes"]["type"]) == ("work_item", "Task")
        assert (shown(campus, iid)["issue_type"], said(campus, iid)[-1]) == ("task", "changed type from issue to task")

    def test_locked_and_unlocked(self, campus, iid):
        campus.act(campus.reporter).lock(campus.project, iid)
        assert shown(campus, iid)["discussion_locked"] is True
        campus.act(campus.reporter).lock(campus.project, iid, False)
        assert said(campus, iid)[-2:] == ["locked the discussion in this issue", "unlocked the discussion in this issue"]

    def test_made_public(self, campus, iid):
        campus.act(campus.reporter).publish(campus.project, iid)
        campus.forge.settle()
        assert campus.forge.deliveries[-1].event == "Issue Hook"

    def test_deleted_without_a_hook_and_only_by_those_who_may(self, campus, iid):
        with pytest.raises(requests.HTTPError):
            campus.act(campus.reporter).delete(campus.project, iid)
        campus.forge.member(campus.project, campus.reporter, 50)
        campus.act(campus.reporter).delete(campus.project, iid)
        campus.forge.settle()
        assert campus.raw("GET", f"/projects/{campus.project.id}/issues/{iid}").status_code == 404
        assert campus.forge.deliveries == []
        assert campus.act().open(campus.project, "Dua") == iid + 1

    def test_a_bulk_edit_is_told_issue_by_issue(self, campus, iid):
        second = campus.act().open(campus.project, "Dua")
        campus.forge.settle()
        campus.forge.deliveries.clear()
        campus.act(campus.reporter).bulk_edit(campus.project, [iid, second], add_labels=["c"])
        campus.forge.settle()
        assert [delivery.body["object_attributes"]["iid"] for delivery in campus.forge.deliveries] == [iid, second]


class TestLabels:
    """No hook tells any of it (behaviour.md 1.3)."""

    @pytest.fixture(autouse=True)
    def _silent(self, campus):
        yield
        campus.forge.settle()
        assert campus.forge.deliveries == []

    def test_renamed_it_is_renamed_everywhere(self, campus, iid):
        campus.act(campus.reporter).rename_label(campus.project, "a", "z")
        assert shown(campus, iid)["labels"] == ["b", "z"]

    def test_deleted_it_is_gone_and_its_history_has_no_name(self, campus, iid):
        campus.act(campus.reporter).delete_label(campus.project, "a")
        assert shown(campus, iid)["labels"] == ["b"]
        events = campus.raw("GET", f"/projects/{campus.project.id}/issues/{iid}/resource_label_events").json()
        assert [event["label"] and event["label"]["name"] for event in events] == [None, "b"]

    def test_promoted_it_is_the_group_s_with_another_id_and_can_be_changed_here_no_more(self, campus, iid, other):
        path = f"/projects/{campus.project.id}/labels"
        before = campus.raw("GET", f"{path}/a").json()["id"]
        campus.act().open(other, "Di sana", labels=["a"])
        board = next(iter(campus.project.boards))
        campus.raw("POST", f"/projects/{campus.project.id}/boards/{board}/lists", json={"label_id": before})
        campus.act(campus.reporter).promote_label(campus.project, "a")
        after = campus.raw("GET", f"{path}/a").json()
        assert after["id"] != before
        assert after["is_project_label"] is False
        assert shown(campus, iid)["labels"] == ["a", "b"]
        assert [label.id for label in other.labels.values()] == [after["id"]]
        assert campus.raw("GET", f"/projects/{campus.project.id}/boards/{board}").json()["lists"][0]["label"]["id"] == after["id"]
        assert campus.raw("PUT", f"{path}/a", json={"new_name": "z"}).status_code == 404
        assert campus.raw("DELETE", f"{path}/a").status_code == 404
        assert [label.name for label in campus.forge.project("pustikom/baru").labels.values()] == ["a"]
