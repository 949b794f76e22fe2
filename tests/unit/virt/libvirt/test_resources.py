"""Figures of the host."""

import os

import pytest

from nova.virt.libvirt.direct_io import supports_direct_io
from nova.virt.libvirt.resources import total_memory_mb, uptime_text


def test_memory_is_the_kernels_total():
    assert total_memory_mb("MemFree: 1 kB\nMemTotal:       24682496 kB\n") == 24104
    assert total_memory_mb("") is None


def test_uptime_is_told_like_the_command_does():
    text = uptime_text("180061.52 350000.00", "0.46 0.14 0.08 1/200 4242")
    assert text == "up 2 days,  2:01, load average: 0.46, 0.14, 0.08"


@pytest.mark.parametrize("refuses", [True, False])
def test_direct_access_is_tried_out(tmp_path, monkeypatch, refuses):
    real = os.open

    def open_without_direct(path, flags, *args, **kwargs):
        if flags & os.O_DIRECT:
            if refuses:
                raise OSError(22, "Invalid argument")
            flags &= ~os.O_DIRECT
        return real(path, flags, *args, **kwargs)

    monkeypatch.setattr(os, "open", open_without_direct)
    assert supports_direct_io(str(tmp_path)) is not refuses
    assert list(tmp_path.iterdir()) == []
