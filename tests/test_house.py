"""The house rules that no linter holds: what is tracked, declared, pinned, packed and written down."""

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from zipfile import ZipFile

import pytest

from integration.settings import PREFIX, Settings
from integration.templates import TEMPLATES

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("integration", "webhooks", "sync", "sandbox")
PYPROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
PROJECT = tomllib.loads(PYPROJECT)
DECISIONS = ROOT / "docs" / "decisions"

# All the pure core may use of the standard library: nothing that reads, writes, waits, draws lots or tells the time.
PURE = {"collections", "dataclasses", "datetime", "enum", "functools", "itertools", "math", "operator", "re", "types", "typing"}


@pytest.fixture(scope="module")
def tracked() -> list[Path]:
    """Every file under version control that is there."""
    if not (ROOT / ".git").exists() or not shutil.which("git"):
        pytest.skip("not a working copy: what is tracked cannot be told")
    owned = ("-c", f"safe.directory={ROOT}")  # also where somebody else checked it out
    names = subprocess.run(["git", *owned, "ls-files", "-z"], check=True, capture_output=True, cwd=ROOT, text=True).stdout
    return [ROOT / name for name in names.split("\0") if name and (ROOT / name).is_file()]


def sources(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def imported(path: Path) -> Iterator[str]:
    """The full names of the modules a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def canonical(requirement: str) -> str:
    """The name of a distribution as all its spellings share it."""
    found = re.match(r"[\w.-]+", requirement)
    assert found
    return re.sub(r"[-_.]+", "-", found[0]).lower()


# What is tracked


def test_no_file_names_a_registry_or_a_path_of_one_machine(tracked: list[Path]) -> None:
    hosts = [
        re.escape(".".join(host)) for host in (("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("docker", "io"), ("ghcr", "io"))
    ]
    options = [f"--{option}" for option in ("index-url", "extra-index-url", "find-links", "trusted-host")]
    paths = [rf"(?<![\w.:/-])/{folder}/" for folder in ("root", "home", "work", "Users")]
    forbidden = re.compile("|".join([*hosts, *(rf"(?<!no-emit-)(?<!\w){option}\b" for option in options), *paths]))
    text = {path: path.read_bytes().decode("utf-8", errors="replace") for path in tracked if path.suffix not in {".png", ".pdf"}}
    assert [(str(path.relative_to(ROOT)), found[0]) for path, words in text.items() for found in forbidden.finditer(words)] == []


def test_every_package_says_what_it_is_and_tests_are_no_package() -> None:
    assert [folder for folder in {path.parent for path in sources(*PACKAGES)} if not (folder / "__init__.py").exists()] == []
    assert list((ROOT / "tests").rglob("__init__.py")) == []


def test_nothing_is_mocked() -> None:
    assert [
        path for path in sources(*PACKAGES, "tests") if any(name.split(".")[0] in {"unittest", "mock"} for name in imported(path))
    ] == []


# What is declared and pinned


def test_every_dependency_and_every_rule_left_out_says_why() -> None:
    lists = re.findall(r"^(?:dependencies|tracing|dev|ignore|\"tests/\*\*\") = \[\n(.*?)^\]", PYPROJECT, flags=re.MULTILINE | re.DOTALL)
    lines = [line for part in lists for line in part.splitlines()]
    assert len(lists) == 5
    assert [line for line in lines if not re.fullmatch(r'  "[^"]+", +# \S.*\S', line)] == []


def test_every_package_that_is_imported_is_declared() -> None:
    extras = PROJECT["project"]["optional-dependencies"]
    runtime = {canonical(requirement) for requirement in [*PROJECT["project"]["dependencies"], *extras["tracing"]]}
    dev = {canonical(requirement) for requirement in extras["dev"]}
    owner = packages_distributions()
    for folders, declared in ((PACKAGES, runtime), (("tests",), runtime | dev)):
        foreign = (
            {name.split(".")[0] for path in sources(*folders) for name in imported(path)} - sys.stdlib_module_names - {*PACKAGES, "tests"}
        )
        assert {name for name in foreign if not declared & {canonical(each) for each in owner.get(name, ["nobody"])}} == set()


def test_no_dependency_is_left_over() -> None:
    owner = packages_distributions()
    used = {canonical(each) for path in sources(*PACKAGES) for name in imported(path) for each in owner.get(name.split(".")[0], [])}
    loaded_by_name = {"psycopg", "tzdata"}  # by the database's address, by zoneinfo
    assert {canonical(requirement) for requirement in PROJECT["project"]["dependencies"]} - used - loaded_by_name == set()


def test_everything_declared_is_pinned_with_hashes() -> None:
    pins = re.findall(
        r"^([\w.-]+)==(.*?)(?=^\S|\Z)", (ROOT / "constraints.txt").read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL
    )
    declared = [
        *PROJECT["project"]["dependencies"],
        *PROJECT["project"]["optional-dependencies"]["dev"],
        *PROJECT["build-system"]["requires"],
    ]
    assert {canonical(requirement) for requirement in declared} <= {canonical(name) for name, _ in pins}
    assert [name for name, rest in pins if "--hash=sha256:" not in rest] == []


# Who may know what


def test_the_pure_core_imports_nothing_but_itself_and_what_is_pure() -> None:
    for path in sources("integration/procedure"):
        assert {
            name for name in imported(path) if name.split(".")[0] not in PURE and not name.startswith("integration.procedure")
        } == set(), path


def test_the_pure_core_is_told_the_time() -> None:
    clocks = {"now", "utcnow", "today"}
    for path in sources("integration/procedure"):
        calls = [
            node
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Attribute) and node.attr in clocks
        ]
        assert calls == [], path


@pytest.mark.parametrize(
    ("module", "spared"),
    [
        ("sync.cli", "celery flask gitlab sqlalchemy sync.wiring webhooks"),
        ("sync.web", "celery flask gitlab sqlalchemy sync.wiring webhooks"),
        ("sync.beat", "flask gitlab typst sync.wiring webhooks"),
        ("sync.worker", "alembic authlib flask sandbox waitress webhooks"),
        ("webhooks.app", "alembic gitlab sandbox typst sync"),
        ("webhooks.writing", "alembic celery flask gitlab sandbox typst sync"),
    ],
)
def test_a_process_loads_no_more_than_it_works_with(module: str, spared: str) -> None:
    program = f"import sys, {module}; print(*sys.modules)"
    loaded = set(subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, text=True).stdout.split())
    assert loaded & set(spared.split()) == set()


def test_a_contract_guards_every_part_that_one_module_alone_may_know() -> None:
    guarded = {name for contract in PROJECT["tool"]["importlinter"]["contracts"] for name in contract.get("forbidden_modules", ())}
    assert {"flask", "celery", "gitlab", "requests", "sqlalchemy", "jinja2", "typst"} <= guarded


# What is packed


def test_a_wheel_holds_every_file_and_finds_its_templates(tracked: list[Path], tmp_path: Path) -> None:
    copy, wheels, installed = tmp_path / "copy", tmp_path / "wheels", tmp_path / "installed"
    for path in tracked:
        target = copy / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    pip = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        "--wheel-dir",
        str(wheels),
        str(copy),
    ]
    subprocess.run(pip, check=True, capture_output=True)
    with ZipFile(next(wheels.iterdir())) as wheel:
        packed = set(wheel.namelist())
        wheel.extractall(installed)
    owed = {path.relative_to(ROOT).as_posix() for path in tracked if path.relative_to(ROOT).parts[0] in {*PACKAGES, "templates"}}
    assert owed - packed == set()
    ask = "from integration.templates import TEMPLATES; print(TEMPLATES)"
    found = subprocess.run(
        [sys.executable, "-c", ask], check=True, capture_output=True, text=True, cwd=tmp_path, env={"PYTHONPATH": str(installed)}
    ).stdout
    assert Path(found.strip()) == installed / "templates"


def test_the_working_copy_finds_its_templates() -> None:
    assert TEMPLATES == ROOT / "templates"
    assert any(TEMPLATES.rglob("*.md"))


# What is written down


def test_every_decision_is_in_the_index_and_has_the_form() -> None:
    form = ["Context", "Options", "Choice", "Consequences"]
    pages = sorted(path.name for path in DECISIONS.glob("[0-9]*.md"))
    assert sorted(re.findall(r"\]\((\d{4}-[\w-]+\.md)\)", (DECISIONS / "README.md").read_text(encoding="utf-8"))) == pages
    numbers = [int(name[:4]) for name in pages]
    assert len(set(numbers)) == len(numbers)
    for name, number in zip(pages, numbers, strict=True):
        page = (DECISIONS / name).read_text(encoding="utf-8")
        assert page.startswith(f"# {number}. "), name
        headings = [line.removeprefix("## ") for line in page.splitlines() if line.removeprefix("## ") in form]
        assert headings == form, name


def test_the_example_of_the_settings_names_all_of_them_and_their_defaults() -> None:
    example = (ROOT / "deploy" / "alur.env.example").read_text(encoding="utf-8")
    assert {PREFIX + name.upper() for name in Settings.model_fields} == set(re.findall(r"^#?(ALUR_\w+)=", example, flags=re.MULTILINE))
    needed = dict.fromkeys(re.findall(r"^(ALUR_\w+)=$", example, flags=re.MULTILINE), "https://pustikom.example") | {
        "ALUR_GITLAB_PROJECT": "1",
        "ALUR_PORTAL_SECRETS": "whsec_c2VjcmV0",
        "ALUR_ORGANISATION": str(ROOT / "deploy" / "organisation.example.yaml"),
    }
    defaults = dict(re.findall(r"^#(ALUR_\w+)=(.*)$", example, flags=re.MULTILINE))
    assert Settings.read(needed, env_file=None).model_dump() == Settings.read(needed | defaults, env_file=None).model_dump()
