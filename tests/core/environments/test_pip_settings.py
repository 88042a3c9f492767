"""What pip is told to do here is read and handed on."""

from __future__ import annotations

import os

import pytest

from aligntune_core.provisioning import pip_settings as module
from aligntune_core.provisioning.pip_settings import PipSettings, from_lines, without_password

LINES = [
    "global.index-url='https://me:secret@one.example/simple'",
    "global.extra-index-url='https://two.example/simple\\nhttps://three.example/simple'",
    "install.no-index='false'",
    "global.no-index='true'",
    "global.timeout='9'",
    ":env:.find-links='/wheels /more'",
    "freeze.user='true'",
    "nonsense",
]


def test_sections_come_in_pip_s_order_and_lists_are_lists():
    found = from_lines(LINES)
    assert found == PipSettings(
        index_url="https://me:secret@one.example/simple",
        extra_index_url=("https://two.example/simple", "https://three.example/simple"),
        find_links=("/wheels", "/more"),
        no_index=False,
        timeout="9",
    )
    assert "secret" not in str(found.to_dict())


def test_both_installers_are_told_the_same():
    found = PipSettings(
        index_url="https://one.example/simple",
        extra_index_url=("https://two.example/simple",),
        find_links=("/wheels",),
        constraint=("/caps.txt",),
        trusted_host=("one.example",),
        cert="/cert.pem",
        no_index=True,
        pre=True,
    )
    for_pip, for_uv = " ".join(found.for_pip()), " ".join(found.for_uv())
    assert "--index-url https://one.example/simple --extra-index-url https://two.example/simple" in for_pip
    assert "--default-index https://one.example/simple --index https://two.example/simple" in for_uv
    for told in (for_pip, for_uv):
        assert "--find-links /wheels --constraint /caps.txt" in told
        assert "--no-index" in told
    assert "--trusted-host one.example --cert /cert.pem" in for_pip
    assert "--allow-insecure-host one.example" in for_uv
    assert "--prerelease allow" in for_uv
    # as pip, the best of what all have, not what the first has
    assert "--index-strategy unsafe-best-match" in for_uv
    assert found.environ_for_uv() == {"SSL_CERT_FILE": "/cert.pem"}


def test_without_pip_its_files_are_read_as_pip_reads_them(tmp_path, monkeypatch):
    pytest.importorskip("pip")
    file = tmp_path / "pip.conf"
    file.write_text(
        "[global]\nindex-url = https://one.example/simple\nfind-links =\n    /wheels\n    /more\n"
        "[install]\nconstraint = /caps.txt\n"
    )
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", str(file))
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "https://two.example/simple")
    told, read = from_lines(module._asked()), from_lines(module._read())
    assert told == read
    assert told.find_links[-2:] == ("/wheels", "/more")
    assert told.constraint == ("/caps.txt",)
    assert told.extra_index_url == ("https://two.example/simple",)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://me:secret@host/simple", "https://***@host/simple"),
        ("git+ssh://git@host/a.git@abc", "git+ssh://***@host/a.git@abc"),
        ("/a/folder https://host/simple", "/a/folder https://host/simple"),
    ],
)
def test_passwords_are_not_shown(text, shown):
    assert without_password(text) == shown
