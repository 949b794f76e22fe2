"""How the EC2 API tells errors: codes of AWS, statuses, and sentences without inner names.

Source: ec2-api, section 3.
"""

import dataclasses
import logging

from nova import exception
from nova.api.ec2 import ids

LOG = logging.getLogger(__name__)

Classes = dict[type[exception.NovaException], tuple[str, int]]

# A family's code and status, unless a class below has its own.
_BY_FAMILY: Classes = {
    exception.Invalid: ("InvalidParameterValue", 400),
    exception.Forbidden: ("UnauthorizedOperation", 403),
    exception.OverQuota: ("ResourceLimitExceeded", 413),
    exception.NotFound: ("InvalidParameterValue", 404),
    exception.Conflict: ("IncorrectState", 400),
    exception.Busy: ("RequestLimitExceeded", 503),
    exception.NotSupported: ("UnsupportedOperation", 400),
    exception.Unavailable: ("Unavailable", 503),
    exception.Internal: ("InternalError", 500),
}

_BY_CLASS: Classes = {
    # The request and who sent it.
    exception.Ec2ActionUnknown: ("InvalidAction", 400),
    exception.Ec2RequestInvalid: ("InvalidRequest", 400),
    exception.Ec2ParameterMissing: ("MissingParameter", 400),
    exception.Ec2ParameterInvalid: ("InvalidParameterValue", 400),
    exception.Ec2AttributeInvalid: ("InvalidAttribute", 400),
    exception.Ec2TypeNotFound: ("InvalidInstanceType", 400),
    exception.Ec2NotSupported: ("UnsupportedOperation", 400),
    exception.Ec2DryRun: ("DryRunOperation", 412),
    exception.Ec2SignatureRefused: ("AuthFailure", 401),
    exception.Ec2LockedOut: ("AuthFailure", 403),
    exception.Ec2RequestExpired: ("RequestExpired", 403),
    exception.Ec2RequestRepeated: ("RequestRepeated", 409),
    exception.Ec2TokenMismatch: ("IdempotentParameterMismatch", 400),
    exception.PolicyNotAuthorized: ("AuthFailure", 403),
    exception.MalformedRequestBody: ("InvalidRequest", 400),
    exception.RequestBodyTooLarge: ("InvalidRequest", 413),
    exception.UnsupportedContentType: ("InvalidRequest", 415),
    exception.TooManyRequests: ("RequestLimitExceeded", 503),
    # Instances.
    exception.InstanceNotFound: ("InvalidInstanceID.NotFound", 404),
    exception.InstanceInvalidState: ("IncorrectInstanceState", 400),
    exception.InstanceIsLocked: ("OperationNotPermitted", 400),
    exception.Ec2TerminationDisabled: ("OperationNotPermitted", 400),
    exception.InstanceNotReady: ("IncorrectInstanceState", 400),
    exception.ConsoleNotAvailable: ("IncorrectInstanceState", 400),
    exception.NoValidHost: ("InsufficientInstanceCapacity", 500),
    exception.FlavorNotFound: ("InvalidParameterValue", 400),
    exception.BlockDeviceNotSupported: ("UnsupportedOperation", 400),
    exception.NoMoreFixedIps: ("ResourceLimitExceeded", 413),
    # Images.
    exception.ImageNotFound: ("InvalidAMIID.NotFound", 404),
    exception.ImageNotActive: ("IncorrectState", 400),
    exception.BundleNotFound: ("InvalidManifest", 400),
    exception.BundleUnacceptable: ("InvalidManifest", 400),
    # Key pairs.
    exception.KeypairNotFound: ("InvalidKeyPair.NotFound", 404),
    exception.KeypairExists: ("InvalidKeyPair.Duplicate", 400),
    exception.InvalidKeypair: ("InvalidKeyPair.Format", 400),
    # Security groups.
    exception.SecurityGroupNotFound: ("InvalidGroup.NotFound", 404),
    exception.RequestedGroupNotFound: ("InvalidGroup.NotFound", 400),
    exception.SecurityGroupExists: ("InvalidGroup.Duplicate", 400),
    exception.SecurityGroupInUse: ("InvalidGroup.InUse", 400),
    exception.SecurityGroupRuleNotFound: ("InvalidPermission.NotFound", 404),
    exception.SecurityGroupRuleExists: ("InvalidPermission.Duplicate", 400),
    # Addresses.
    exception.FloatingIpNotFound: ("InvalidAddress.NotFound", 404),
    exception.NoMoreFloatingIps: ("InsufficientAddressCapacity", 400),
    exception.FloatingIpLimitExceeded: ("AddressLimitExceeded", 413),
    exception.FloatingIpInUse: ("InvalidIPAddress.InUse", 400),
    exception.FloatingIpAssociateFailed: ("UnsupportedOperation", 400),
    exception.FloatingIpNotAssociated: ("InvalidAssociationID.NotFound", 404),
    exception.CannotDisassociateAutoAssignedFloatingIp: ("UnsupportedOperation", 400),
}

# Codes of ids that are wrong, by what they are ids of.
_MALFORMED = {
    ids.INSTANCE: "InvalidInstanceID.Malformed",
    ids.VOLUME: "InvalidVolumeID.Malformed",
    ids.SNAPSHOT: "InvalidSnapshotID.Malformed",
    ids.GROUP: "InvalidGroupId.Malformed",
    ids.ALLOCATION: "InvalidAllocationID.Malformed",
    ids.ASSOCIATION: "InvalidAssociationID.Malformed",
    **dict.fromkeys(ids.IMAGES, "InvalidAMIID.Malformed"),
}
_NOT_FOUND = {
    ids.INSTANCE: "InvalidInstanceID.NotFound",
    ids.VOLUME: "InvalidVolume.NotFound",
    ids.SNAPSHOT: "InvalidSnapshot.NotFound",
    ids.GROUP: "InvalidGroup.NotFound",
    ids.ALLOCATION: "InvalidAllocationID.NotFound",
    ids.ASSOCIATION: "InvalidAssociationID.NotFound",
    **dict.fromkeys(ids.IMAGES, "InvalidAMIID.NotFound"),
}
_UNKNOWN_ID = "InvalidID"
# Quotas that have a code of their own.
_QUOTAS = {
    "security_groups": "SecurityGroupLimitExceeded",
    "security_group_rules": "RulesPerSecurityGroupLimitExceeded",
}

_UNEXPECTED = "An unexpected error has occurred."
_UNAVAILABLE = "The service is not available. Try again later."


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """An error as it goes to the user."""

    status: int
    code: str
    message: str


def code_of(error: type[exception.NovaException]) -> tuple[str, int]:
    """Return the code and status of a class of errors."""
    for cls in error.__mro__:
        found = _BY_CLASS.get(cls) or _BY_FAMILY.get(cls)
        if found is not None:
            return found
    return "InternalError", 500


def fault_of(error: Exception, is_admin: bool = False) -> Fault:
    """Return what the user is told about an error.

    Faults of our own are told by nothing but their kind, and which service is missing to
    administrators only.
    """
    if not isinstance(error, exception.NovaException):
        return Fault(status=500, code="InternalError", message=_UNEXPECTED)
    code, status = code_of(type(error))
    code = _of_subject(error) or code
    message = str(error)
    if status == 500 and isinstance(error, exception.Internal):
        message = _UNEXPECTED
    elif isinstance(error, exception.Unavailable) and not is_admin:
        message = _UNAVAILABLE
    return Fault(status=status, code=code, message=message)


def _of_subject(error: exception.NovaException) -> str | None:
    """Return the code that depends on what an error is about."""
    if isinstance(error, exception.Ec2IdMalformed):
        return _MALFORMED.get(error.kwargs["kind"], _UNKNOWN_ID)
    if isinstance(error, exception.Ec2IdNotFound):
        return _NOT_FOUND.get(error.kwargs["kind"], _UNKNOWN_ID)
    if isinstance(error, exception.QuotaExceeded):
        return _QUOTAS.get(error.kwargs["resource"])
    return None


def of_status(status: int) -> Fault:
    """Return the fault that stands for an answer of middleware which all APIs share."""
    error: exception.NovaException = {
        400: exception.Ec2RequestInvalid(reason="The request can not be read."),
        413: exception.Ec2RequestInvalid(reason="The request is too large."),
        429: exception.TooManyRequests(retry_after_s=1),
    }.get(status, exception.Internal(reason=_UNEXPECTED))
    return fault_of(error)


def note(error: Exception) -> None:
    """Write to the log what the operator has to know of an error."""
    if not isinstance(error, exception.NovaException) or isinstance(error, exception.Internal):
        LOG.error("Request failed: %s", type(error).__name__, exc_info=error)
    elif isinstance(error, exception.Unavailable):
        LOG.warning("Request failed: %s", error)
