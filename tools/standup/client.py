"""The current openstack client, as people use it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from standup import run
from standup.settings import Settings


@dataclass(frozen=True)
class Client:
    """Commands of one user in the project of the same name."""

    settings: Settings
    user: str

    def do(self, *words: str) -> str:
        """Run a command and return what it prints.  Raises: CommandFailed."""
        program = str(self.settings.identity_venv / "bin" / "openstack")
        return run.output([program, *words], run.Settings(None, environment=self._environment()))

    def json(self, *words: str) -> Any:
        """Run a command and return the document that it prints."""
        return json.loads(self.do(*words, "-f", "json"))

    def _environment(self) -> dict[str, str]:
        return {
            "OS_AUTH_URL": self.settings.auth_url,
            "OS_USERNAME": self.user,
            "OS_PASSWORD": self.settings.passwords[self.user],
            "OS_PROJECT_NAME": self.user,
            "OS_USER_DOMAIN_ID": "default",
            "OS_PROJECT_DOMAIN_ID": "default",
            "OS_IDENTITY_API_VERSION": "3",
            "OS_REGION_NAME": "RegionOne",
        }
