"""What the EC2 API alone needs: requests that act once, and numbers of images."""

import datetime

from nova import clock
from nova.conductor.rpcapi.ec2 import ConductorEc2
from nova.context import RequestContext
from nova.db import ec2_requests, image_numbers
from nova.db.duplicates import Repeat, refused_as
from nova.db.engine import Database, retried
from nova.objects.ec2 import BegunRequest, KeptAnswer

PURGE_INTERVAL_S = 300


class Ec2Endpoint(ConductorEc2):
    """Serves the records of the EC2 API."""

    def __init__(self, db: Database) -> None:
        self.db = db

    @retried
    def begin_request(
        self, context: RequestContext, digest: str, expires_at: datetime.datetime
    ) -> BegunRequest:
        """Tell whether a signed request is new, and remember it while its signature lives."""
        with self.db.transaction() as tx:
            if ec2_requests.exists(tx, digest):
                return BegunRequest(is_new=False, answer=ec2_requests.find_answer(tx, digest))
            with refused_as(Repeat()):
                ec2_requests.create(tx, digest, expires_at, clock.utcnow())
        return BegunRequest(is_new=True)

    @retried
    def finish_request(self, context: RequestContext, digest: str, answer: KeptAnswer) -> None:
        """Keep the answer to a request for its repetitions."""
        with self.db.transaction() as tx:
            ec2_requests.set_answer(tx, digest, answer)

    @retried
    def number_images(self, context: RequestContext, image_ids: tuple[str, ...]) -> dict[str, int]:
        """Return the numbers of images by their ids; unseen ones get theirs now."""
        wanted = set(image_ids)
        with self.db.reading() as tx:
            numbers = image_numbers.find(tx, wanted)
        if wanted - numbers.keys():
            with self.db.transaction() as tx:
                numbers = image_numbers.assign(tx, wanted)
        return numbers

    @retried
    def images_of_numbers(
        self, context: RequestContext, numbers: tuple[int, ...]
    ) -> dict[int, str]:
        """Return the ids of images by their numbers, of those that have been given out."""
        with self.db.reading() as tx:
            return image_numbers.find_images(tx, numbers)

    @retried
    def purge(self, context: RequestContext) -> int:
        """Forget requests whose signatures have ended; return how many those were."""
        with self.db.transaction() as tx:
            return ec2_requests.purge(tx, clock.utcnow())
