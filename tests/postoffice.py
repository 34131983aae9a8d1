"""A mail server for the tests: it takes what it is sent, or answers as it is told to."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager

USUAL = {"EHLO": b"250-halo\r\n250 AUTH PLAIN\r\n", "AUTH": b"235 baik\r\n", "QUIT": b"221 sampai jumpa\r\n"}


class PostOffice(socketserver.ThreadingTCPServer):
    """The little of SMTP a client needs; `answers` replace the usual reply to a command."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Counter)
        self.answers: dict[str, bytes] = {}
        self.got: list[bytes] = []
        self.recipients: list[str] = []
        self.url = f"smtp://127.0.0.1:{self.server_address[1]}"


class _Counter(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(b"220 halo\r\n")
        while line := self.rfile.readline():
            command = line.split(b" ")[0].split(b":")[0].strip().decode().upper()
            answer = self.server.answers.get(line.strip().decode()) or self.server.answers.get(command)
            if command == "DATA" and answer is None:
                self.wfile.write(b"354 silakan\r\n")
                self.server.got.append(b"".join(iter(self.rfile.readline, b".\r\n")))
            if command == "RCPT" and answer is None:
                self.server.recipients.append(line.strip().decode())
            self.wfile.write(answer or USUAL.get(command, b"250 baik\r\n"))
            if command == "QUIT":
                return


@contextmanager
def post_office() -> Iterator[PostOffice]:
    """A post office that is open while the block runs."""
    with PostOffice() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        server.shutdown()
