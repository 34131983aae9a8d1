"""What comes to the edge, over connections that are kept, as fast as it is answered.

The client of the intake benchmark is a process of its own, which sends signed forms:

    python -m tests.bench.load PORT PATH FORMS BODY_FILE SECRET

prints one JSON object: the seconds all of it took, the milliseconds of each request, and how often each status was answered.
"""

import hashlib
import hmac
import json
import selectors
import socket
import sys
import time
import uuid
from collections import Counter
from pathlib import Path

from integration.signatures import Secret, sign

CONNECTIONS = 16


def signed(path: str, body: bytes, secret: Secret) -> bytes:
    """A request nobody has sent before, signed as the portal does and, beside that, as GitHub does."""
    message, seconds = f"msg_{uuid.uuid4().hex}", int(time.time())
    headers = {
        "Host": "127.0.0.1",
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "webhook-id": message,
        "webhook-timestamp": str(seconds),
        "webhook-signature": sign(secret, message, seconds, body),
        "X-GitHub-Event": "push",
        "X-GitHub-Delivery": message,
        "X-Hub-Signature-256": f"sha256={hmac.new(secret.key, body, hashlib.sha256).hexdigest()}",
    }
    head = "\r\n".join([f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())])
    return head.encode() + b"\r\n\r\n" + body


def hook(body: bytes, token: str) -> bytes:
    """A hook nobody has sent before, as GitLab sends it."""
    headers = {
        "Host": "127.0.0.1",
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "X-Gitlab-Event": "Confidential Issue Hook",
        "X-Gitlab-Token": token,
        "Idempotency-Key": str(uuid.uuid4()),
    }
    head = "\r\n".join(["POST /webhooks/gitlab HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())])
    return head.encode() + b"\r\n\r\n" + body


def status(answer: bytes) -> int | None:
    """The status of an answer, None while it is not all there. ValueError for one whose length is not told."""
    head, end, content = answer.partition(b"\r\n\r\n")
    if not end:
        return None
    first, *lines = head.split(b"\r\n")
    lengths = [int(line[15:]) for line in lines if line[:15].lower() == b"content-length:"]
    if not lengths:
        raise ValueError(head)
    return int(first.split()[1]) if len(content) >= lengths[0] else None


def driven(port: int, requests: list[bytes]) -> dict[str, object]:
    """Send all of them, each connection its next one as soon as the last is answered."""
    waiting, took, statuses = iter(requests), [], Counter[int]()
    with selectors.DefaultSelector() as selector:
        for _ in range(CONNECTIONS):
            connection = socket.create_connection(("127.0.0.1", port), timeout=30)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            selector.register(connection, selectors.EVENT_READ)
        sent, received = {}, dict.fromkeys((key.fileobj for key in selector.get_map().values()), b"")
        began = time.perf_counter()
        for connection in received:
            sent[connection] = time.perf_counter()
            connection.sendall(next(waiting))
        while sent:
            for key, _ in selector.select(30):
                connection = key.fileobj
                chunk = connection.recv(65536)
                if not chunk:
                    raise ConnectionError("a connection that should be kept was closed")
                received[connection] += chunk
                answered = status(received[connection])
                if answered is None:
                    continue
                now = time.perf_counter()
                took.append(1000 * (now - sent.pop(connection)))
                statuses[answered] += 1
                received[connection] = b""
                following = next(waiting, None)
                if following is not None:
                    sent[connection] = now
                    connection.sendall(following)
        seconds = time.perf_counter() - began
        for connection in received:
            connection.close()
    return {"seconds": seconds, "milliseconds": took, "statuses": statuses}


if __name__ == "__main__":
    port, path, forms, body_file, secret = sys.argv[1:]
    body = Path(body_file).read_bytes()
    print(json.dumps(driven(int(port), [signed(path, body, Secret.parse(secret)) for _ in range(int(forms))])))  # noqa: T201
