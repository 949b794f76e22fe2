"""The packaged viewers: whether they are there, which version, and their files for browsers.

All files are read at start.  What is not among them does not exist for a client, whatever it
makes of a path.
"""

import dataclasses
import hashlib
import json
import pathlib
import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence

from nova.console.pages import WEB, PageKind
from nova.exception import ConfigurationError

DPKG_STATUS = pathlib.Path("/var/lib/dpkg/status")
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
}
_OWN_PREFIX = "/page/"
_VIEWER_PREFIX = "/viewer/"
_REQUIRE = re.compile(r'\brequire\("(\.[^"]*)"\)')


@dataclasses.dataclass(frozen=True, slots=True)
class File:
    """A file as browsers get it; tag: changes with its content."""

    content_type: str
    body: bytes
    tag: str


@dataclasses.dataclass(frozen=True, slots=True)
class Package:
    """A viewer as Debian packages it.

    entries: files that our pages begin with; scripts: patterns of all that these need.
    first, below: the versions whose interface we know, as far as they are given.
    """

    name: str
    title: str
    folder: str
    entries: Sequence[str]
    scripts: Sequence[str]
    first: tuple[int, ...]
    below: tuple[int, ...]


PACKAGES: Mapping[PageKind, Package] = {
    PageKind.VNC: Package(
        name="novnc",
        title="noVNC",
        folder="/usr/share/novnc",
        entries=("core/rfb.js", "core/input/keysym.js", "core/input/keysymdef.js"),
        scripts=("core/**/*.js", "vendor/**/*.js"),
        first=(1, 3),
        below=(2,),
    ),
    PageKind.SPICE: Package(
        name="spice-html5",
        title="spice-html5",
        folder="/usr/share/spice-html5",
        entries=("main.js", "spicemsg.js", "enums.js", "atKeynames.js"),
        scripts=("*.js", "thirdparty/*.js"),
        first=(0, 3),
        below=(0, 4),
    ),
    PageKind.SERIAL: Package(
        name="node-xterm",
        title="xterm.js",
        folder="/usr/share/nodejs/xterm",
        entries=("lib/public/Terminal.js", "lib/xterm.css"),
        scripts=("lib/**/*.js",),
        first=(3, 8),
        below=(4,),
    ),
}


def load(
    kind: PageKind, folder: pathlib.Path | None = None, dpkg_status: pathlib.Path = DPKG_STATUS
) -> dict[str, File]:
    """Return all files that the page of a console uses, by the path of their address.

    folder: where the viewer is, if not where Debian has it.
    Raises: ConfigurationError if it is missing or of a version that we do not know.
    """
    package = PACKAGES[kind]
    folder = folder or pathlib.Path(package.folder)
    _check(package, folder, dpkg_status)
    if kind is PageKind.SERIAL:
        found = dict(_terminal(package, folder))
    else:
        found = dict(_scripts(package, folder))
    for path in sorted(WEB.iterdir(), key=lambda one: one.name):
        if content_type := _TYPES.get(pathlib.PurePath(path.name).suffix):
            found[_OWN_PREFIX + path.name] = _file(content_type, path.read_bytes())
    return found


def _check(package: Package, folder: pathlib.Path, dpkg_status: pathlib.Path) -> None:
    remedy = f"install the Debian package {package.name}, or set where it is"
    missing = [name for name in package.entries if not (folder / name).is_file()]
    if missing:
        raise ConfigurationError(
            reason=f"{package.title} is not complete in {folder}, {missing[0]} is missing: {remedy}"
        )
    version = find_version(package.name, folder, dpkg_status)
    if version is None:
        raise ConfigurationError(
            reason=f"which version of {package.title} is in {folder} can not be told: {remedy}"
        )
    if not package.first <= numbers(version) < package.below:
        known = f"from {_dotted(package.first)} to below {_dotted(package.below)}"
        raise ConfigurationError(
            reason=f"{package.title} in {folder} has version {version}, known are those {known}:"
            f" install a Debian package {package.name} of such a version"
        )


def find_version(name: str, folder: pathlib.Path, dpkg_status: pathlib.Path) -> str | None:
    """Return the version of a viewer: its own word for it, else Debian's, else None."""
    own = folder / "package.json"
    if own.is_file():
        found = json.loads(own.read_text(encoding="utf-8")).get("version")
        return found if isinstance(found, str) else None
    if not dpkg_status.is_file():
        return None
    return debian_version(name, dpkg_status.read_text(encoding="utf-8", errors="replace"))


def debian_version(name: str, status: str) -> str | None:
    """Return the upstream version of an installed package from the status file of dpkg."""
    for paragraph in status.split("\n\n"):
        lines = paragraph.splitlines()
        if f"Package: {name}" in lines and "Status: install ok installed" in lines:
            (version,) = (one.removeprefix("Version: ") for one in lines if one[:9] == "Version: ")
            return version.rpartition(":")[2].rpartition("-")[0] or version
    return None


def numbers(version: str) -> tuple[int, ...]:
    """Return the numbers that a version begins with: (1, 3, 0) of 1.3.0+dfsg1."""
    begin = re.match(r"\d+(\.\d+)*", version)
    return tuple(int(one) for one in begin.group().split(".")) if begin else ()


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def _paths(package: Package, folder: pathlib.Path) -> list[pathlib.Path]:
    return sorted({path for pattern in package.scripts for path in folder.glob(pattern)})


def _scripts(package: Package, folder: pathlib.Path) -> Iterator[tuple[str, File]]:
    for path in _paths(package, folder):
        name = path.relative_to(folder).as_posix()
        yield _VIEWER_PREFIX + name, _file(_TYPES[".js"], path.read_bytes())


def _terminal(package: Package, folder: pathlib.Path) -> Iterator[tuple[str, File]]:
    """Give xterm.js, of which Debian 12 has only the single modules, as one for browsers."""
    library = folder / "lib"
    sources = {
        path.relative_to(library).as_posix(): path.read_text(encoding="utf-8")
        for path in _paths(package, folder)
        if not path.name.endswith(".test.js") and "addons" not in path.relative_to(library).parts
    }
    script = bundle(sources, "public/Terminal.js", "Terminal")
    yield _VIEWER_PREFIX + "xterm.js", _file(_TYPES[".js"], script.encode())
    style = (library / "xterm.css").read_bytes()
    yield _VIEWER_PREFIX + "xterm.css", _file(_TYPES[".css"], style)


def bundle(sources: Mapping[str, str], entry: str, name: str) -> str:
    """Return one module for browsers that exports a name, made of modules for Node.

    sources: text by path; what they require of each other is relative.
    """
    modules = ",\n".join(
        f"{json.dumps(path)}: function (require, module, exports) {{\n{_resolved(path, text)}\n}}"
        for path, text in sources.items()
    )
    return f"""const modules = {{
{modules}
}};
const loaded = {{}};
function load(path) {{
  if (!loaded[path]) {{
    const module = (loaded[path] = {{ exports: {{}} }});
    modules[path](load, module, module.exports);
  }}
  return loaded[path].exports;
}}
export const {name} = load({json.dumps(entry)}).{name};
"""


def _resolved(path: str, text: str) -> str:
    """Replace relative names of other modules by their paths."""

    def absolute(match: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(path), match.group(1)))
        return f"require({json.dumps(target.removesuffix('.js') + '.js')})"

    return _REQUIRE.sub(absolute, text)


def _file(content_type: str, body: bytes) -> File:
    return File(content_type, body, hashlib.sha256(body).hexdigest()[:32])
