"""What the EC2 API remembers of requests."""

import dataclasses
import datetime

from nova.objects.instance import Instance, Scope


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class KeptAnswer:
    """The answer to a signed request, kept to be given again."""

    status: int
    text: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class BegunRequest:
    """Whether a signature is seen for the first time; if not, the answer that it had, if any."""

    is_new: bool
    answer: KeptAnswer | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class InstancesQuery:
    """One page of instances, oldest first; deleted ones since a time come last.

    numbers: of instances, none for all.  exact: column to accepted values.
    after_created_at and after_id: the last one of the page before.
    with_protection: tell too which may not be terminated.
    """

    scope: Scope
    deleted_since: datetime.datetime
    numbers: tuple[int, ...] = ()
    exact: dict[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    limit: int = 1000
    after_created_at: datetime.datetime | None = None
    after_id: int | None = None
    with_protection: bool = False


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DescribedInstances:
    """Instances with what their ids and answers are made of.

    image_numbers: by image.  group_numbers: by project and name of security groups.
    client_tokens: by reservation.  more: there is another page.
    protected: uuids of those that may not be terminated, where that was asked for.
    """

    instances: tuple[Instance, ...] = ()
    image_numbers: dict[str, int] = dataclasses.field(default_factory=dict)
    group_numbers: dict[str, dict[str, int]] = dataclasses.field(default_factory=dict)
    client_tokens: dict[str, str] = dataclasses.field(default_factory=dict)
    more: bool = False
    protected: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TagPattern:
    """Tags that a request names: those of a key, with any value where it is None."""

    key: str
    value: str | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class BootNames:
    """What a request for instances names: numbers of images and groups, name of a flavor."""

    project_id: str
    flavor_name: str
    image_numbers: tuple[int, ...] = ()
    group_numbers: tuple[int, ...] = ()
    all_flavors: bool = False


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class BootMaterial:
    """What those names stand for; what is not there is missing.  flavorid None: no such flavor."""

    flavorid: str | None = None
    images: dict[int, str] = dataclasses.field(default_factory=dict)
    groups: dict[int, str] = dataclasses.field(default_factory=dict)
