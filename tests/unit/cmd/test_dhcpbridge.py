"""nova-dhcpbridge's command line, as far as it needs no bus."""

import sys

import pytest

from nova.cmd import dhcpbridge


@pytest.mark.parametrize(
    "arguments",
    [["old", "fa:16:3e:00:00:05", "10.0.1.5"], ["tftp", "1", "10.0.1.5"], ["arp-add"]],
)
def test_other_actions_of_dnsmasq_are_ignored(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["nova-dhcpbridge", *arguments])
    assert dhcpbridge.main() == 0


def test_help(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["nova-dhcpbridge", "--help"])
    assert dhcpbridge.main() == 0
    assert capsys.readouterr().out.startswith("Usage: nova-dhcpbridge ")


def test_nothing_to_do_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["nova-dhcpbridge", "--config-file", "x"])
    assert dhcpbridge.main() == 2


@pytest.mark.parametrize("value", ["x", "{}", "[1]", '"x"'])
def test_unusable_list_of_files(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], value: str
) -> None:
    monkeypatch.setattr(sys, "argv", ["nova-dhcpbridge", "init"])
    monkeypatch.setenv("CONFIG_FILE", value)
    assert dhcpbridge.main() == 2
    assert capsys.readouterr().err.startswith("nova-dhcpbridge: ")
