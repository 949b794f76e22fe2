"""The client of Glance where the contract of image services does not reach."""

import pytest
import requests

from nova import exception
from nova.image.glance_documents import image_from_document
from nova.objects.image import Image, ImageChange, ImageQuery, NewImage
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


# --- Writing


NEW = NewImage(name="snap", properties={"a": "1"})
FORMATS = ImageChange(disk_format="raw", container_format="bare")


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "contents"
    path.write_bytes(CONTENT)
    return str(path)


def queued(glance):
    made = glance.service.create("user:owner", NEW)
    glance.service.update(None, made.id, FORMATS)
    glance.transport.seen.clear()
    return made.id


def test_creation_whose_answer_was_lost_makes_one_image(glance):
    send, lost = glance.transport.send, []

    def losing(request, **options):
        answer = send(request, **options)
        if not lost:
            lost.append(request)
            raise requests.exceptions.ConnectionError("reset")
        return answer

    glance.transport.send = losing
    made = glance.service.create("user:owner", NEW)
    assert list(glance.transport.documents) == [made.id]
    assert made.properties == {"a": "1"}


def test_upload_that_breaks_is_sent_again_from_the_beginning(glance, file):
    image_id = queued(glance)
    glance.transport.failures = [requests.exceptions.ConnectionError("reset"), 503]
    glance.service.upload(None, image_id, file)
    assert glance.transport.content[image_id] == CONTENT
    assert glance.pauses == [0.5, 1.0]


def test_upload_whose_answer_was_lost_is_noticed(glance, file):
    image_id = queued(glance)
    send, lost = glance.transport.send, []

    def losing(request, **options):
        answer = send(request, **options)
        if request.method == "PUT" and not lost:
            lost.append(request)
            raise requests.exceptions.ConnectionError("reset")
        return answer

    glance.transport.send = losing
    glance.service.upload(None, image_id, file)
    assert glance.transport.documents[image_id]["size"] == len(CONTENT)


def test_upload_waits_for_an_earlier_one_that_goes_on(glance, file):
    image_id = queued(glance)
    glance.transport.documents[image_id]["status"] = "saving"
    with pytest.raises(exception.ImageServiceUnavailable, match="earlier upload"):
        glance.service.upload(None, image_id, file)
    assert len(glance.pauses) == 3


def test_upload_is_never_sent_again_from_the_end_of_the_file(glance, file):
    """A token that has expired must not make an image without contents."""
    image_id = queued(glance)
    glance.transport.failures = [401]
    with pytest.raises(exception.ImageServiceForbidden):
        glance.service.upload(None, image_id, file)
    assert image_id not in glance.transport.content
    assert [request.method for request in glance.transport.seen] == ["PUT"]


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, exception.ImageUnacceptable),
        (403, exception.ImageServiceForbidden),
        (409, exception.ImageBusy),
        (413, exception.ImageQuotaExceeded),
        (500, exception.ImageServiceUnavailable),
    ],
)
def test_refused_writes_become_errors_of_ours(glance, status, error):
    image_id = queued(glance)
    glance.transport.failures = [status]
    with pytest.raises(error):
        glance.service.update(None, image_id, FORMATS)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_img_19_writes_follow_no_redirects(glance, file, status):
    image_id = queued(glance)
    glance.transport.headers = {"Location": "http://attacker.test/v2/images"}
    for write in (
        lambda: glance.service.create("user:owner", NEW),
        lambda: glance.service.update("user:owner", image_id, FORMATS),
        lambda: glance.service.upload("user:owner", image_id, file),
        lambda: glance.service.delete("user:owner", image_id),
        lambda: glance.service.page("user:owner", ImageQuery()),
    ):
        glance.transport.failures = [status]
        with pytest.raises(exception.ImageServiceUnavailable, match="redirects"):
            write()
    assert hosts(glance) == {"glance.test:9292"}


def test_small_pages_of_glance_are_joined(glance):
    glance.transport.largest_page = 2
    made = [glance.service.create("user:owner", NEW).id for _ in range(5)][::-1]
    glance.transport.seen.clear()
    found = glance.service.page("user:owner", ImageQuery(limit=5))
    assert [image.id for image in found] == made
    assert len(glance.transport.seen) == 3
    assert [image.id for image in glance.service.page("user:owner", ImageQuery(limit=3))] == (
        made[:3]
    )
