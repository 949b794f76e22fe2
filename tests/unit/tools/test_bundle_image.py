"""The program bundle-image: files, exit codes, and what it puts where."""

import http.server
import os
import pathlib
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from nova.image.bundle.manifest import is_signed_by_one_of, parse
from tests.fixtures.bundles import DISK, WHEN, pair

pytestmark = [pytest.mark.programs, pytest.mark.loopback]

TOOL = pathlib.Path(__file__).parents[3] / "tools" / "bundle-image"
BUCKETS = (
    b'<ListAllMyBucketsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Buckets>'
    b"</Buckets></ListAllMyBucketsResult>"
)


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    """Return a folder with an image and keys."""
    (tmp_path / "disk.img").write_bytes(DISK)
    (tmp_path / "pk.pem").write_bytes(pair("user").pem)
    (tmp_path / "cert.pem").write_bytes(pair("user").certificate)
    (tmp_path / "cacert.pem").write_bytes(pair("cloud").certificate)
    return tmp_path


def _run(folder: pathlib.Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH",) if name in os.environ}
    return subprocess.run(
        [sys.executable, str(TOOL), *arguments],
        cwd=folder,
        env={**kept, "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"},
        capture_output=True,
        text=True,
    )


def test_a_bundle_is_made(folder: pathlib.Path) -> None:
    done = _run(folder, "disk.img", "-d", "out", "-p", "web", "--kernel", "aki-1", "-B", "ami=sda1")
    assert (done.returncode, done.stdout) == (0, "out/web.manifest.xml\n"), done.stderr
    found = parse((folder / "out/web.manifest.xml").read_bytes(), 10**9)
    assert is_signed_by_one_of(found, [pair("user").certificate.decode()], WHEN)
    assert (found.kind, found.kernel_id, found.mappings) == ("ami", "aki-1", (("ami", "sda1"),))
    assert {path.name for path in (folder / "out").iterdir()} == {
        "web.manifest.xml",
        "web.part.00",
    }


def test_a_bundle_that_could_not_be_registered_is_refused(folder: pathlib.Path) -> None:
    (folder / ".hidden").write_bytes(DISK)
    for arguments in ([".hidden"], ["disk.img", "-B", "ami=sd a"], ["disk.img", "--kernel", "a b"]):
        done = _run(folder, *arguments)
        assert (done.returncode, done.stdout) == (1, ""), arguments
        assert "its " in done.stderr
        assert not list(folder.glob("*.manifest.xml")) + list(folder.glob(".hidden.manifest.xml"))


def test_what_is_not_raw_is_refused_before_it_is_uploaded(folder: pathlib.Path) -> None:
    make = ["qemu-img", "create", "-q", "-f", "qcow2", str(folder / "disk.qcow2"), "1M"]
    subprocess.run(make, check=True)
    done = _run(folder, "disk.qcow2")
    assert (done.returncode, done.stdout) == (1, "")
    assert "its content is qcow2" in done.stderr
    assert not list(folder.glob("*.part.*"))


def test_missing_packages_are_named(folder: pathlib.Path) -> None:
    done = subprocess.run(
        [sys.executable, "-S", str(TOOL), "--help"], cwd=folder, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback" not in done.stderr
    assert "-m pip install boto3 cryptography defusedxml" in done.stderr


@pytest.mark.parametrize(
    "arguments, code",
    [
        (["--help"], 0),
        ([], 2),
        (["disk.img", "--arch", "vax"], 2),
        (["disk.img", "-B", "ami"], 2),
        (["disk.img", "--upload", "bucket"], 2),
        (["other.img"], 1),
        (["disk.img", "--cert", "cacert.pem"], 1),
        (["disk.img", "--privatekey", "cert.pem"], 1),
        (["disk.img", "--ec2cert", "none.pem"], 1),
    ],
)
def test_exit_codes(folder: pathlib.Path, arguments: list[str], code: int) -> None:
    done = _run(folder, *arguments)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    if code == 1:
        assert done.stderr.startswith("bundle-image: ")
    assert not list(folder.glob("*.part.*"))


@pytest.fixture
def store() -> Iterator[tuple[str, list[str]]]:
    """Give the address of an object store that takes all, and what was put there."""
    seen: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(BUCKETS)

        def do_PUT(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"] or 0))
            seen.append(self.path)
            self._answer(b"")

        def _answer(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("ETag", '"x"')
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", seen
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_manifest_is_uploaded_last(folder: pathlib.Path, store: tuple[str, list[str]]) -> None:
    url, seen = store
    done = _run(folder, "disk.img", "--upload", "images", "--url", url)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("images/disk.img.manifest.xml\n")
    assert seen == ["/images", "/images/disk.img.part.00", "/images/disk.img.manifest.xml"]


def test_an_object_store_that_is_away(folder: pathlib.Path) -> None:
    done = _run(folder, "disk.img", "--upload", "images", "--url", "http://127.0.0.1:1")
    assert done.returncode == 1
    assert done.stderr.startswith("bundle-image: the object store: ")
