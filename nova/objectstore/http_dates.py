"""Times as headers of HTTP have them.

Source: RFC 9110 section 5.6.7.
"""

import datetime
import email.utils


def parse(text: str) -> datetime.datetime:
    """Return the time of a header, in UTC without zone.  Raises: ValueError."""
    try:
        moment = email.utils.parsedate_to_datetime(text)
        if moment.tzinfo is not None:
            moment = moment.astimezone(datetime.UTC).replace(tzinfo=None)
    except OverflowError as error:
        raise ValueError(str(error)) from error
    return moment


def text_of(moment: datetime.datetime) -> str:
    """Return a time as headers have it."""
    return email.utils.format_datetime(moment.replace(tzinfo=datetime.UTC), usegmt=True)
