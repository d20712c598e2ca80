"""Certificates: those that nobody vouches for are refused, and short keys are not accepted."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from pathlib import Path

import pytest

from dendrosim import downloads
from dendrosim.downloads import http
from dendrosim.errors import DownloadError

# the prime of 1024 bits of RFC 2409, section 6.2: as short as what old servers use
SHORT_KEY = """-----BEGIN DH PARAMETERS-----
MIGHAoGBAP//////////yQ/aoiFowjTExmKLgNwc0SkCTgiKZ8x0Agu+pjsTmyJR
Sgh5jjQE3e+VGbPNOkMbMCsKbfJfFDdP4TVtbVHCReSFtXZiXn7G9ExC6aY37WsL
/1y29Aa37e44a/taiZ+lrp8kEXxLH+ZJKGZR7OZTgf//////////AgEC
-----END DH PARAMETERS-----
"""


@pytest.fixture(scope="session")
def certificate(tmp_path_factory) -> tuple[Path, Path]:
    """A certificate for this machine that it signed itself, and its key."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("the command openssl is not there; it makes the certificate of the local server")
    folder = tmp_path_factory.mktemp("certificate")
    command = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "key.pem", "-out", "certificate.pem"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=60)
    return folder / "certificate.pem", folder / "key.pem"


@pytest.fixture(autouse=True)
def forgetful(own_cache, monkeypatch):
    monkeypatch.setattr(http, "_short_keys", set())
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)


def context(certificate: tuple[Path, Path]) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(*certificate)
    return made


def old(certificate: tuple[Path, Path], ciphers: str, folder: Path) -> ssl.SSLContext:
    """A server as there were many: its own preference, and a Diffie-Hellman key of 1024 bits."""
    made = context(certificate)
    made.maximum_version = ssl.TLSVersion.TLSv1_2
    made.set_ciphers(f"{ciphers}:@SECLEVEL=0")
    made.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
    (folder / "dh.pem").write_text(SHORT_KEY)
    made.load_dh_params(folder / "dh.pem")
    return made


def test_a_certificate_that_nobody_vouches_for_is_refused(serve, certificate):
    site = serve(context(certificate))
    site.answers["/file"] = b"hello"
    with pytest.raises(DownloadError) as caught:
        downloads.read(f"{site.url}/file", largest=100)
    for words in ("cannot be verified", "self", "REQUESTS_CA_BUNDLE", "cannot be switched off"):
        assert words in str(caught.value)
    assert site.asked == []


@pytest.mark.parametrize("name", ["CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE"])
def test_no_setting_of_the_environment_switches_verification_off(serve, certificate, monkeypatch, name):
    site = serve(context(certificate))
    site.answers["/file"] = b"hello"
    monkeypatch.setenv(name, "")
    monkeypatch.setenv("PYTHONHTTPSVERIFY", "0")
    with pytest.raises(DownloadError, match="cannot be verified"):
        downloads.read(f"{site.url}/file", largest=100)


def test_a_certificate_that_the_user_vouches_for_is_accepted(serve, certificate, monkeypatch):
    site = serve(context(certificate))
    site.answers["/file"] = b"hello"
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate[0]))
    assert downloads.read(f"{site.url}/file", largest=100).content == b"hello"


def test_a_certificate_for_another_host_is_refused(serve, certificate, monkeypatch):
    site = serve(context(certificate))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate[0]))
    with pytest.raises(DownloadError, match=r"that it is localhost who answers cannot be verified"):
        downloads.read(f"{site.url.replace('127.0.0.1', 'localhost')}/file", largest=100)
    assert site.asked == []


def test_no_tls_where_tls_is_expected(serve):
    site = serve()
    with pytest.raises(DownloadError, match=r"cannot be fetched"):
        downloads.read(f"{site.url.replace('http:', 'https:')}/file", largest=100)


def test_from_tls_no_redirect_leads_to_plain_http(serve, certificate, monkeypatch):
    site = serve(context(certificate))
    inside = serve()
    inside.answers["/file"] = b"a service of this machine"
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate[0]))
    for target in ("http://example.org/file", f"{inside.url}/file"):
        site.answers["/file"] = (301, {"Location": target}, b"")
        with pytest.raises(DownloadError, match=r"redirects to where nothing is fetched from.*https"):
            downloads.read(f"{site.url}/file", largest=100)
    assert inside.asked == []


def test_a_short_key_is_avoided_where_the_server_has_curves(serve, certificate, monkeypatch, tmp_path):
    site = serve(old(certificate, "DHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256", tmp_path))
    site.answers["/file"] = b"hello"
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate[0]))
    assert downloads.read(f"{site.url}/file", largest=100).content == b"hello"
    assert http._short_keys == {site.url.removeprefix("https://")}
    assert downloads.read(f"{site.url}/file", largest=100).content == b"hello"


def test_a_server_with_a_short_key_alone_is_refused(serve, certificate, monkeypatch, tmp_path):
    site = serve(old(certificate, "DHE-RSA-AES128-GCM-SHA256", tmp_path))
    site.answers["/file"] = b"hello"
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate[0]))
    with pytest.raises(
        DownloadError, match=r"no connection that is safe by today's measure.*does not lower its demands"
    ):
        downloads.read(f"{site.url}/file", largest=100)
    assert site.asked == []


def test_avoiding_short_keys_verifies_as_always(serve, certificate, monkeypatch):
    site = serve(context(certificate))
    site.answers["/file"] = b"hello"
    http._short_keys.add(site.url.removeprefix("https://"))
    with pytest.raises(DownloadError, match="cannot be verified"):
        downloads.read(f"{site.url}/file", largest=100)
    http._short_keys.add(site.url.removeprefix("https://").replace("127.0.0.1", "localhost"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate[0]))
    with pytest.raises(DownloadError, match="cannot be verified"):
        downloads.read(f"{site.url.replace('127.0.0.1', 'localhost')}/file", largest=100)
    assert downloads.read(f"{site.url}/file", largest=100).content == b"hello"


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_certificates_that_are_not_there_are_named(own_cache, monkeypatch, tmp_path, name):
    monkeypatch.setenv(name, str(tmp_path / "nowhere.pem"))
    with pytest.raises(DownloadError, match=rf"nowhere\.pem.*{name}.*must name a file"):
        downloads.read("https://127.0.0.1:9/file", largest=10)


@pytest.mark.parametrize("proxy", ["http://[bad", "http://", "ftp://proxy", "http://proxy:port"])
def test_a_proxy_that_is_none_is_named(own_cache, monkeypatch, proxy):
    monkeypatch.delenv("NO_PROXY")
    monkeypatch.delenv("no_proxy")
    monkeypatch.setenv("https_proxy", proxy)
    with pytest.raises(DownloadError, match=r"HTTPS_PROXY names none .*http://host:8080"):
        downloads.read("https://192.0.2.1/file", largest=10)
