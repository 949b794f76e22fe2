"""The description of the API tells the truth: every answer to what it allows is described.

Requests are made from the document alone, by schemathesis; path variables are sometimes those
of a real server.  The keys of answers are checked around the application in all tests (see
tests/fixtures/described.py).
"""

import urllib.parse

import hypothesis
import pytest
import schemathesis

from nova.api.openstack import versions
from nova.api.openstack.app import RESOURCES
from nova.api.openstack.description import describe
from tests.fixtures.cloud import IMAGE_ID

EXAMPLES = 5
SETTINGS = hypothesis.settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    suppress_health_check=list(hypothesis.HealthCheck),
    phases=[hypothesis.Phase.generate],
)


def _operations():
    """Return the operations of some versions, each with the version."""
    found = []
    for text in ("2.1", "2.60", str(versions.MAXIMUM)):
        document = describe(RESOURCES, versions.parse(text))
        schema = schemathesis.openapi.from_dict(document)
        for result in schema.get_all_operations():
            operation = result.ok()
            name = f"{text} {operation.method.upper()} {operation.path}"
            found.append(pytest.param(text, operation, id=name))
    return found


def _path(operation, chosen):
    path = operation.path
    for name, value in chosen.items():
        path = path.replace("{" + name + "}", urllib.parse.quote(str(value), safe=""))
    return path


def _query(query):
    pairs = [(name, value) for name, value in (query or {}).items()]
    return f"?{urllib.parse.urlencode(pairs, doseq=True)}" if pairs else ""


@pytest.mark.parametrize(("version", "operation"), _operations())
def test_in_04_every_answer_is_described(cloud, version, operation):
    server = cloud.boot("tiny").uuid
    known = {"server_id": server, "id": server, "image_id": IMAGE_ID, "flavor_id": "1"}
    described = {int(code) for code in operation.definition.raw["responses"]}

    @SETTINGS
    @hypothesis.given(
        case=operation.as_strategy(),
        real=hypothesis.strategies.booleans(),
        admin=hypothesis.strategies.booleans(),
    )
    def check(case, real, admin):
        chosen = case.path_parameters or {}
        if real:
            chosen = {name: known.get(name, value) for name, value in chosen.items()}
        body = case.body if not isinstance(case.body, schemathesis.core.NotSet) else None
        rest = (cloud.rest.as_user("admin") if admin else cloud.rest).at(version)
        target = _path(operation, chosen) + _query(case.query)
        answer = rest.request(case.method, target, body)
        assert answer.status_int in described, (case.method, target, body, answer.text)
        if answer.status_int >= 400 and answer.content_type == "application/json":
            ((_key, fault),) = answer.json.items()
            assert fault["code"] == answer.status_int

    check()
