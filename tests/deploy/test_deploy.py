"""What is shipped to run and watch the service, held against the service: every setting, command, route and figure it names is there.

Where the program that reads a file for real is installed (systemd-analyze, nginx, promtool, kubectl), it reads it here too.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from integration.settings import PREFIX, Settings
from sync.cli import main
from webhooks.app import create_app

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
DOCUMENTS = sorted(path for path in DEPLOY.rglob("*.yaml") if path.name != "organisation.example.yaml")
MOST_EXPOSED = 2.0  # of 10, by systemd's own reckoning


def read(path: Path) -> list[Any]:
    return [document for document in yaml.safe_load_all(path.read_text(encoding="utf-8")) if document]


def manifests() -> Iterator[dict[str, Any]]:
    """Every object for Kubernetes."""
    for path in sorted((DEPLOY / "kubernetes").rglob("*.yaml")):
        yield from (document for document in read(path) if "apiVersion" in document)


def containers() -> dict[str, dict[str, Any]]:
    """The container of each deployment, by its name."""
    deployments = (document for document in manifests() if document["kind"] == "Deployment")
    return {document["metadata"]["name"]: document["spec"]["template"]["spec"]["containers"][0] for document in deployments}


def available(program: str) -> str:
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is not installed")
    return found


def run(*command: object) -> str:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


# --- what the files name ---


def test_every_setting_that_is_named_exists():
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields} | {"ALUR_VERSI"}  # the last one is compose's own
    files = [path for path in DEPLOY.rglob("*") if path.is_file() and path.name != "requirements.txt"]
    named = {(path.name, name) for path in files for name in re.findall(r"\bALUR_[A-Z_]+\b", path.read_text(encoding="utf-8"))}
    assert {(file, name) for file, name in named if name not in known} == set()


@pytest.mark.parametrize("example", sorted(DEPLOY.glob("*.env.example")), ids=lambda path: path.name)
def test_an_example_of_settings_needs_only_its_blanks_filled(example, tmp_path):
    organisation = DEPLOY / "organisation.example.yaml"
    blanks = {
        "ALUR_GITLAB_URL": "https://gitlab.kampus.example",
        "ALUR_GITLAB_TOKEN": "token",
        "ALUR_GITLAB_PROJECT": "pustikom/pengaduan-si",
        "ALUR_GITLAB_WEBHOOK_SECRET": "rahasia",
        "ALUR_PORTAL_SECRETS": "whsec_cmFoYXNpYQ==",
        "ALUR_PUBLIC_URL": "https://layanan.kampus.example",
    }
    lines = example.read_text(encoding="utf-8").splitlines()
    filled = [f"{line}{blanks.get(line[:-1], '')}" if line.endswith("=") else line for line in lines]
    filled = [f"ALUR_ORGANISATION={organisation}" if line.startswith("ALUR_ORGANISATION=") else line for line in filled]
    (tmp_path / ".env").write_text("\n".join(filled), encoding="utf-8")
    Settings.read({}, tmp_path / ".env")


def test_every_command_that_is_started_exists():
    compose = read(DEPLOY / "compose" / "compose.yaml")[0]["services"]
    started = {service["command"][0] for service in compose.values() if "alur-pos" in service["image"]}
    started |= {container["args"][0] for container in containers().values() if container["image"] == "alur-pos"}
    started |= set(re.findall(r"^ExecStart=\S+/alur (\w+)$", "\n".join(unit.read_text() for unit in UNITS), re.MULTILINE))
    started |= set(re.findall(r'^CMD \["(\w+)"\]', (DEPLOY / "Dockerfile").read_text(), re.MULTILINE))
    assert started == {"serve", "web", "worker", "beat"}
    assert started <= main.commands.keys()


def test_every_command_an_alarm_tells_to_type_exists():
    rules = (DEPLOY / "prometheus" / "alur.rules.yaml").read_text(encoding="utf-8").replace("{{ $labels.side }}", "inbox")
    for line in set(re.findall(r"`alur ([^`]+)`", rules)):
        command: click.Command = main
        for word in line.split():
            if isinstance(command, click.Group):
                command = command.commands[word]
            elif word.startswith("--"):
                assert any(word in parameter.opts for parameter in command.params), line


def figures(client) -> set[str]:
    """The names under which figures are found in Prometheus, those too that nothing has been counted for."""
    text = client.get("/metrics").text
    families = {family.name: family for family in text_string_to_metric_families(text)}
    return {f"{name}_total" if family.type == "counter" else name for name, family in families.items()}


def test_every_figure_that_is_watched_is_told(client, parts):
    parts.store.keep(_hook())
    told = figures(client)
    watched = [*expressions(), read(DEPLOY / "kubernetes" / "prometheus-adapter.yaml")[0]["rules"]["external"][0]["seriesQuery"]]
    watched += [
        metric["external"]["metric"]["name"]
        for document in manifests()
        if document["kind"] == "HorizontalPodAutoscaler"
        for metric in document["spec"]["metrics"]
        if metric["type"] == "External"
    ]
    assert {name for expression in watched for name in re.findall(r"\balur_\w+", expression)} <= told


def test_every_figure_that_is_told_is_on_the_dashboard(client, parts):
    parts.store.keep(_hook())
    shown = {name for _, expression in panels() for name in re.findall(r"\balur_\w+", expression)}
    assert figures(client) - shown == set()


def _hook():
    from integration.store import Delivery  # noqa: PLC0415 -- read where it is used

    return Delivery("gitlab", "a", "SI-2026-000001", b"{}")


def panels() -> list[tuple[dict[str, Any], str]]:
    """Each panel of the dashboard with each of its questions."""
    dashboard = json.loads((DEPLOY / "grafana" / "alur.json").read_text(encoding="utf-8"))
    return [(panel, target["expr"]) for panel in dashboard["panels"] for target in panel.get("targets", [])]


def rules() -> list[dict[str, Any]]:
    return [rule for group in read(DEPLOY / "prometheus" / "alur.rules.yaml")[0]["groups"] for rule in group["rules"]]


def expressions() -> list[str]:
    return [expression for _, expression in panels()] + [rule["expr"] for rule in rules()]


def test_the_dashboard_can_be_imported():
    dashboard = json.loads((DEPLOY / "grafana" / "alur.json").read_text(encoding="utf-8"))
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(set(ids)) == len(ids)
    places = [panel["gridPos"] for panel in dashboard["panels"]]
    cells = [(x, y) for at in places for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])]
    assert len(set(cells)) == len(cells), "panels lie on each other"
    assert max(x for x, _ in cells) < 24
    assert all(panel["description"] and target["datasource"]["uid"] == "${sumber}" for panel, _ in panels() for target in panel["targets"])


def test_every_alarm_says_what_to_do():
    for rule in rules():
        assert rule["labels"]["severity"] in {"genting", "perhatian"}
        assert rule["annotations"]["summary"]
        assert len(rule["annotations"]["description"]) > 60


# --- the image ---


def test_the_image_is_made_of_what_is_pinned_and_declared():
    pinned = dict(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / "constraints.txt").read_text(), re.MULTILINE))
    shipped = dict(re.findall(r"^([\w.-]+)==(\S+)", (DEPLOY / "requirements.txt").read_text(), re.MULTILINE))
    assert shipped.items() <= pinned.items()
    assert {"pytest", "ruff", "mypy", "hypothesis", "cyclonedx-bom"} & shipped.keys() == set()
    assert {"flask", "celery", "opentelemetry-sdk"} <= shipped.keys()


def test_the_image_s_sources_are_there_and_let_through():
    allowed = set(re.findall(r"^!(\S+)", (ROOT / ".dockerignore").read_text(), re.MULTILINE))
    copied = [
        source
        for line in re.findall(r"^COPY (?!--from)(.+)$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
        for source in line.split()[:-1]
    ]
    assert copied
    assert {source for source in copied if not (ROOT / source).exists() or source not in allowed} == set()


def test_a_container_is_nobody_in_particular_and_writes_only_data():
    image = (DEPLOY / "Dockerfile").read_text()
    user = re.search(r"^USER (\d+):", image, re.MULTILINE)
    assert user
    assert not re.search(r"^VOLUME", image, re.MULTILINE), "it would hide the folder that compose mounts above it"
    for document in manifests():
        if document["kind"] != "Deployment":
            continue
        pod = document["spec"]["template"]["spec"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["containers"][0]["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        if pod["containers"][0]["image"] == "alur-pos":
            assert str(pod["securityContext"]["runAsUser"]) == user[1]
    for name, service in read(DEPLOY / "compose" / "compose.yaml")[0]["services"].items():
        if name != "basis-data":  # PostgreSQL's image changes its own user at its start
            assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"]), name


# --- Kubernetes and the proxy ---


def test_each_process_may_be_disrupted_one_at_a_time_and_what_serves_is_probed():
    for name in ("web", "worker", "beat"):
        assert any(document["kind"] == "PodDisruptionBudget" and document["metadata"]["name"] == name for document in manifests())
    assert {probe for probe in containers()["web"] if probe.endswith("Probe")} == {"startupProbe", "livenessProbe", "readinessProbe"}


def test_everything_for_people_and_programs_goes_through_the_ingress_and_what_is_for_operators_does_not(parts):
    app = create_app(parts)
    ingress = next(document for document in manifests() if document["kind"] == "Ingress")
    paths = [(each["path"], each["pathType"]) for each in ingress["spec"]["rules"][0]["http"]["paths"]]
    inside = {
        rule.rule
        for rule in app.url_map.iter_rules()
        if not any(rule.rule == path or (kind == "Prefix" and rule.rule.startswith(f"{path}/")) for path, kind in paths)
    }
    assert inside <= {"/", "/live", "/ready", "/metrics"}
    proxied = (DEPLOY / "nginx" / "lokasi.conf").read_text()
    assert all(f"location = {path} {{\n    allow 127.0.0.0/8;" in proxied for path in ("/", "/metrics"))


def test_every_file_of_the_kustomization_is_listed():
    listed = read(DEPLOY / "kubernetes" / "base" / "kustomization.yaml")[0]["resources"]
    there = {path.name for path in (DEPLOY / "kubernetes" / "base").glob("*.yaml")} - {"kustomization.yaml"}
    assert set(listed) == there


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(DEPLOY)))
def test_every_yaml_file_is_one(document):
    assert read(document)


# --- read by the programs they are for ---


def test_the_manifests_are_put_together_by_kustomize(tmp_path):
    kubectl = available("kubectl")
    shutil.copytree(DEPLOY / "kubernetes", tmp_path / "kubernetes")
    (tmp_path / "kubernetes" / "kampus" / ".env").write_text("ALUR_LOG_LEVEL=INFO\n")
    shutil.copy(DEPLOY / "organisation.example.yaml", tmp_path / "kubernetes" / "kampus" / "organisation.yaml")
    made = list(yaml.safe_load_all(run(kubectl, "kustomize", tmp_path / "kubernetes" / "kampus")))
    kinds = {document["kind"] for document in made}
    assert {"Deployment", "Secret", "ConfigMap", "Ingress", "HorizontalPodAutoscaler", "PodDisruptionBudget"} <= kinds
    assert {document["metadata"].get("namespace", "alur-ft") for document in made} == {"alur-ft"}


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_systemd_finds_no_fault_in_a_unit_and_little_exposed(unit, tmp_path):
    analyze = available("systemd-analyze")
    system = tmp_path / "etc" / "systemd" / "system"
    shutil.copytree(DEPLOY / "systemd", system)
    for target in ("sysinit", "basic", "shutdown", "network-online", "multi-user"):
        (system / f"{target}.target").write_text("[Unit]\nDescription=ada\n")
    for slice_ in ("system.slice", "-.slice", "system-alur\\x2dkampus.slice"):
        (system / slice_).write_text("[Unit]\nDescription=ada\n")
    program = tmp_path / "opt" / "alur" / "bin" / "alur"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    name = unit.name.replace("@", "@ft")
    # systemd older than 250 has no --root here
    if "--root" not in run(analyze, "--help") or "--offline" not in run(analyze, "--help"):
        pytest.skip("systemd-analyze is too old to look at files")
    assert run(analyze, f"--root={tmp_path}", "--man=no", "--generators=no", "verify", name) == ""
    told = run(analyze, f"--root={tmp_path}", "--no-pager", "security", "--offline=true", name)
    exposed = re.search(r"exposure level for \S+: ([\d.]+)", told)
    assert exposed
    assert float(exposed[1]) <= MOST_EXPOSED


@pytest.mark.parametrize("site", ["nginx/alur.conf", "compose/nginx.conf"])
def test_nginx_reads_its_site(site, tmp_path):
    nginx, openssl = available("nginx"), available("openssl")
    made = ("-keyout", tmp_path / "privkey.pem", "-out", tmp_path / "fullchain.pem")
    run(openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=layanan", *made)
    text = (DEPLOY / site).read_text()
    for before, after in (
        ("/etc/ssl/alur/", f"{tmp_path}/"),
        ("/etc/nginx/tls/", f"{tmp_path}/"),
        ("/etc/nginx/alur/", f"{DEPLOY}/nginx/"),
        ("/var/log/nginx/", f"{tmp_path}/"),
        ("server web:8080", "server 127.0.0.1:8080"),
    ):
        text = text.replace(before, after)
    text = re.sub(r"listen (\[::\]:)?(80|443)\b", lambda found: f"listen {found[1] or ''}1{int(found[2]):04}", text)
    text = re.sub(r"^ +http2 on;\n", "", text, flags=re.MULTILINE)  # nginx before 1.25 writes it another way
    (tmp_path / "site.conf").write_text(text)
    (tmp_path / "nginx.conf").write_text(
        f"pid {tmp_path}/pid; error_log {tmp_path}/error.log; events {{}} http {{ access_log off; include {tmp_path}/site.conf; }}"
    )
    assert "test is successful" in run(nginx, "-t", "-c", tmp_path / "nginx.conf")


def test_the_alarms_go_off_when_they_should(tmp_path):
    promtool = available("promtool")
    rules_file = DEPLOY / "prometheus" / "alur.rules.yaml"
    run(promtool, "check", "rules", rules_file)
    played = (Path(__file__).parent / "alur.rules.test.yaml").read_text().replace("RULES", str(rules_file))
    (tmp_path / "test.yaml").write_text(played)
    run(promtool, "test", "rules", tmp_path / "test.yaml")
