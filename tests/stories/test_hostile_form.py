"""A form written by somebody who knows GitLab: nothing in it is executed, mentioned, referenced, loaded or created."""

import yaml

from tests.stories.world import ROOT, World


def test_a_form_full_of_quick_actions_mentions_and_markup_is_only_shown(world: World) -> None:
    rows = yaml.safe_load((ROOT / "sandbox" / "forms.yaml").read_text(encoding="utf-8"))
    labels_before = world.label_names()

    ticket = world.submit(form=rows[-1]["formulir"])

    issue = world.campus.issue(ticket)
    assert issue["state"] == "opened"
    assert issue["issue_type"] == "issue"
    assert issue["assignees"][0]["username"] == world.campus.holder("kasi-layanan-administrasi")
    assert world.case(ticket).step == 4
    assert world.campus.step(ticket).number == 4
    assert world.label_names() == labels_before
    assert "/move" not in world.campus.gitlab.unknown
    page = world.page(ticket)
    assert "<script>alert" not in page
    assert "pelacak.contoh/a.png" not in page.replace("&#x2F;", "/").split('src="')[-1][:200]
    assert 'data-user="kepala.pustikom"' not in page
    world.walk(ticket)
    assert world.case(ticket).status == "selesai"
    assert world.label_names() == labels_before
