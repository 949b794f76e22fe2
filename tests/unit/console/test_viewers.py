"""The packaged viewers: missing, unknown, complete; and what of them is served."""

import json

import pytest

from nova.console import viewers
from nova.console.pages import PageKind
from nova.exception import ConfigurationError

STATUS = """Package: novnc-docs
Status: install ok installed
Version: 1:9.9.9-1

Package: novnc
Status: {status}
Architecture: all
Version: {version}
Description: HTML5 VNC client
 Package: fake

Package: other
Status: install ok installed
Version: 4-1
"""
INSTALLED = "install ok installed"
GOOD = {PageKind.VNC: "1.3.0", PageKind.SPICE: "0.3.0", PageKind.SERIAL: "3.8.1"}


@pytest.fixture
def status(tmp_path):
    path = tmp_path / "status"
    path.write_text(STATUS.format(status=INSTALLED, version="1:1.3.0-1"))
    return path


def make_viewer(tmp_path, kind, version=None, leave_out=()):
    folder = tmp_path / kind.value
    for name in viewers.PACKAGES[kind].entries:
        if name not in leave_out:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(f"// {name}")
    if version is not None:
        (folder / "package.json").write_text(json.dumps({"version": version}))
    return folder


@pytest.mark.parametrize("kind", PageKind)
def test_con_11_a_missing_viewer_is_told_by_its_package(tmp_path, kind, status):
    with pytest.raises(ConfigurationError, match=viewers.PACKAGES[kind].name):
        viewers.load(kind, tmp_path / "nowhere", status)


def test_con_11_an_incomplete_viewer_is_told_by_the_missing_file(tmp_path, status):
    folder = make_viewer(tmp_path, PageKind.VNC, "1.3.0", ["core/rfb.js"])
    with pytest.raises(ConfigurationError, match=r"core/rfb\.js is missing"):
        viewers.load(PageKind.VNC, folder, status)


@pytest.mark.parametrize(
    ("kind", "version"),
    [
        (PageKind.VNC, "0.6.1"),
        (PageKind.VNC, "1.2.0"),
        (PageKind.VNC, "2.0.0"),
        (PageKind.SPICE, "0.2.1"),
        (PageKind.SPICE, "0.4"),
        (PageKind.SERIAL, "3.7"),
        (PageKind.SERIAL, "5.3.0"),
        (PageKind.SERIAL, "new"),
    ],
)
def test_con_11_an_unknown_version_is_refused_with_those_known(tmp_path, status, kind, version):
    folder = make_viewer(tmp_path, kind, version)
    with pytest.raises(ConfigurationError, match=f"has version {version}, known are those from"):
        viewers.load(kind, folder, status)


@pytest.mark.parametrize("kind", PageKind)
def test_con_11_a_known_version_is_served(tmp_path, status, kind):
    found = viewers.load(kind, make_viewer(tmp_path, kind, GOOD[kind]), status)
    assert {"/page/console.css", "/page/console.js", f"/page/{kind.value}.js"} <= set(found)
    assert any(path.startswith("/viewer/") for path in found)


def test_con_11_the_version_is_debians_if_the_viewer_tells_none(tmp_path, status):
    folder = make_viewer(tmp_path, PageKind.VNC)
    assert viewers.find_version("novnc", folder, status) == "1.3.0"
    assert viewers.load(PageKind.VNC, folder, status)


@pytest.mark.parametrize("text", [None, "", STATUS.format(status="deinstall ok", version="1-1")])
def test_con_11_a_viewer_of_no_known_origin_is_refused(tmp_path, text):
    path = tmp_path / "none"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ConfigurationError, match="can not be told"):
        viewers.load(PageKind.VNC, make_viewer(tmp_path, PageKind.VNC), path)


@pytest.mark.parametrize(
    ("version", "upstream"),
    [
        ("1:1.3.0-1", "1.3.0"),
        ("0.3.0-2", "0.3.0"),
        ("2.0", "2.0"),
        ("3.8.1+~cs0.9.0-1", "3.8.1+~cs0.9.0"),
    ],
)
def test_versions_of_debian_lose_epoch_and_revision(version, upstream):
    assert (
        viewers.debian_version("novnc", STATUS.format(status=INSTALLED, version=version))
        == upstream
    )


def test_numbers_of_versions():
    assert viewers.numbers("3.8.1+~cs0.9.0") == (3, 8, 1)
    assert viewers.numbers("master") == ()


def test_con_05_only_scripts_and_styles_are_served(tmp_path, status):
    folder = make_viewer(tmp_path, PageKind.VNC, "1.3.0")
    (folder / "core" / "secret.txt").write_text("x")
    (folder / "vnc.html").write_text("x")
    found = viewers.load(PageKind.VNC, folder, status)
    assert {path.rsplit(".", 1)[1] for path in found} == {"js", "css"}
    assert all(one.content_type.startswith("text/") for one in found.values())


def test_tags_change_with_the_content(tmp_path, status):
    folder = make_viewer(tmp_path, PageKind.VNC, "1.3.0")
    before = viewers.load(PageKind.VNC, folder, status)
    (folder / "core" / "rfb.js").write_text("// new")
    after = viewers.load(PageKind.VNC, folder, status)
    changed = {path for path in before if before[path].tag != after[path].tag}
    assert changed == {"/viewer/core/rfb.js"}


def test_modules_for_node_become_one_for_browsers():
    text = viewers.bundle(
        {
            "public/Terminal.js": 'exports.Terminal = require("../Core").Core;',
            "Core.js": 'var a = require("./sub/A.js"); exports.Core = a;',
            "sub/A.js": 'require("../Core"); require("chai");',
        },
        "public/Terminal.js",
        "Terminal",
    )
    assert 'exports.Terminal = require("Core.js").Core;' in text
    assert 'require("sub/A.js")' in text
    assert 'require("Core.js"); require("chai");' in text
    assert text.endswith('export const Terminal = load("public/Terminal.js").Terminal;\n')
