"""Dates under which guests may ask for metadata.

Source: ec2-api, sections 8.3 and 8.4.
"""

EC2_VERSIONS = (
    "1.0",
    "2007-01-19",
    "2007-03-01",
    "2007-08-29",
    "2007-10-10",
    "2007-12-15",
    "2008-02-01",
    "2008-09-01",
    "2009-04-04",
)

OPENSTACK_VERSIONS = (
    "2012-08-10",
    "2013-04-04",
    "2013-10-17",
    "2015-10-15",
    "2016-06-30",
    "2016-10-06",
    "2017-02-22",
    "2018-08-27",
    "2020-10-14",
    "2025-04-04",
)

LATEST = "latest"


def resolve(version: str, known: tuple[str, ...]) -> str | None:
    """Return the date that a version word stands for, or None if it is not known."""
    if version == LATEST:
        return known[-1]
    return version if version in known else None
