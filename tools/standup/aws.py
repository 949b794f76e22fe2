"""What AWS clients need: keys of a user in a project, and where the services are."""

from __future__ import annotations

from standup.rest import Session
from standup.settings import Settings

REGION = "RegionOne"


def environment(settings: Settings, session: Session) -> dict[str, str]:
    """Return what to export for a user in the project of the session; makes keys if there are none.

    The clients read the addresses from 2023 on (AWS CLI 1.29 and 2.13, boto3 1.28).
    """
    access, secret = credentials(session)
    return {
        "AWS_ACCESS_KEY_ID": access,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL_EC2": settings.ec2_url,
        "AWS_ENDPOINT_URL_S3": settings.objectstore_url,
    }


def credentials(session: Session) -> tuple[str, str]:
    """Return access key and secret of the session's user in its project, new ones if need be."""
    root = session.credentials.auth_url
    token = session.call("GET", f"{root}/auth/tokens", X_Subject_Token=session.token).body["token"]
    url = f"{root}/users/{token['user']['id']}/credentials/OS-EC2"
    project_id = token["project"]["id"]
    present = [one for one in session.get(url)["credentials"] if one["tenant_id"] == project_id]
    if present:
        found = present[0]
    else:
        found = session.call("POST", url, {"tenant_id": project_id}).body["credential"]
    return str(found["access"]), str(found["secret"])
