import pytest

from nova.console.requests import Request
from nova.console.tokens import token_of


def request(query="", **headers):
    return Request(method="GET", path="/", query=query, headers=headers)


@pytest.mark.parametrize(
    ("query", "cookie", "token"),
    [
        ("token=abc", "", "abc"),
        ("token=one&token=two", "", "two"),
        ("a=1&token=abc&b=2", "", "abc"),
        ("path=%3Ftoken%3Dabc", "", "abc"),
        ("path=websockify%3Ftoken%3Dabc&scale=true", "", "abc"),
        ("path=%3Ftoken%3Dinner&token=outer", "", "outer"),
        ("", "token=abc", "abc"),
        ("", 'other=1; token="abc"; x=2', "abc"),
        ("", "token=one; token=two", "two"),
        ("", "broken; =; token=abc; b@d key=1", "abc"),
        ("token=abc", "token=cookie", "abc"),
        ("token=", "token=cookie", "cookie"),
        ("", "", None),
        ("TOKEN=abc", "", None),
        ("token=" + "x" * 513, "", None),
        ("&".join(["a=1"] * 200) + "&token=abc", "", None),
    ],
)
def test_where_a_token_is_found(query, cookie, token):
    assert token_of(request(query, cookie=cookie)) == token
