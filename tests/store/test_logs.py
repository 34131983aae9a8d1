"""Logs are one JSON object a line, with ids, without anybody's words and without secrets."""

import io
import json
import logging
import warnings

from integration import logs


def test_a_line_names_what_happened_and_the_ids_around_it(logged):
    with logs.about(case="SI-2026-000001"), logs.about(inbox=7):
        logging.getLogger("sync.drain").info("postponed for %d s", 4)
    logging.getLogger("sync.drain").debug("after")
    first, second = logged()
    assert (first["level"], first["logger"], first["message"]) == ("info", "sync.drain", "postponed for 4 s")
    assert (first["case"], first["inbox"]) == ("SI-2026-000001", 7)
    assert first["time"].endswith("+00:00")
    assert "case" not in second


def test_of_an_exception_only_class_and_frames_are_written(logged):
    try:
        int("budi@ft.example wrote this")
    except ValueError:
        logging.getLogger("webhooks.app").exception("not kept")
    (line,) = logged()
    assert line["exception"] == "ValueError"
    assert line["frames"][0].endswith("test_of_an_exception_only_class_and_frames_are_written")
    assert "budi" not in json.dumps(line)


def test_of_a_warning_of_python_s_only_place_and_kind_are_written():
    logging.captureWarnings(capture=False)  # or it is thought to be done already, where pytest has them recorded
    stream = io.StringIO()
    logs.configure("DEBUG", (), stream)
    warnings.showwarning("budi@ft.example wrote this", RuntimeWarning, "sync/mail.py", 7)
    logging.captureWarnings(capture=False)
    line = json.loads(stream.getvalue())
    assert (line["logger"], line["level"], line["message"]) == ("py.warnings", "warning", "sync/mail.py:7: RuntimeWarning")
    assert "budi" not in json.dumps(line)


def test_secrets_are_masked_wherever_a_library_puts_them(logged):
    logging.getLogger("urllib3").warning("GET %s", 'https://x/?a=hunter2&b=qu"ote')
    assert logged()[0]["message"] == "GET https://x/?a=***&b=***"


def test_libraries_speak_from_warning_on_and_ours_from_the_level_set(logged):
    logging.getLogger("urllib3").info("not written")
    logging.getLogger("integration.store").debug("written")
    assert [line["message"] for line in logged()] == ["written"]
