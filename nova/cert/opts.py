"""Options of nova-cert."""

from oslo_config import cfg

CERT_OPTS: list[cfg.Opt] = [
    cfg.StrOpt(
        "ca_path",
        default="$state_path/CA",
        help="Folder of the root authority and, in projects, of those of the projects. All "
        "nova-cert processes must see the same folder, nobody else may.",
    ),
    cfg.StrOpt(
        "ca_file",
        default="cacert.pem",
        regex=r"^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*$",
        help="File of an authority's certificate, in the authority's folder.",
    ),
    cfg.StrOpt(
        "key_file",
        default="private/cakey.pem",
        regex=r"^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*$",
        help="File of an authority's private key, in the authority's folder.",
    ),
    cfg.StrOpt(
        "crl_file",
        default="crl.pem",
        regex=r"^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*$",
        help="File of an authority's revocation list, in the authority's folder.",
    ),
    cfg.BoolOpt(
        "use_project_ca",
        default=False,
        help="Whether each project gets an authority of its own. Otherwise the root signs for all.",
    ),
    cfg.StrOpt(
        "user_cert_subject",
        default="/C=US/ST=California/O=OpenStack/OU=NovaDev/CN=%.16s-%.16s-%s",
        help="Subject of users' certificates. Stands for, in this order: project, user, time.",
    ),
    cfg.StrOpt(
        "project_cert_subject",
        default="/C=US/ST=California/O=OpenStack/OU=NovaDev/CN=project-ca-%.16s-%s",
        help="Subject of the projects' authorities. Stands for, in this order: project, time.",
    ),
]

OPTS: dict[str, list[cfg.Opt]] = {"DEFAULT": CERT_OPTS}
