"""What goes onto the config drives of servers."""

import dataclasses

from nova import exception
from nova.metadata.documents import DocumentSettings, config_drive_files
from nova.objects.guest_metadata import GuestMetadata
from nova.objects.instance_detail import InstanceDetail


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ConfigDrives:
    """Makes the files of config drives; forced: every server has one, asked for or not."""

    documents: DocumentSettings
    forced: bool = False

    def files(self, detail: InstanceDetail) -> dict[str, bytes] | None:
        """Return the files of a server's config drive, None for a server without one."""
        if not detail.instance.config_drive and not self.forced:
            return None
        return config_drive_files(
            GuestMetadata(
                instance=detail.instance,
                block_devices=detail.block_devices,
                injected_files=detail.injected_files,
                admin_password=detail.admin_password,
            ),
            self.documents,
        )

    def renewed(self, detail: InstanceDetail) -> dict[str, bytes] | None:
        """Return the files for a server that gets a new password, which is stored nowhere.

        Raises: AdminPasswordLost.
        """
        if detail.instance.config_drive and detail.admin_password is None:
            raise exception.AdminPasswordLost(instance_uuid=detail.instance.uuid)
        return self.files(detail)
