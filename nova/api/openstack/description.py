"""A machine-readable description of the Compute API, derived from its routes.

Source: OpenAPI Specification 3.1.0, whose schemas are those of JSON Schema 2020-12.
"""

import functools
import http
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from nova.api.openstack.resource import Resource, Route
from nova.api.openstack.schema import Param, resolve
from nova.api.openstack.versions import STANDARD_HEADER, Version

JsonObject = dict[str, Any]

FAULT = "Fault"
PATH_VARIABLE = re.compile(r"{(\w+)}")

_PYTHON_END = re.compile(r"\\Z\Z")
_NO_BODY = 204
_TOKEN = "token"


def describe(resources: Iterable[Resource], version: Version, url: str = "/v2.1") -> JsonObject:
    """Return the OpenAPI document of one microversion."""
    paths: dict[str, dict[str, list[Route]]] = {}
    for resource in resources:
        for route in resource.routes:
            if version in route.versions:
                operations = paths.setdefault(route.path, {})
                operations.setdefault(route.method.lower(), []).append(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Compute API",
            "version": str(version),
            "description": "Servers and what belongs to them. One document describes one "
            f"microversion; it is asked for with the header {STANDARD_HEADER}.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": url}],
        "security": [{_TOKEN: []}],
        "paths": {
            path: _path_item(path, operations, version)
            for path, operations in sorted(paths.items())
        },
        "components": {
            "securitySchemes": {_TOKEN: {"type": "apiKey", "in": "header", "name": "X-Auth-Token"}},
            "schemas": {FAULT: _fault_schema()},
        },
    }


def _path_item(path: str, operations: Mapping[str, list[Route]], version: Version) -> JsonObject:
    item: JsonObject = {
        method: _operation(routes, version) for method, routes in sorted(operations.items())
    }
    variables = PATH_VARIABLE.findall(path)
    if variables:
        item["parameters"] = [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
            for name in variables
        ]
    return item


def _operation(routes: list[Route], version: Version) -> JsonObject:
    """Return the operation of a method; the actions of a path are one operation together."""
    first = routes[0]
    parameters = [_version_parameter(version)]
    for name, param in sorted(first.query.at(version).items()):
        parameters.append(_query_parameter(name, param))
    operation: JsonObject = {
        "operationId": _operation_id(first),
        "summary": _summary(first) if first.action is None else "Carry out an action.",
        "tags": [first.path.split("/")[1]],
        "parameters": parameters,
        "responses": _responses(routes, version),
    }
    if first.action is not None:
        operation["description"] = "\n".join(
            f"- `{route.action}`: {_summary(route)}" for route in routes
        )
    bodies = [route.body.at(version) for route in routes if route.body is not None]
    if bodies:
        schema = bodies[0] if len(bodies) == 1 else {"oneOf": bodies}
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": portable(schema)}},
        }
    return operation


def _operation_id(route: Route) -> str:
    words = [route.method.lower(), *re.findall(r"\w+", route.path)]
    return "_".join(words)


def _summary(route: Route) -> str:
    text = (route.handler.__doc__ or "").strip()
    return text.splitlines()[0] if text else ""


def _version_parameter(version: Version) -> JsonObject:
    return {
        "name": STANDARD_HEADER,
        "in": "header",
        "required": True,
        "schema": {"const": f"compute {version}"},
    }


def _query_parameter(name: str, param: Param) -> JsonObject:
    schema: object = portable(param.type)
    if param.repeat:
        schema = {"type": "array", "items": schema}
    return {"name": name, "in": "query", "required": False, "schema": schema, "explode": True}


def _responses(routes: Iterable[Route], version: Version) -> JsonObject:
    routes = list(routes)
    codes = sorted({code for route in routes for code in (*route.ok, *route.errors)})
    return {
        str(code): _failure(code) if code >= http.HTTPStatus.BAD_REQUEST else _success(code, found)
        for code in codes
        for found in [[_answer(route, version) for route in routes if code in route.ok]]
    }


def _failure(code: int) -> JsonObject:
    response = _response(code)
    if code != http.HTTPStatus.UNAUTHORIZED:
        schema = {"$ref": f"#/components/schemas/{FAULT}"}
        response["content"] = {"application/json": {"schema": schema}}
    return response


def _success(code: int, answers: list[JsonObject]) -> JsonObject:
    """Return the response of routes that answer alike, by what each one says of its document."""
    response = _response(code)
    if code != _NO_BODY:
        schemas = [*{json.dumps(answer): answer for answer in answers}.values()]
        schema = schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
        media = {"schema": schema} if all(schemas) else {}
        response["content"] = {"application/json": media}
    return response


def _answer(route: Route, version: Version) -> JsonObject:
    return {} if route.answer is None else dict(resolve(route.answer, version))


def _response(code: int) -> JsonObject:
    return {"description": http.HTTPStatus(code).phrase}


def _fault_schema() -> JsonObject:
    entry = {
        "type": "object",
        "properties": {
            "code": {"type": "integer"},
            "message": {"type": "string"},
            "retryAfter": {"type": "string"},
            "details": {"type": "string"},
        },
        "required": ["code", "message"],
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": entry,
    }


def portable(schema: object) -> Any:
    """Return a schema whose patterns are those of ECMAScript, as JSON Schema has them."""
    if isinstance(schema, Mapping):
        return {
            _portable_key(key): (
                _pattern(value) if key == "pattern" and isinstance(value, str) else portable(value)
            )
            for key, value in schema.items()
        }
    if isinstance(schema, list | tuple):
        return [portable(entry) for entry in schema]
    return schema


def _portable_key(key: object) -> object:
    """Return a key; those of patternProperties are patterns themselves."""
    return _pattern(key) if isinstance(key, str) and _PYTHON_END.search(key) else key


@functools.cache
def _pattern(pattern: str) -> str:
    return _PYTHON_END.sub("$", pattern)
