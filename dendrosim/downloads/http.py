"""Requests: over TLS alone, verified, bounded in size, in time and in redirects.

Certificates are always verified, and nothing here switches that off. Of what a server sends nothing is believed: where
it redirects to, how much it sends, and how long it asks to wait are all limited.
"""

from __future__ import annotations

import email.utils
import ipaddress
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urljoin, urlsplit

from ..arguments import short
from ..errors import DownloadError, ParameterError
from ..shown import clean
from . import pace
from .pace import Manners

if TYPE_CHECKING:
    from requests import Response, Session

T = TypeVar("T")

_CHUNK = 2**16
_HOPS = 5
"""Most redirects that are followed."""
_SLOWEST, _MOMENT = 1000.0, 60.0
"""Bytes per second that a server must send on average, once it has had so many seconds."""
_MOVED = frozenset({301, 302, 303, 307, 308})
_BUSY = frozenset({408, 429, 502, 503, 504})
"""Answers after which asking again is worth it."""
_ECDHE = "ECDHE+AESGCM:ECDHE+CHACHA20"
_short_keys: set[str] = set()  # hosts whose Diffie-Hellman key was too short


class _TryAgain(Exception):
    """An attempt failed in a way that another one may not."""

    def __init__(self, error: DownloadError, wait: float = 0.0) -> None:
        super().__init__(str(error))
        self.error, self.wait = error, wait


def user_agent() -> str:
    """What servers are told about who asks."""
    from ..about import __version__

    return f"dendrosim/{__version__} (Python package for simulations of dendrites)"


def check_url(url: str) -> str:
    """`url`, if it is one that is asked: https, or http on this very machine.

    Raises
    ------
    DownloadError
        If it is not.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host, parts = "", urlsplit("")
    if parts.username is not None or parts.password is not None:
        raise DownloadError(
            f"an address at {short(host, 80)} has a user name or a password in it, which would be told to whoever "
            "answers; files are fetched from addresses such as https://host/path"
        )
    if not host:
        raise DownloadError(f"{short(url, 200)} is no address that files are fetched from; such is https://host/path")
    if parts.scheme != "https" and not (parts.scheme == "http" and _loopback(host)):
        raise DownloadError(
            f"{short(url, 200)} is not fetched: files come over https alone, since anybody on the way could change what"
            f" comes over {parts.scheme or 'anything else'}; give an address that begins with https://"
        )
    return url


def told(url: str) -> str:
    """An address as part of a message: not too long, and nothing in it that a terminal could take for an order."""
    return clean(url, 300)


def _host(url: str) -> str:
    """Whom a request goes to, the same for every way of writing it."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or {'https': 443, 'http': 80}[parts.scheme]}"


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def exchange(url: str, params: Mapping[str, Any] | None, manners: Manners, consume: Callable[[Response], T]) -> T:
    """Ask, again if that is worth it, and let `consume` take the answer."""
    check_url(url)
    for attempt in range(manners.attempts):
        try:
            return _follow(url, params, manners, consume)
        except _TryAgain as trouble:
            if attempt + 1 == manners.attempts or trouble.wait > manners.patience:
                raise trouble.error from trouble.__cause__
            pace.PACE.sleep(max(trouble.wait, manners.backoff * 2**attempt))
    raise ParameterError(f"attempts={manners.attempts} must be at least 1")


def _follow(url: str, params: Mapping[str, Any] | None, manners: Manners, consume: Callable[[Response], T]) -> T:
    """One attempt: requests, redirects, and the answer."""
    place = url
    for _ in range(_HOPS + 1):
        with pace.PACE.turn(_host(place), manners.pause), _answer(place, params, manners) as response:
            target = response.headers.get("Location") if response.status_code in _MOVED else None
            if target is None:
                _refuse_errors(response, place)
                return _guarded(partial(consume, response), place)
        place, params = _redirected(url, place, target), None
    raise DownloadError(
        f"{told(url)} redirects more than {_HOPS} times, to {short(place, 200)} in the end; nothing was kept"
    )


def _redirected(url: str, place: str, target: str) -> str:
    """Where a request for `url` goes on, `place` having answered that it is at `target`."""
    refused = f"{told(url)} redirects to where nothing is fetched from"
    with suppress(UnicodeError):  # headers are read byte by byte, and servers write UTF-8 into them
        target = target.encode("latin-1").decode("utf-8")
    try:
        found = check_url(urljoin(place, target))
    except DownloadError as error:
        raise DownloadError(f"{refused}: {error}") from error
    except ValueError as error:
        raise DownloadError(f"{refused}: {short(target, 200)} is no address ({clean(error, 100)})") from error
    if urlsplit(url).scheme == "https" and urlsplit(found).scheme != "https":  # to what runs on this machine
        raise DownloadError(f"{refused}: {short(found, 200)} is not https")
    return found


@contextmanager
def _answer(url: str, params: Mapping[str, Any] | None, manners: Manners) -> Iterator[Response]:
    host = _host(url)
    with _session(curves=host in _short_keys) as session:
        ask = partial(session.get, url, params=params, stream=True, allow_redirects=False, timeout=manners.silence)
        try:
            response = _guarded(ask, url)
        except DownloadError as error:
            if host in _short_keys or "DH_KEY_TOO_SMALL" not in str(error.__cause__):
                raise
            # a server that knows elliptic curves too is asked for these: the same demands, and one option fewer
            _short_keys.add(host)
            raise _TryAgain(error) from error.__cause__
        except OSError as error:  # of this machine, before anybody was asked
            raise DownloadError(
                f"{told(url)} is not asked: {_reason(error)}; REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE, where they are "
                "set, must name a file or a folder with certificates"
            ) from error
        with response:
            yield response


@contextmanager
def _session(curves: bool) -> Iterator[Session]:
    import requests
    from requests.adapters import HTTPAdapter
    from urllib3.util.ssl_ import create_urllib3_context

    class Curves(HTTPAdapter):
        def init_poolmanager(self, *args: Any, **options: Any) -> None:
            super().init_poolmanager(*args, **options, ssl_context=create_urllib3_context(ciphers=_ECDHE))

    class Plain(requests.Session):
        def get_redirect_target(self, resp: Response) -> None:  # else it reads all of what comes with a redirect
            return None

    with Plain() as session:
        session.headers.update({"User-Agent": user_agent(), "Accept-Encoding": "identity", "Connection": "close"})
        session.auth = lambda request: request  # no passwords from ~/.netrc
        if curves:
            session.mount("https://", Curves())
        yield session


def _guarded(work: Callable[[], T], url: str) -> T:
    """The result of `work`; failures of the network become errors that say what would help."""
    import requests
    from urllib3.exceptions import HTTPError

    try:
        return work()
    except requests.exceptions.SSLError as error:
        raise DownloadError(_distrust(url, _reason(error))) from error
    except (requests.exceptions.InvalidURL, requests.exceptions.InvalidHeader, UnicodeError) as error:
        what = f"{short(url, 200)} is no address that can be asked, or HTTPS_PROXY names none to ask it by"
        raise DownloadError(f"{what} ({_reason(error)}); a proxy is such as http://host:8080") from error
    except (requests.RequestException, HTTPError, TimeoutError, ConnectionError) as error:
        reason = _reason(error)
        failed = DownloadError(
            f"{told(url)} cannot be fetched: {reason}; nothing was kept. Try again with a connection to the internet; "
            "behind a proxy, name it in HTTPS_PROXY"
        )
        raise _TryAgain(failed) from error


def _distrust(url: str, reason: str) -> str:
    host = urlsplit(url).hostname
    if "DH_KEY_TOO_SMALL" in reason or "HANDSHAKE_FAILURE" in reason:
        return (
            f"{told(url)} cannot be fetched: {host} offers no connection that is safe by today's measure ({reason}). "
            "This is for its owners to mend; dendrosim does not lower its demands. A file fetched by other means can "
            "be loaded by its path"
        )
    return (
        f"{told(url)} cannot be fetched: that it is {host} who answers cannot be verified ({reason}). If a proxy of "
        "your institute is in between, name the file with its certificate in REQUESTS_CA_BUNDLE; if the clock of this "
        "machine is wrong, set it. Otherwise do not trust this connection. Verification cannot be switched off"
    )


def _reason(error: BaseException) -> str:
    """What went wrong, without the wrappings of the libraries."""
    inner: Any = error
    for _ in range(4):
        deeper = getattr(inner, "reason", None) or next(iter(getattr(inner, "args", ())), None)
        if not isinstance(deeper, BaseException):
            break
        inner = deeper
    return clean(inner, 200) or type(inner).__name__


def _refuse_errors(response: Response, url: str) -> None:
    """Raise unless the answer is a good one."""
    status = response.status_code
    if status == 200:
        return
    reason = clean(f"{status} {response.reason or ''}", 60)
    wait = _retry_after(response.headers.get("Retry-After"))
    later = f"; it asks to wait {wait:.0f} s" if wait else ""
    advice = "try again later" if status in _BUSY or status >= 500 else "see that the address is right"
    error = DownloadError(
        f"{told(url)} cannot be fetched: the server answers {reason}{later}; nothing was kept, {advice}", status=status
    )
    if status in _BUSY:
        raise _TryAgain(error, wait)
    raise error


def _retry_after(value: str | None) -> float:
    """Seconds that a server asks to wait; 0 if it does not, or not in a way that is understood."""
    text = (value or "").strip()
    if text.isdecimal():
        return float(text[:12])
    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return 0.0


def chunks(response: Response, url: str, largest: int) -> Iterator[bytes]:
    """The bytes as they were sent: not unpacked, not too many, not too slow, and all of them."""
    announced = response.headers.get("Content-Length", "")
    expected = int(announced) if announced.isdecimal() and len(announced) < 19 else None
    if expected is not None and expected > largest:
        raise _too_large(url, largest)
    begun, got = pace.PACE.clock(), 0
    while chunk := response.raw.read1(_CHUNK, decode_content=False):
        got += len(chunk)
        if got > largest:
            raise _too_large(url, largest)
        passed = pace.PACE.clock() - begun
        if passed > _MOMENT and got < _SLOWEST * passed:
            raise DownloadError(
                f"{told(url)} sends {got / passed:.0f} bytes a second; nothing was kept, try again later"
            )
        yield chunk
    if expected is not None and got != expected:
        raise _TryAgain(
            DownloadError(f"{told(url)} was cut short after {got:,} of {expected:,} bytes; nothing was kept, try again")
        )


def _too_large(url: str, largest: int) -> DownloadError:
    return DownloadError(f"{told(url)} sends more than {largest:,} bytes, which is too much for what it should be")
