"""Every error of the project, in eight families.

A family says what kind of fault it is; the adapters (REST, EC2) turn a family into their
own code.  A class has a message format over its keyword arguments and crosses the wire by
its name and those arguments.
"""

from typing import Any, ClassVar


class NovaException(Exception):
    """Base of all expected errors; the message is fit for a user."""

    message: ClassVar[str] = "An error occurred."

    def __init__(self, **kwargs: Any) -> None:
        self.kwargs = kwargs
        super().__init__(self.message.format(**kwargs))

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.kwargs)


def _rebuild(cls: type[NovaException], kwargs: dict[str, Any]) -> NovaException:
    return cls(**kwargs)


# --- Families -------------------------------------------------------------------------------


class Invalid(NovaException):
    """The request can not be carried out as given."""

    message = "{reason}"


class Forbidden(NovaException):
    """The caller may not do this."""

    message = "{reason}"


class OverQuota(NovaException):
    """A limit of the project or user would be exceeded."""

    message = "{reason}"


class NotFound(NovaException):
    """A named object does not exist, or not for this caller."""

    message = "{reason}"


class Conflict(NovaException):
    """The object is not in a state that allows this."""

    message = "{reason}"


class Busy(NovaException):
    """Too much at once; the same request may succeed later."""

    message = "{reason}"


class Unavailable(NovaException):
    """A service that is needed does not answer."""

    message = "{reason}"


class Internal(NovaException):
    """A fault of ours; users see only that it happened."""

    message = "{reason}"


class NotSupported(NovaException):
    """The driver or back end in use has no such operation."""

    message = "{reason}"


# --- RPC ------------------------------------------------------------------------------------


class RemoteError(Internal):
    """An unexpected error on the other side; its details are in that side's log."""

    message = "The service {topic} failed in {method}: {type}."


class MessagingTimeout(Unavailable):
    message = "The service {topic} did not answer {method} within {timeout_s} seconds."


class ServiceNotListening(MessagingTimeout):
    """Nobody ever took messages there: the service has not been started yet."""

    message = "No service {topic} is there to answer {method}."


class MessagingUnavailable(Unavailable):
    message = "The message bus can not be reached."


class UnknownMethod(Internal):
    message = "The service {topic} has no method {method}."


class UnsupportedVersion(Internal):
    message = "The service {topic} serves version {served}, but {wanted} was asked for."


class VersionPinned(Internal):
    message = "{method} needs version {since} of {topic}, which is pinned to {pin}."


class BadMessage(Invalid):
    message = "The message for {what} can not be read: {reason}"


# --- Configuration --------------------------------------------------------------------------


class ConfigurationError(Invalid):
    message = "The configuration is not usable: {reason}"


class DatabaseUnavailable(Unavailable):
    """The conductor can not reach its database; the reason is for its log."""

    message = "The database can not be reached: {reason}"


# --- Policy and scope -----------------------------------------------------------------------


class PolicyNotAuthorized(Forbidden):
    message = "Policy does not allow {rule} to be performed."


class InvalidInput(Invalid):
    message = "Invalid input received: {reason}"


class ApiVersionInvalid(Invalid):
    message = (
        "API version string '{version}' is of invalid format. It must be of the form MAJOR.MINOR."
    )


class ApiVersionNotSupported(Invalid):
    message = (
        "Version {version} is not supported by the API. "
        "Minimum is {minimum} and maximum is {maximum}."
    )


class InvalidBody(Invalid):
    message = "Invalid input for field/attribute {name}. Value: {value}. {reason}"


class InvalidQuery(Invalid):
    message = "Invalid input for query parameters {name}. {reason}"


class UnsupportedContentType(Invalid):
    message = "Unsupported Content-Type: send application/json."


class RequestBodyTooLarge(Invalid):
    message = "The request body is larger than {limit_bytes} bytes."


class ProjectMismatch(Invalid):
    message = "Malformed request URL: the project in the path is not the project of the token."


class RouteNotFound(NotFound):
    message = "The resource could not be found."


class ExtensionNotFound(NotFound):
    message = "There is no extension {alias}."


class NoSuchAction(Invalid):
    message = "There is no such action: {action}"


class MarkerNotFound(Invalid):
    message = "Marker {marker} could not be found."


class MalformedRequestBody(Invalid):
    message = "Malformed request body: {reason}"


class InvalidSortKey(Invalid):
    message = "Sort key {key} is not allowed. Use one of the documented sort keys."


# --- Flavors, keys --------------------------------------------------------------------------


class FlavorNotFound(NotFound):
    message = "Flavor {flavor_id} could not be found."


class FlavorExists(Conflict):
    message = "A flavor with the name {name} or the id {flavor_id} already exists."


class FlavorExtraSpecNotFound(NotFound):
    message = "Flavor {flavor_id} has no extra spec {key}."


class InvalidExtraSpec(Invalid):
    message = "Extra spec {key} is not valid: {reason}"


class FlavorAccessExists(Conflict):
    message = "Project {project_id} already has access to flavor {flavor_id}."


class FlavorAccessNotFound(NotFound):
    message = "Project {project_id} has no access to flavor {flavor_id}."


class FlavorIsPublic(Conflict):
    message = "Flavor {flavor_id} is public: access lists exist for private flavors only."


class FlavorHasNoAccessList(NotFound):
    message = "Flavor {flavor_id} is public and has no access list."


class KeypairNotFound(NotFound):
    message = "Keypair {name} not found for user {user_id}."


class KeypairExists(Conflict):
    message = "Key pair '{name}' already exists."


class InvalidKeypair(Invalid):
    message = "Keypair data is invalid: {reason}"


# --- Servers --------------------------------------------------------------------------------


class InstanceNotFound(NotFound):
    message = "Instance {instance_uuid} could not be found."


class InstanceInvalidState(Conflict):
    message = "Cannot '{action}' instance {instance_uuid} while it is in {attribute} {state}."


class InstanceIsLocked(Conflict):
    message = "Instance {instance_uuid} is locked."


class InstanceNotReady(Conflict):
    message = "Instance {instance_uuid} is not ready: it has not been placed on a host yet."


class AvailabilityZoneConflict(Conflict):
    message = "Instance {instance_uuid} is not in the availability zone {zone}."


class ActionNotFound(NotFound):
    message = "Action for request_id {request_id} on instance {instance_uuid} not found."


class InstanceActionStale(Conflict):
    """The operation was finished or taken over elsewhere; its result is not wanted."""

    message = "Operation {action_id} on instance {instance_uuid} is no longer in progress."


class SecurityGroupNotFound(NotFound):
    message = "Security group {name} could not be found."


class SecurityGroupInvalid(Invalid):
    message = "{reason}"


class RequestedGroupNotFound(SecurityGroupInvalid):
    """A group that a request names is not there, which is a fault of the request."""

    message = "There is no security group {name}."


class InstanceTagNotFound(NotFound):
    message = "Instance {instance_uuid} has no tag '{tag}'."


class SameFlavor(Invalid):
    message = "A resize needs another flavor than the one the server has."


class CannotResizeDisk(Invalid):
    message = "Server disk was unable to be resized because: {reason}"


class NoMigrationToEnd(Invalid):
    message = "Instance {instance_uuid} has not been resized: there is nothing to {action}."


class MigrationNotFound(NotFound):
    message = "Migration {migration_id} could not be found."


class TooManyTags(Invalid):
    message = "The number of tags exceeds {limit}."


class InstanceMetadataNotFound(NotFound):
    message = "Metadata item {key} was not found."


class MetadataLimitExceeded(OverQuota):
    message = "Maximum number of metadata items exceeds {limit}."


class InjectedFileLimitExceeded(OverQuota):
    message = "Injected file limit exceeded: {reason}"


class FlavorMemoryTooSmall(Invalid):
    message = (
        "Flavor's memory of {memory_mb} MB is too small for the image, which needs {min_ram_mb} MB."
    )


class FlavorDiskTooSmall(Invalid):
    message = "Flavor's disk of {root_gb} GB is too small for the image, which needs {need_gb} GB."


class ZeroDiskFlavorNotAllowed(Forbidden):
    message = "Only servers that boot from a volume may have a flavor without a disk."


class BlockDeviceNotSupported(Invalid):
    message = "Block device mapping is invalid: {reason}"


class ConsoleNotAvailable(NotFound):
    message = "The console log of instance {instance_uuid} is not available yet."


class ConsoleTypeInvalid(Invalid):
    message = "There is no console of type {console_type}."


class ConsoleTypeUnavailable(Invalid):
    """Neither configured on the host nor a part of the guest."""

    message = "Consoles of type {console_type} are not available for this server."


class SocketPortRangeExhausted(Conflict):
    message = "No port is free on {host} for the serial console: see [serial_console] port_range."


class ConsoleTokenNotFound(NotFound):
    """The token itself is left out: it may be a valid one with a slip."""

    message = "The console token is unknown, or no longer valid."


class ConsoleTokenOfOtherType(Forbidden):
    message = "The token is not that of an RDP console."


class ConsoleNotFound(NotFound):
    message = "There is no console {console_id}."


class ConsolePoolNotFound(NotFound):
    message = "The host of instance {instance_uuid} has no pool of consoles."


# --- Certificates ---------------------------------------------------------------------------


class CryptoCAFileNotFound(NotFound):
    message = "The certificate authority of project {project_id} could not be found."


class CryptoCRLFileNotFound(NotFound):
    message = "The revocation list of project {project_id} could not be found."


class AuthorityUnusable(Internal):
    """A file of an authority is not as it has to be; nobody but the operator can mend it."""

    message = "The certificate authority can not be used: {reason}"


class AuthorityBusy(Unavailable):
    message = "The certificate authority is in use by others."


class DecryptionFailure(Invalid):
    """It never says what was wrong: whoever sends the text must not learn from it."""

    message = "The text can not be decrypted."


# --- Bundles --------------------------------------------------------------------------------


class BundleNotFound(NotFound):
    message = "There is no {image_location} among the buckets of the project."


class BundleUnacceptable(Invalid):
    message = "The bundle can not be used: {reason}"


class BundleStoreUnavailable(Unavailable):
    message = "The object store does not give out the bundle: {reason}"


# --- Quotas ---------------------------------------------------------------------------------


class TooManyInstances(OverQuota):
    message = (
        "Quota exceeded for {overs}: Requested {requested}, "
        "but already used {used} of {allowed} {overs}"
    )


class ProjectUnknown(Invalid):
    message = "Project {project_id} is not known to the identity service."


class QuotaExceeded(OverQuota):
    message = "Quota exceeded, too many {resource}: the limit is {allowed}."


class QuotaResourceUnknown(Invalid):
    message = "Unknown quota resources: {unknown}."


class QuotaLimitOutOfRange(Invalid):
    message = "Quota limit {limit} for {resource} must be {rule}."


# --- Placement ------------------------------------------------------------------------------


class NoValidHost(NotFound):
    message = "No valid host was found. {reason}"


class NoRoomForServer(Invalid):
    """No host can take a server that is to be changed or moved."""

    message = "No valid host was found. {reason}"


class InstanceHostDown(Conflict):
    message = "The compute service on the host of instance {instance_uuid} does not answer."


class HostClaimFailed(Conflict):
    """The chosen host can not take the server any more; the next alternate is tried."""

    message = "Host {host} has not enough {resource} left."


class GroupPolicyViolated(HostClaimFailed):
    message = "Host {host} does not suit server group {group_uuid}: {reason}"


class ComputeHostNotFound(NotFound):
    message = "Compute host {host} could not be found."


class AgentBuildNotFound(NotFound):
    message = "Agent build {build_id} could not be found."


class AgentBuildExists(Conflict):
    message = (
        "There is an agent build for hypervisor {hypervisor}, os {os} and architecture "
        "{architecture} already."
    )


class ServiceNotFound(NotFound):
    message = "Service {service_id} could not be found."


class ServiceActionNotFound(NotFound):
    message = "Services have no action {action}."


class ServiceNotChangeable(Invalid):
    message = "Updating a {binary} service is not supported: only {only} services can be updated."


class HypervisorNotFound(NotFound):
    message = "Hypervisor {hypervisor_id} could not be found."


class ServiceUnavailable(Unavailable):
    message = "No {binary} service is running on host {host}."


class NotOwner(Forbidden):
    """A host spoke about something that is not on it."""

    message = "Host {host} does not own {what}."


class UnshelveDestinationRefused(Conflict):
    message = "Instance {instance_uuid} is on a host still: no other place can be chosen for it."


class AvailabilityZoneNotFound(Invalid):
    message = "The requested availability zone {zone} is not available."


class ServerGroupNotFound(NotFound):
    message = "Instance group {group_uuid} could not be found."


class AggregateNotFound(NotFound):
    message = "Aggregate {aggregate_id} could not be found."


class AggregateNameExists(Conflict):
    message = "Aggregate {name} already exists."


class AggregateHostExists(Conflict):
    message = "Aggregate {aggregate_id} already has host {host}."


class AggregateHostNotFound(NotFound):
    message = "Aggregate {aggregate_id} has no host {host}."


class AggregateZoneConflict(Conflict):
    message = "Aggregate {aggregate_id} can not be changed: {reason}."


class InvalidAggregateAction(Invalid):
    message = "Aggregate {aggregate_id} can not be changed: {reason}."


class AggregateInUse(Invalid):
    message = "Aggregate {aggregate_id} still has hosts."


# --- Images ---------------------------------------------------------------------------------


class ImageNotFound(NotFound):
    message = "Image {image_id} could not be found."


class RequestedImageNotFound(InvalidInput):
    """An image that a request is about is not there, which is a fault of the request."""

    message = "Invalid input received: Image {image_id} could not be found."


class ImageNotActive(Invalid):
    message = "Image {image_id} is not active: its status is {status}."


class ImageUnacceptable(Invalid):
    message = "Image {image_id} is unacceptable: {reason}"


class ImageTooLarge(Invalid):
    message = (
        "Image {image_id} needs {need_bytes} bytes, but the flavor's disk holds {allowed_bytes}."
    )


class ImageCorrupt(Invalid):
    message = "The bytes of image {image_id} do not match its {algorithm} checksum."


class ImagePropertyRefused(Invalid):
    message = "Images can not have a property named {name}."


class ImageMetadataNotFound(NotFound):
    message = "The image has no metadata item {key}."


class QuiesceNotSupported(Conflict):
    message = (
        "The image of instance {instance_uuid} requires that the guest is quiesced, but does not "
        "say that it has an agent for it."
    )


class ImageBusy(Conflict):
    message = "Image {image_id} is not in a state that allows this."


class ImageQuotaExceeded(OverQuota):
    message = "The image service has no room left for image {image_id} of this project."


class ImageServiceForbidden(Forbidden):
    message = "The image service refused the request for image {image_id}."


class ImageConversionFailed(Invalid):
    """The bytes were acceptable, but could not be turned into a disk within the limits."""

    message = "Image {image_id} can not be turned into a disk: {reason}"


class CertificatesNotValidated(Invalid):
    message = (
        "trusted_image_certificates can not be given: this cloud does not validate the "
        "signatures of images."
    )


class TooManyRequests(Busy):
    message = "Too many requests in a short time. Try again in {retry_after_s} seconds."


class HostStorageFull(Busy):
    message = (
        "The host has {free_bytes} bytes of storage left, but image {image_id} needs {need_bytes}."
    )


class UnsafePath(Internal):
    message = "A file may not be used as {what}: {reason}"


class ImageServiceUnavailable(Unavailable):
    message = "The image service can not be reached: {reason}"


# --- Networks -------------------------------------------------------------------------------


class NetworkNotFound(NotFound):
    message = "Network {network_id} could not be found."


class NoNetworksFound(Invalid):
    message = "No network is available to project {project_id}."


class NetworkInUse(Conflict):
    message = "Network {network_id} is still in use."


class NetworkNotCreated(Invalid):
    message = "Network could not be created: {reason}"


class CidrConflict(Conflict):
    message = "The range {cidr} overlaps with {other}, which is in use."


class FpingUnavailable(Unavailable):
    message = "The program fping can not be run: there is no {path}."


class VlanInUse(Conflict):
    message = "VLAN {vlan} is in use."


class NetworkHasProject(Conflict):
    message = "Network {network_id} belongs to project {project_id}."


class NetworkHasRange(Conflict):
    message = "Network {network_id} has an IPv{ip_version} range already."


class NetworksNotIsolated(Forbidden):
    """Projects' own networks would share one segment."""

    message = (
        "With {manager} all networks share a bridge, and projects could reach each other: "
        "only administrators make networks."
    )


class NetworkNotOwned(Forbidden):
    message = "Network {network_id} does not belong to the project."


class NetworkChoiceForbidden(Forbidden):
    message = "Only administrators choose this of a network: {chosen}."


class NoMoreNetworks(Invalid):
    message = "No network is left that project {project_id} could be given."


class NoInterfaceInNetwork(Invalid):
    message = "Instance {instance_uuid} has no interface in network {network_id}."


class FixedIpNotFoundForInstance(Invalid):
    message = "Instance {instance_uuid} has no fixed IP address {address}."


class FixedIpInvalid(Invalid):
    message = "Fixed IP address {address} is not part of network {network_id}."


class FixedIpAlreadyInUse(Conflict):
    message = "Fixed IP address {address} is already in use."


class FixedIpNotFound(NotFound):
    message = "Fixed IP address {address} could not be found."


class NoMoreFixedIps(Busy):
    message = "No fixed IP addresses are left in network {network}."


class NetworkHostUnavailable(Unavailable):
    message = "No nova-network service is running that could serve network {network}."


class PortNotFound(NotFound):
    message = "Port {port_id} could not be found."


# --- Identity ------------------------------------------------------------------------------


class IdentityUnavailable(Unavailable):
    message = "The identity service can not be reached: {reason}"


# --- Drivers --------------------------------------------------------------------------------


class HypervisorUnavailable(Unavailable):
    message = "The hypervisor can not be reached: {reason}"


class DriverError(Internal):
    """The hypervisor refused; the host's log tells the details."""

    message = "The hypervisor could not {operation}: {reason}"


class GuestNotFound(NotFound):
    message = "The hypervisor has no guest {instance_uuid}."


class GuestNotRunning(Conflict):
    message = "Instance {instance_uuid} is not running."


class CommandFailed(Internal):
    message = "The command {command} failed with exit code {exit_code}."


class CommandTimeout(Internal):
    message = "The command {command} was stopped after {timeout_s} seconds."


class ResizeRefused(Conflict):
    """The disks of a server can not be given the size of a flavor."""

    message = "Instance {instance_uuid} can not be resized: {reason}"


class ResizeUnfinished(Conflict):
    """Disks that an earlier resize has put aside are still there."""

    message = (
        "Instance {instance_uuid} can not be resized: what an earlier resize has left was never "
        "tidied up. Rebuild the server first."
    )


class ResizeNotUndone(Internal):
    """A resize failed, and the guest could not be put back as it was."""

    message = "The failed resize of instance {instance_uuid} could not be undone."


class ActionNotSupported(NotSupported):
    """The hypervisor driver of a host can not do this."""

    message = "The hypervisor of the server's host can not {what}."


class GuestAgentUnavailable(Conflict):
    """The program inside the guest that should do something is not there, or refuses."""

    message = "The guest agent of instance {instance_uuid} does not help: {reason}"


class AdminPasswordLost(Unavailable):
    """The message with the password did not arrive; it is stored nowhere."""

    message = "The new password of instance {instance_uuid} did not reach its host."


class OperationInterrupted(Internal):
    """The process that carried the operation out ended before the operation did."""

    message = "The compute service was restarted while it worked on instance {instance_uuid}."


class SubnetNotFound(NotFound):
    message = "Subnet {subnet_id} could not be found."


class RouterNotFound(NotFound):
    message = "Router {router_id} could not be found."


class PortInUse(Conflict):
    message = "Port {port_id} belongs to instance {instance_uuid}."


class SubnetInvalid(Invalid):
    message = "{reason}"


class PortInvalid(Invalid):
    message = "{reason}"


class NetworkingUnsupported(Invalid):
    """A wish of the Networking API for which nova-network has nothing."""

    message = "Not supported by nova-network: {what}."


class DefaultRuleFixed(Conflict):
    """A rule by which servers may send anything; nova-network has no others."""

    message = "Not supported by nova-network: {what}. Servers may send anything."


class MethodNotAllowed(Invalid):
    message = "The resource does not take the method {method}."


class SecurityGroupExists(Invalid):
    message = "Security group {name} already exists."


class SecurityGroupInUse(Invalid):
    message = "Security group {name} is in use."


class SecurityGroupRuleNotFound(NotFound):
    message = "Security group rule {rule_id} could not be found."


class SecurityGroupRuleInvalid(Invalid):
    message = "{reason}"


class SecurityGroupRuleExists(Invalid):
    message = "This rule already exists in group {group}."


class SecurityGroupDefaultRuleNotFound(NotFound):
    message = "Security group default rule {rule_id} could not be found."


class SecurityGroupDefaultRuleExists(Conflict):
    message = "This default rule already exists."


class ProviderRuleNotFound(NotFound):
    message = "Provider rule {rule_id} could not be found."


class ProviderRuleExists(Conflict):
    message = "This provider rule already exists."


class FloatingIpNotFound(NotFound):
    message = "Floating IP address {floating_ip} could not be found."


class FloatingIpPoolNotFound(NotFound):
    message = "Floating IP pool {pool} could not be found."


class NoMoreFloatingIps(NotFound):
    message = "No floating IP addresses are left in pool {pool}."


class FloatingIpLimitExceeded(OverQuota):
    message = "Quota exceeded for floating IP addresses: {allowed} are allowed."


class FloatingIpInUse(Conflict):
    message = "Floating IP address {address} is in use."


class FloatingIpExists(Conflict):
    message = "Floating IP address {address} already exists."


class FloatingBulkActionUnknown(NotFound):
    message = "There is no /os-floating-ips-bulk/{name}; delete is the one that can be put."


class FloatingIpNotAssociated(Conflict):
    message = "Floating IP address {address} is not associated."


class FloatingIpAssociateFailed(Invalid):
    message = "Floating IP address {address} could not be associated: {reason}"


class CannotDisassociateAutoAssignedFloatingIp(Forbidden):
    message = "Floating IP address {address} was assigned automatically and stays so."


class FloatingRangeInvalid(Invalid):
    message = "The range {ip_range} can not be used: {reason}"


class DnsDomainNotFound(NotFound):
    message = "DNS domain {domain} could not be found."


class DnsDomainNotOwned(Forbidden):
    message = "DNS domain {domain} does not belong to the project."


class DnsEntryNotFound(NotFound):
    message = "There is no DNS entry {name} in domain {domain}."


class DnsNameInvalid(Invalid):
    message = "{name} can not be a DNS name: {reason}"


class FloatingDeviceMissing(Unavailable):
    """addresses: floating addresses with a blank between."""

    message = "There is no interface {interface} for floating IP addresses {addresses}."


# --- EC2 ------------------------------------------------------------------------------------


class Ec2ActionUnknown(Invalid):
    message = "The action {action} is not valid for this web service."


class Ec2RequestInvalid(Invalid):
    message = "{reason}"


class Ec2ParameterMissing(Invalid):
    message = "The request must contain the parameter {name}."


class Ec2ParameterInvalid(Invalid):
    message = "The value of parameter {name} is not valid: {reason}."


class Ec2IdMalformed(Invalid):
    """kind: the prefix of ids of what was meant."""

    message = "Invalid id: {given!r}."


class Ec2IdNotFound(NotFound):
    """kind: the prefix of ids of what was meant."""

    message = "The id {given!r} does not exist."


class Ec2AttributeInvalid(Invalid):
    message = "There is no attribute {name} here."


class Ec2TypeNotFound(Invalid):
    message = "There is no instance type {name}."


class Ec2NotSupported(Invalid):
    """A wish for which this cloud has nothing."""

    message = "Not supported here: {what}."


class Ec2DryRun(Conflict):
    message = "The request would have succeeded, but the DryRun flag is set."


class Ec2TerminationDisabled(Conflict):
    message = (
        "The instance {instance_uuid} may not be terminated. "
        "Set its attribute disableApiTermination to false first."
    )


class Ec2SignatureRefused(Forbidden):
    """Who signed a request is not known, or did not sign it."""

    message = "{reason}"


class Ec2LockedOut(Forbidden):
    message = "Too many failed authentications."


class Ec2RequestExpired(Forbidden):
    message = "The request is too old, or not valid yet: {reason}."


class Ec2RequestRepeated(Conflict):
    message = "A request with this signature was made before; sign a new one to act again."


class Ec2TokenMismatch(Invalid):
    message = "The client token {client_token} was used before with other parameters."


class IdentityMisconfigured(Internal):
    message = "The identity service refuses the compute service itself: {reason}"
