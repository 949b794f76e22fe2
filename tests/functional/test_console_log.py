"""CON-10: what a guest prints on its console reaches the API bounded, clean and as JSON only."""

import json

import pytest

from nova.compute.console import MAX_BYTES

MIB = 2**20
HOSTILE = b"\x1b]0;title\x07\x1b[2J\x1b[31m</script><script>alert(1)</script>\x00\x9b\xff\xfe"


@pytest.mark.parametrize("length", [None, 1, "5"])
def test_con_10_a_line_of_100_mib_is_answered_within_the_limit(cloud, length):
    server = cloud.boot("tiny")
    driver = cloud.driver(server.instance().host)
    driver.guests[server.uuid].console = b"A" * (100 * MIB) + HOSTILE
    body = {"os-getConsoleOutput": {"length": length}}
    answer = cloud.rest.post(f"/servers/{server.uuid}/action", body)
    assert answer.status_int == 200
    assert len(answer.body) <= 2 * MAX_BYTES
    output = json.loads(answer.body)["output"]
    assert output.endswith("</script><script>alert(1)</script>\ufffd\ufffd\ufffd")
    assert not [sign for sign in output if ord(sign) < 32 and sign not in "\n\t"]
    # The bus and the host go on as before.
    assert cloud.rest.get(f"/servers/{server.uuid}").status_int == 200
    server.act({"reboot": {"type": "HARD"}})
    assert server.status == "ACTIVE"


def test_con_10_a_log_is_delivered_as_json_that_browsers_do_not_guess_at(cloud):
    server = cloud.boot("tiny")
    driver = cloud.driver(server.instance().host)
    driver.guests[server.uuid].console = b"<html><script>alert(1)</script></html>\n"
    answer = cloud.rest.post(f"/servers/{server.uuid}/action", {"os-getConsoleOutput": {}})
    assert answer.content_type == "application/json"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
