"""A platform that answers at once, a process of its own: what the stand-in said before, from a file, so that its time is in no figure.

    python -m tests.bench.canned FILE

prints its port. The file is a JSON object: the path of a GET without its query -> the body of the answer. All else is answered 404.
"""

import json
import selectors
import socket
import sys
from pathlib import Path

END = b"\r\n\r\n"


def answer(status: str, body: object) -> bytes:
    """A whole answer of one page."""
    content = json.dumps(body).encode()
    head = (f"HTTP/1.1 {status}", "Content-Type: application/json", f"Content-Length: {len(content)}", "X-Next-Page: ")
    return "\r\n".join(head).encode() + END + content


def serve(answers: dict[bytes, bytes]) -> None:
    """Answer what is asked over connections that are kept, until told to stop."""
    missing = answer("404 Not Found", {"message": "404 Not found"})
    listening = socket.create_server(("127.0.0.1", 0), backlog=128)
    print(listening.getsockname()[1], flush=True)  # noqa: T201
    received: dict[socket.socket, bytes] = {}
    with selectors.DefaultSelector() as selector:
        selector.register(listening, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is listening:
                    connection, _ = listening.accept()
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    selector.register(connection, selectors.EVENT_READ)
                    received[connection] = b""
                    continue
                chunk = key.fileobj.recv(65536)
                if not chunk:
                    selector.unregister(key.fileobj)
                    del received[key.fileobj]
                    key.fileobj.close()
                    continue
                *asked, received[key.fileobj] = (received[key.fileobj] + chunk).split(END)
                for head in asked:
                    method, path, _ = head.split(b" ", 2)
                    key.fileobj.sendall(answers.get(path.partition(b"?")[0], missing) if method == b"GET" else missing)


if __name__ == "__main__":
    said = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    serve({path.encode(): answer("200 OK", body) for path, body in said.items()})
