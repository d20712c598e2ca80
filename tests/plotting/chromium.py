"""A headless Chromium without network, told what to do over two pipes: no library, no port."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome")
PATIENCE = 60.0  # s; a browser that starts on a busy machine takes a while

# Chromium reads commands from descriptor 3 and answers on 4
_START = (
    "import os, sys; os.dup2(int(sys.argv[1]), 3); os.dup2(int(sys.argv[2]), 4); os.execv(sys.argv[3], sys.argv[3:])"
)
_OPTIONS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--disable-extensions", "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND", "--remote-debugging-pipe", "--force-color-profile=srgb",
)  # fmt: skip


def found() -> str | None:
    """Path of a browser, or None."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Chromium:
    """One browser process with a profile of its own; use it in a ``with`` statement."""

    def __init__(self, path: str, folder: Path, *more: str) -> None:
        there, self._out = os.pipe()
        self._in, back = os.pipe()
        self.log = folder / "browser.log"
        profile = f"--user-data-dir={folder / 'profile'}"
        command = [sys.executable, "-c", _START, str(there), str(back), path, *_OPTIONS, *more, profile, "about:blank"]
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                command, pass_fds=(there, back), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, "HOME": str(folder)}, start_new_session=True,
            )  # fmt: skip
        os.close(there)
        os.close(back)
        self._buffer, self._last, self.events = b"", 0, list[dict[str, Any]]()

    def __enter__(self) -> Chromium:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.call("Browser.close")
            self._process.wait(10)
        except (OSError, RuntimeError, subprocess.TimeoutExpired):
            pass
        finally:
            if self._process.poll() is None:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
            os.close(self._in)
            os.close(self._out)

    def call(self, method: str, session: str | None = None, **parameters: Any) -> Any:
        """Send a command and wait for its answer; events that come before it are kept."""
        self._last += 1
        message = {"id": self._last, "method": method, "params": parameters}
        os.write(
            self._out, json.dumps(message if session is None else {**message, "sessionId": session}).encode() + b"\0"
        )
        until = time.monotonic() + PATIENCE
        while True:
            answer = self._next(until)
            if answer.get("id") == self._last:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def wait_for(self, method: str, **wanted: Any) -> dict[str, Any]:
        """The first event of this name, and with these parameters, that has not been looked at."""
        until = time.monotonic() + PATIENCE
        while True:
            for i, event in enumerate(self.events):
                held = event.get("params", {})
                if event.get("method") == method and all(held.get(k) == v for k, v in wanted.items()):
                    return self.events.pop(i)["params"]
            self.events.append(self._next(until))

    def _next(self, until: float) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            left = until - time.monotonic()
            if left <= 0 or not select.select([self._in], [], [], left)[0]:
                raise RuntimeError(f"the browser did not answer in {PATIENCE:g} s:\n{self.log.read_text()[-2000:]}")
            more = os.read(self._in, 1 << 20)
            if not more:
                raise RuntimeError(f"the browser ended:\n{self.log.read_text(errors='replace')[-2000:]}")
            self._buffer += more
        first, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(first)


class Page:
    """A tab that shows one file."""

    def __init__(self, browser: Chromium, file: Path, width: int, height: int, **look: Any) -> None:
        """`look`: mobile, dark, scripts (True by default), media ("print" or "screen")."""
        self.browser = browser
        context = browser.call("Target.createBrowserContext")["browserContextId"]
        self.target = browser.call("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        self.context = context
        self.session = browser.call("Target.attachToTarget", targetId=self.target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        mobile = bool(look.get("mobile"))
        self.density = 2 if mobile else 1
        size = {"width": width, "height": height, "deviceScaleFactor": self.density}
        self.call("Emulation.setDeviceMetricsOverride", mobile=mobile, **size)
        self.call("Emulation.setTouchEmulationEnabled", enabled=mobile)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if look.get("dark") else "light"}
        self.call("Emulation.setEmulatedMedia", media=look.get("media", "screen"), features=[scheme])
        self.call("Emulation.setScriptExecutionDisabled", value=not look.get("scripts", True))
        self.call("Network.emulateNetworkConditions", offline=True, latency=0, downloadThroughput=0, uploadThroughput=0)
        self.call("Page.navigate", url=file.as_uri())
        browser.wait_for("Page.loadEventFired")

    def call(self, method: str, **parameters: Any) -> Any:
        """A command to this tab."""
        return self.browser.call(method, self.session, **parameters)

    def value(self, expression: str) -> Any:
        """What an expression of JavaScript gives in the page, as JSON."""
        answer = self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True, userGesture=True
        )
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def said(self, *methods: str) -> list[dict[str, Any]]:
        """Events of these names that came so far."""
        self.value("1")
        mine = [event for event in self.browser.events if event.get("sessionId") == self.session]
        return [event["params"] for event in mine if event["method"] in methods]

    def shot(self, path: Path) -> Path:
        """A picture of the page as PNG, from top to bottom, a pixel of the picture for one of the style."""
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1 / self.density}
        answer = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        path.write_bytes(base64.b64decode(answer["data"]))
        return path

    def close(self) -> None:
        """Close the tab and forget what it had stored."""
        self.browser.call("Target.disposeBrowserContext", browserContextId=self.context)
