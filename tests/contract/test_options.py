"""Options: declared once, explained, the same on every host, and in the sample file.

To write the sample anew:
    python -m nova.config_sample > etc/nova/nova.conf.sample
"""

import collections
import os
import pathlib
import pwd
import socket
import sys

import pytest

from nova.config import declarations
from nova.config_sample import sample

SAMPLE = pathlib.Path(__file__).parents[2] / "etc" / "nova" / "nova.conf.sample"
DECLARED = [(module, group, option) for module, group, option in declarations()]


def name_of(declared):
    _, group, option = declared
    return f"{group}.{option.dest}" if hasattr(option, "dest") else str(declared)


def test_sample_file_is_up_to_date():
    assert SAMPLE.read_text() == sample(), "write it anew (see above)"


@pytest.mark.parametrize("declared", DECLARED, ids=name_of)
def test_every_option_has_help(declared):
    _, _, option = declared
    assert option.help and option.help.strip()


def test_every_option_is_declared_once():
    places = collections.defaultdict(list)
    for module, group, option in DECLARED:
        places[group, option.dest].append(module)
    assert {key: found for key, found in places.items() if len(found) > 1} == {}


@pytest.mark.parametrize("declared", DECLARED, ids=name_of)
def test_no_default_depends_on_the_host(declared):
    _, _, option = declared
    here = {
        socket.gethostname(),
        socket.getfqdn(),
        str(pathlib.Path.home()),
        sys.prefix,
        os.getcwd(),
        pwd.getpwuid(os.getuid()).pw_dir,
    } - {"localhost", "/"}
    assert not any(one in str(option.default) for one in here)


@pytest.mark.parametrize("declared", DECLARED, ids=name_of)
def test_default_is_a_valid_value(declared):
    _, _, option = declared
    if option.default is not None and "$" not in str(option.default) and not option.multi:
        assert option.type(option.default) is not None
