"""A real browser without a window, led over its debugging pipe: opens a page, gives it a file, tells what is seen."""

import base64
import fcntl
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PROGRAM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
PATIENCE = 30.0
ALONE = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking")


class Browser:
    """One tab of it; what the page asks of the network and what goes wrong in it is kept in `asked` and `faults`."""

    def __init__(self, orders: int, answers: int) -> None:
        self._orders, self._answers, self._rest, self._last = orders, answers, b"", 0
        self.asked: list[str] = []
        self.faults: list[str] = []
        target = self._order("Target.createTarget", url="about:blank")["targetId"]
        self._session: str | None = None
        self._session = self._order("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "DOM", "Network", "Log"):
            self._order(f"{domain}.enable")

    def open(self, url: str) -> None:
        """Load this page and wait until its script has run."""
        self._order("Page.navigate", url=url)
        self.wait_for("document.readyState === 'complete' && location.href !== 'about:blank'")

    def as_new(self, width: int, height: int) -> None:
        """A window of this size, in which nobody is signed in anywhere."""
        self._order("Network.clearBrowserCookies")
        self._order("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def choose(self, selector: str, file: Path) -> None:
        """Choose a file in the field that the selector names."""
        root = self._order("DOM.getDocument")["root"]["nodeId"]
        field = self._order("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self._order("DOM.setFileInputFiles", nodeId=field, files=[str(file)])

    def drop(self, selector: str, file: Path) -> None:
        """Let a file fall in the middle of what the selector names."""
        self.value(f"document.querySelector('{selector}').scrollIntoView({{block: 'center'}})")
        place = json.loads(self.value(f"JSON.stringify({self._box(selector)})"))
        at = {"x": place["x"] + place["width"] / 2, "y": place["y"] + place["height"] / 2}
        for kind in ("dragEnter", "dragOver", "drop"):
            self._order("Input.dispatchDragEvent", type=kind, data={"items": [], "files": [str(file)], "dragOperationsMask": 1}, **at)

    def value(self, expression: str) -> Any:
        """What this JavaScript gives."""
        return self._order("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def wait_for(self, expression: str) -> None:
        """Wait until this JavaScript gives something true."""
        deadline = time.monotonic() + PATIENCE
        while not self.value(expression):
            assert time.monotonic() < deadline, self.text()
            time.sleep(0.05)

    def text(self) -> str:
        """What a person can read."""
        return str(self.value("document.body.innerText"))

    def screenshot(self, path: Path, of: str = "") -> None:
        """The whole page as PNG, or only what the selector names."""
        clip = {}
        if of:
            box = f"(box => ({{x: box.x + scrollX, y: box.y + scrollY, width: box.width, height: box.height, scale: 1}}))({self._box(of)})"
            clip = {"clip": json.loads(self.value(f"JSON.stringify({box})"))}
        path.write_bytes(base64.b64decode(self._order("Page.captureScreenshot", captureBeyondViewport=True, **clip)["data"]))

    def print(self, path: Path) -> None:
        """The page on A4 as PDF."""
        printed = self._order("Page.printToPDF", preferCSSPageSize=True, printBackground=True)
        path.write_bytes(base64.b64decode(printed["data"]))

    @staticmethod
    def _box(selector: str) -> str:
        return f"document.querySelector('{selector}').getBoundingClientRect()"

    def _order(self, method: str, **values: object) -> dict[str, Any]:
        self._last += 1
        session = {"sessionId": self._session} if self._last > 2 else {}
        os.write(self._orders, json.dumps({"id": self._last, "method": method, "params": values} | session).encode() + b"\0")
        while True:
            heard = self._next()
            if heard.get("id") == self._last:
                assert "error" not in heard, heard
                result: dict[str, Any] = heard["result"]
                return result
            match heard.get("method"):
                case "Network.requestWillBeSent":
                    self.asked.append(heard["params"]["request"]["url"])
                case "Log.entryAdded":
                    self.faults.append(heard["params"]["entry"]["text"])
                case "Runtime.exceptionThrown":
                    self.faults.append(str(heard["params"]))

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            more = os.read(self._answers, 65536)
            assert more, "the browser ended"
            self._rest += more
        message, _, self._rest = self._rest.partition(b"\0")
        answer: dict[str, Any] = json.loads(message)
        return answer


@contextmanager
def browser(folder: Path, *more: str) -> Iterator[Browser]:
    """The browser with a profile of its own in this folder, and `more` options; it is ended at the end."""
    assert PROGRAM is not None
    theirs, orders = os.pipe()
    answers, told = os.pipe()

    def at_3_and_4() -> None:  # where it looks for them, by way of numbers nobody has
        for number, mine in ((3, fcntl.fcntl(theirs, fcntl.F_DUPFD, 100)), (4, fcntl.fcntl(told, fcntl.F_DUPFD, 100))):
            os.dup2(mine, number)

    command = [PROGRAM, *ALONE, *more, "--remote-debugging-pipe", f"--user-data-dir={folder}", "about:blank"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    started = subprocess.Popen(command, close_fds=False, preexec_fn=at_3_and_4, **quiet)  # noqa: PLW1509 -- it copies two numbers
    os.close(theirs)
    os.close(told)
    try:
        yield Browser(orders, answers)
    finally:
        started.kill()
        started.wait()
        os.close(orders)
        os.close(answers)
