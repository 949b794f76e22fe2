"""Numbers that stand for images in EC2 ids, given on first sight.

Source: ec2-api (id mapping: s3_images).
"""

import re
from collections.abc import Iterable

import sqlalchemy as sa

from nova.db import bulk
from nova.db.duplicates import Repeat, refused_as
from nova.db.engine import Transaction
from nova.db.tables import s3_images

_IMAGE_ID = re.compile(r"[0-9A-Za-z_-]{1,36}")


def find(tx: Transaction, image_ids: Iterable[str]) -> dict[str, int]:
    """Return the numbers of those images that have one."""
    query = sa.select(s3_images.c.uuid, s3_images.c.id)
    return {
        row.uuid: row.id
        for piece in bulk.chunks(sorted(image_ids))
        for row in tx.execute(query.where(s3_images.c.uuid.in_(piece)))
    }


def assign(tx: Transaction, image_ids: Iterable[str]) -> dict[str, int]:
    """Return the numbers of images, new ones for those that have none.

    What can be no image's id has none: owners write what they like into the properties of
    images that name others.
    Raises: Repeat when another transaction numbers the same image.
    """
    wanted = set(filter(_IMAGE_ID.fullmatch, image_ids))
    missing = wanted - find(tx, wanted).keys()
    if missing:
        with refused_as(Repeat()):
            tx.execute(sa.insert(s3_images), [{"uuid": image_id} for image_id in sorted(missing)])
    return find(tx, wanted)


def find_images(tx: Transaction, numbers: Iterable[int]) -> dict[int, str]:
    """Return the images that have some numbers."""
    query = sa.select(s3_images.c.id, s3_images.c.uuid)
    return {
        row.id: row.uuid
        for piece in bulk.chunks(sorted(numbers))
        for row in tx.execute(query.where(s3_images.c.id.in_(piece)))
    }
