"""Writes the reference of the Compute API from the declarations of its routes.

python -m nova.api_reference doc/api

Answers are those recorded in the directory samples below it.
"""

import json
import pathlib
import re
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from nova.api.openstack.app import RESOURCES, default_rules
from nova.api.openstack.description import describe
from nova.api.openstack.resource import Route
from nova.api.openstack.schema import AnyOf, ListOf, Object, Type
from nova.api.openstack.versions import MAXIMUM, MINIMUM, Range
from nova.api.openstack.volumes_boot import ALIAS

_MICROVERSIONS = Range(str(MINIMUM))
_DEEP = {"servers", "flavors", "images"}

_HEAD = """\
# Compute API

Written by `tox -e docs` from the declarations of the routes; change those, not these files.

- Paths are below `/v2.1`; `/v2.1/{{project_id}}` is the same. The header
  `OpenStack-API-Version: compute 2.N` chooses the microversion, 2.1 to {newest}; without it, 2.1.
- *Versions* are the microversions that have a route; in the others it is not found (404).
- *Policy* is the rule that decides who may call; `etc/nova/policy.yaml.sample` has all of them.
- The sample of a route is at its newest version. Ids in samples are made up.
- [openapi.json](openapi.json) describes version {newest} for programs; `nova-manage api spec
  --microversion 2.N` prints the document of any other.
- `{alias}` is another name of `/servers` up to 2.102, with some of its actions.
"""


def sample_name(route: Route) -> str:
    """Return the name of a route's sample, which is a file name without its end."""
    words = [route.method.lower(), *re.findall(r"[\w-]+", route.path), route.action or ""]
    until = route.versions.until
    return "_".join(filter(None, [*words, f"until_2_{until.minor}" if until else ""]))


def reference(samples: Mapping[str, str]) -> dict[str, str]:
    """Return the files of the reference by name; samples are JSON texts by name of sample."""
    pages: dict[str, list[Route]] = {}
    for resource in RESOURCES:
        for route in resource.routes:
            if not route.path.startswith(ALIAS):
                pages.setdefault(_page_of(route), []).append(route)
    ordered = {name: sorted(pages[name], key=_place) for name in sorted(pages)}
    document = describe(RESOURCES, MAXIMUM)
    return {
        "README.md": _index(ordered),
        "openapi.json": json.dumps(document, indent=1, ensure_ascii=False) + "\n",
        **{
            f"{name}.md": "\n".join(_page(name, routes, samples)) + "\n"
            for name, routes in ordered.items()
        },
    }


def read_samples(folder: pathlib.Path) -> dict[str, str]:
    """Return the recorded samples by name."""
    return {path.stem: path.read_text() for path in sorted(folder.glob("*.json"))}


def _page_of(route: Route) -> str:
    parts = route.path.split("/")[1:]
    deep = parts[0] in _DEEP and len(parts) > 2
    return f"{parts[0]}-{parts[2]}" if deep else parts[0]


def _place(route: Route) -> tuple[str, str, str, Any]:
    return (route.path, route.action or "", route.method, route.versions.since)


def _title(route: Route) -> str:
    action = f" ({route.action})" if route.action else ""
    return f"{route.method} {route.path}{action}"


def _index(pages: Mapping[str, list[Route]]) -> str:
    lines = [_HEAD.format(newest=MAXIMUM, alias=ALIAS)]
    lines += ["| Route | Versions | Policy | Page |", "|---|---|---|---|"]
    for name, routes in pages.items():
        for route in routes:
            rule = f"`{route.rule}`" if route.rule else "none"
            lines.append(f"| `{_title(route)}` | {route.versions} | {rule} | [{name}]({name}.md) |")
    return "\n".join(lines) + "\n"


def _page(name: str, routes: list[Route], samples: Mapping[str, str]) -> Iterator[str]:
    yield f"# {name}"
    for route in routes:
        yield ""
        yield f"## {_title(route)}"
        yield ""
        yield (route.handler.__doc__ or "No description.").strip().splitlines()[0]
        yield ""
        yield from _facts(route)
        yield from _query(route)
        yield from _body(route)
        yield from _sample(samples.get(sample_name(route)))


def _facts(route: Route) -> Iterator[str]:
    rule = "none"
    if route.rule is not None:
        rule = f"`{route.rule}`, by default `{default_rules()[route.rule]}`"
    yield f"- Versions: {route.versions}"
    yield f"- Policy: {rule}"
    yield f"- Success: {', '.join(map(str, route.ok))}"
    yield f"- Errors: {', '.join(map(str, route.errors))}"


def _table(title: str, rows: list[str]) -> Iterator[str]:
    if rows:
        yield ""
        yield f"{title}:"
        yield ""
        yield "| Name | Type | Versions |"
        yield "|---|---|---|"
        yield from rows


def _query(route: Route) -> Iterator[str]:
    yield from _table(
        "Query",
        [
            f"| `{param.name}` | {_words(param.type)} | {_versions(param.range)} |"
            for param in route.query.params
            if _spoken(param.range, route)
        ],
    )


def _body(route: Route) -> Iterator[str]:
    if route.body is not None:
        yield from _table("Body (* must be there)", list(_rows(route.body, "", route)))


def _rows(entry: Type, prefix: str, route: Route) -> Iterator[str]:
    """Give a line for each key of a body, those of inner objects below it."""
    if isinstance(entry, ListOf):
        yield from _rows(entry.item, f"{prefix.removesuffix('.')}[].", route)
    elif isinstance(entry, AnyOf):
        for choice in entry.types:
            yield from _rows(choice, prefix, route)
    elif isinstance(entry, Object):
        for key in entry.keys:
            if not _spoken(key.range, route):
                continue
            name = f"{prefix}{key.name}"
            star = "*" if key.required else ""
            yield f"| `{name}`{star} | {_words(key.type)} | {_versions(key.range)} |"
            yield from _rows(key.type, f"{name}.", route)


def _spoken(versions: Range, route: Route) -> bool:
    """Tell whether a part of a request is there in some microversion of its route."""
    return versions.overlaps(route.versions) and versions.overlaps(_MICROVERSIONS)


def _versions(versions: Range) -> str:
    return str(versions) if versions.limited else "all"


def _words(entry: Type) -> str:
    """Return in words what a value may be."""
    if isinstance(entry, Object):
        return "object"
    if isinstance(entry, ListOf):
        return f"list of {entry.minimum} to {entry.maximum}"
    if isinstance(entry, AnyOf):
        return " or ".join(_words(choice) for choice in entry.types)
    schema: Any = entry if isinstance(entry, Mapping) else {}
    if "enum" in schema:
        return "one of " + ", ".join(f"`{json.dumps(value)}`" for value in schema["enum"])
    if "anyOf" in schema:
        return " or ".join(_words(choice) for choice in schema["anyOf"])
    kinds = schema.get("type", "any")
    words = kinds if isinstance(kinds, str) else " or ".join(kinds)
    limits = [
        f"{word} {schema[name]}"
        for name, word in _LIMITS.items()
        if name in schema and not (name == "minLength" and schema[name] == 0)
    ]
    if "pattern" in schema:
        limits.append("like `" + schema["pattern"].replace("|", "\\|").removesuffix(r"\Z") + "`")
    return f"{words} ({', '.join(limits)})" if limits else words


_LIMITS = {
    "format": "form",
    "minLength": "at least",
    "maxLength": "up to",
    "minimum": "from",
    "maximum": "to",
    "minItems": "at least",
    "maxItems": "up to",
}


def _sample(text: str | None) -> Iterator[str]:
    if text is None:
        return
    sample = json.loads(text)
    yield ""
    yield f"Sample at {sample['version']}: `{sample['method']} {sample['path']}`"
    if sample["request"] is not None:
        yield from _block(sample["request"])
    yield ""
    yield f"{sample['status']}" + ("" if sample["response"] is None else ":")
    if sample["response"] is not None:
        yield from _block(sample["response"])


def _block(document: object) -> Iterator[str]:
    yield ""
    yield "```json"
    yield json.dumps(document, indent=2, ensure_ascii=False)
    yield "```"


def main(folder: pathlib.Path) -> None:
    """Write the files of the reference, and remove pages that there are no routes for."""
    files = reference(read_samples(folder / "samples"))
    for path in folder.glob("*.md"):
        if path.name not in files:
            path.unlink()
    for name, text in files.items():
        (folder / name).write_text(text)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
