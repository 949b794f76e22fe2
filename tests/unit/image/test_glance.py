"""The client of Glance where the contract of image services does not reach."""

import pytest
import requests

from nova import exception
from nova.image.glance_documents import image_from_document
from nova.objects.image import Image
from tests.fixtures import images
from tests.fixtures.glance_transport import SERVICE_TOKEN, GlanceInMemory, document_of

IMAGE_ID = "70a599e0-31e7-49b7-b260-868f441e862b"
IMAGE = Image(id=IMAGE_ID, disk_format="raw", owner="owner")
CONTENT = images.raw(2_500_000)

INSIDE = [
    "file:///etc/shadow",
    "gopher://127.0.0.1:11211/_stats",
    "http://169.254.169.254/latest/meta-data/",
    "http://127.0.0.1:5672/",
    "http://[::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://2130706433/",
    "http://elsewhere.test/redirects-inside",
]


@pytest.fixture
def glance():
    return GlanceInMemory()


def hosts(glance):
    return {requests.utils.urlparse(request.url).netloc for request in glance.transport.seen}


@pytest.mark.parametrize("location", INSIDE)
def test_img_19_locations_are_neither_kept_nor_fetched(glance, location, tmp_path):
    document = {
        **document_of(IMAGE, CONTENT),
        "direct_url": location,
        "locations": [{"url": location, "metadata": {}}],
        "file": location,
        "self": location,
    }
    glance.transport.add(document, CONTENT)
    found = glance.service.get("user:owner", IMAGE_ID)
    glance.service.download("user:owner", found, str(tmp_path / "file"))
    assert location not in repr(found)
    assert hosts(glance) == {"glance.test:9292"}


@pytest.mark.parametrize("location", INSIDE)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_img_19_redirects_are_errors(glance, location, status, tmp_path):
    found = glance.add(IMAGE, CONTENT)
    glance.transport.headers = {"Location": location}
    glance.transport.failures = [status, status]
    with pytest.raises(exception.ImageServiceUnavailable, match="redirects"):
        glance.service.download(None, found, str(tmp_path / "file"))
    with pytest.raises(exception.ImageServiceUnavailable, match="redirects"):
        glance.service.get(None, IMAGE_ID)
    assert hosts(glance) == {"glance.test:9292"}
    assert list(tmp_path.iterdir()) == []


def test_img_17_each_request_carries_the_right_token(glance):
    glance.add(IMAGE, CONTENT)
    glance.service.get("user:owner", IMAGE_ID)
    glance.service.get(None, IMAGE_ID)
    sent = [request.headers["X-Auth-Token"] for request in glance.transport.seen]
    assert sent == [SERVICE_TOKEN, "user:owner", SERVICE_TOKEN]


def test_lost_connections_are_retried_with_growing_pauses(glance):
    glance.add(IMAGE, CONTENT)
    lost = requests.exceptions.ConnectionError("refused")
    glance.transport.failures = [lost, requests.exceptions.ConnectTimeout(), 503]
    assert glance.service.get(None, IMAGE_ID).id == IMAGE_ID
    assert glance.pauses == [0.5, 1.0, 2.0]


def test_retries_end(glance):
    glance.transport.failures = [requests.exceptions.ConnectionError("refused")] * 10
    with pytest.raises(exception.ImageServiceUnavailable):
        glance.service.get(None, IMAGE_ID)
    assert len(glance.transport.seen) == 4


def test_broken_download_starts_again(glance, tmp_path):
    found = glance.add(IMAGE, CONTENT)
    glance.transport.cut_downloads = 2
    path = tmp_path / "file"
    glance.service.download(None, found, str(path))
    assert path.read_bytes() == CONTENT


def test_download_that_breaks_for_ever_leaves_nothing(glance, tmp_path):
    found = glance.add(IMAGE, CONTENT)
    glance.transport.cut_downloads = 99
    with pytest.raises(exception.ImageServiceUnavailable, match="broken download"):
        glance.service.download(None, found, str(tmp_path / "file"))
    assert list(tmp_path.iterdir()) == []


def test_servers_are_tried_in_turn():
    glance = GlanceInMemory(servers=("http://one.test:9292/v2", "http://two.test:9292/"))
    glance.transport.documents[IMAGE_ID] = document_of(IMAGE, CONTENT)
    glance.transport.failures = [requests.exceptions.ConnectionError("down")]
    assert glance.service.get(None, IMAGE_ID).id == IMAGE_ID
    assert [request.url for request in glance.transport.seen] == [
        f"http://one.test:9292/v2/images/{IMAGE_ID}",
        f"http://two.test:9292/v2/images/{IMAGE_ID}",
    ]


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (204, exception.ImageUnacceptable),
        (400, exception.ImageServiceUnavailable),
        (401, exception.ImageServiceForbidden),
        (403, exception.ImageServiceForbidden),
        (404, exception.ImageNotFound),
        (500, exception.ImageServiceUnavailable),
    ],
)
def test_refusals_become_errors_of_ours_at_once(glance, status, error):
    glance.add(IMAGE, CONTENT)
    glance.transport.failures = [status]
    with pytest.raises(error):
        glance.service.get(None, IMAGE_ID)
    assert len(glance.transport.seen) == 2


def test_address_comes_from_the_catalogue_when_none_is_configured():
    glance = GlanceInMemory(servers=())
    glance.add(IMAGE, CONTENT)
    assert hosts(glance) == {"glance.test:9292"}


@pytest.mark.logs_errors
def test_invalid_certificate_is_not_retried(glance):
    glance.transport.failures = [requests.exceptions.SSLError("self-signed")]
    with pytest.raises(exception.ImageServiceUnavailable, match="SSL"):
        glance.service.get(None, IMAGE_ID)
    assert len(glance.transport.seen) == 1


def test_properties_are_texts_and_empty_ones_are_left_out():
    document = {**document_of(IMAGE, CONTENT), "hw_qemu_guest_agent": True, "os_distro": None}
    assert image_from_document(document).properties == {"hw_qemu_guest_agent": "True"}


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"not json"])
def test_unreadable_documents_are_a_fault_of_the_service(glance, body, monkeypatch):
    glance.add(IMAGE, CONTENT)
    monkeypatch.setattr(requests.Response, "content", body)
    with pytest.raises(exception.ImageServiceUnavailable, match="unreadable"):
        glance.service.get(None, IMAGE_ID)


@pytest.mark.parametrize("image_id", ["", "..", "a/b", "a?b", "json:{}", "x" * 256])
def test_malformed_ids_are_never_sent(glance, image_id):
    with pytest.raises(exception.ImageNotFound):
        glance.service.get(None, image_id)
    assert glance.transport.seen == []


def test_image_deactivated_meanwhile_is_not_active(glance, tmp_path):
    found = glance.add(IMAGE, CONTENT)
    glance.transport.documents[IMAGE_ID]["status"] = "deactivated"
    with pytest.raises(exception.ImageNotActive, match="deactivated"):
        glance.service.download(None, found, str(tmp_path / "file"))
