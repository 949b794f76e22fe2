"""Settings of nova-cert as plain values."""

import dataclasses

from oslo_config import cfg

_ROOT_SUBJECT = "/O=NOVA ROOT/L=Mountain View/ST=California/C=US"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CertSettings:
    """Where authorities are, and what is written into certificates."""

    ca_path: str
    ca_file: str = "cacert.pem"
    key_file: str = "private/cakey.pem"
    crl_file: str = "crl.pem"
    use_project_ca: bool = False
    user_cert_subject: str = "/C=US/ST=California/O=OpenStack/OU=NovaDev/CN=%.16s-%.16s-%s"
    project_cert_subject: str = "/C=US/ST=California/O=OpenStack/OU=NovaDev/CN=project-ca-%.16s-%s"
    root_cert_subject: str = _ROOT_SUBJECT

    @classmethod
    def from_conf(cls, conf: cfg.ConfigOpts) -> "CertSettings":
        """Return the settings that a configuration holds."""
        return cls(
            ca_path=conf.ca_path,
            ca_file=conf.ca_file,
            key_file=conf.key_file,
            crl_file=conf.crl_file,
            use_project_ca=conf.use_project_ca,
            user_cert_subject=conf.user_cert_subject,
            project_cert_subject=conf.project_cert_subject,
        )
