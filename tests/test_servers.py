"""The real servers behind the tests: those installed and those the wheels carry, also where root's closed home is above them."""

import os
import shutil
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
import redis
from sqlalchemy import create_engine, text

from tests import servers


@pytest.mark.parametrize("found", [servers.installed_postgres, servers.carried_postgres])
def test_postgres_answers_and_is_gone_afterwards(found: Callable[[], Path | None]) -> None:
    programs = found()
    if programs is None:
        pytest.skip("none of this origin on this machine")
    with servers.postgres(programs) as server:
        url, folder = server.url, server.folder
        engine = create_engine(url)
        with engine.connect() as connection:
            assert connection.execute(text("SELECT 1")).scalar() == 1
        engine.dispose()
    assert not folder.exists()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(servers.libpq(url))


@pytest.mark.parametrize("found", [servers.installed_redis, servers.carried_redis])
def test_redis_answers_and_is_gone_afterwards(found: Callable[[], Path | None]) -> None:
    program = found()
    if program is None:
        pytest.skip("none of this origin on this machine")
    with servers.redis_server(program) as server, redis.Redis.from_url(server.url) as connection:
        assert connection.ping()
    with redis.Redis.from_url(server.url) as connection, pytest.raises(redis.ConnectionError):
        connection.ping()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root must step down to another account")
def test_postgres_runs_also_where_a_closed_folder_is_above_its_programs(tmp_path: Path) -> None:
    programs = servers.carried_postgres()
    if programs is None:
        pytest.skip("none of this origin on this machine")
    closed = tmp_path / "closed"
    for part in (programs.parents[1], programs.parents[2] / "pgserver.libs"):
        shutil.copytree(part, closed / part.name)
    closed.chmod(stat.S_IRWXU)
    with (
        servers.postgres(closed / programs.relative_to(programs.parents[2])) as server,
        psycopg.connect(servers.libpq(server.url)) as connection,
    ):
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_server_that_does_not_start_fails_with_its_own_words(tmp_path: Path) -> None:
    program = tmp_path / "redis-server"
    program.write_text("#!/bin/sh\necho no memory left; exit 1\n")
    program.chmod(stat.S_IRWXU)
    with pytest.raises(pytest.fail.Exception, match="no memory left"), servers.redis_server(program):
        pass


def test_each_test_has_a_database_of_its_own(postgres_url: str, postgres_database: str) -> None:
    assert postgres_database != postgres_url
    with psycopg.connect(servers.libpq(postgres_database)) as connection:
        assert connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone() == (0,)


def test_each_test_finds_redis_empty(redis_database: str) -> None:
    with redis.Redis.from_url(redis_database) as connection:
        assert connection.dbsize() == 0


def test_no_test_reaches_another_machine() -> None:
    with socket.socket() as outside, pytest.raises(PermissionError, match="tried to connect"):
        outside.connect(("192.0.2.1", 80))
