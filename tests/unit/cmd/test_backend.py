"""Which concurrency a configuration asks for, read before anything is imported."""

import pytest

from nova.cmd import backend


@pytest.fixture
def written(tmp_path):
    def write(text, name="nova.conf"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return str(path)

    return write


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[DEFAULT]\nconcurrency = threads\n", "threads"),
        ("[DEFAULT]\nconcurrency=threads\n[x]\nconcurrency = other\n", "threads"),
        ("[DEFAULT]\nconcurrency = threads\nconcurrency = eventlet\n", "eventlet"),
        ("[DEFAULT]\n#concurrency = threads\n", None),
        ("", None),
    ],
)
def test_value_of_a_file(written, text, value):
    assert backend.configured([written(text)]) == value


def test_last_file_wins(written):
    first = written("[DEFAULT]\nconcurrency = threads\n", "a.conf")
    second = written("[DEFAULT]\nconcurrency = eventlet\n", "b.conf")
    assert backend.configured([first, second, "/nowhere.conf"]) == "eventlet"


def test_files_of_the_command_line(written, tmp_path):
    inner = written("[DEFAULT]\n", "conf.d/10.conf")
    argv = ["--config-file", "a.conf", "--config-file=b.conf", "--config-dir", f"{tmp_path}/conf.d"]
    assert backend.config_files(argv, "nova-api") == ["a.conf", "b.conf", inner]


def test_environment_wins(written, monkeypatch):
    monkeypatch.setenv("OS_DEFAULT__CONCURRENCY", "threads")
    path = written("[DEFAULT]\nconcurrency = eventlet\n")
    assert backend.choose(["--config-file", path], "nova-api") == backend.THREADS


def test_home_of_another_user_is_passed_over(monkeypatch):
    def refuse(*_arguments, **_keywords):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.stat", refuse)
    assert backend.config_files([], "nova-api") == []
