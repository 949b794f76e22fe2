"""The metadata service towards guests and proxies."""

import datetime
import hashlib
import hmac
import json
import logging

import pytest
from oslo_config import cfg

from nova import config, exception
from nova.api.metadata import opts
from nova.api.metadata.handler import HandlerSettings, MetadataHandler
from nova.api.metadata.identify import ProxySettings, proxy_settings
from nova.api.metadata.request import MetadataRequest
from nova.api.metadata.vendordata import DynamicVendorData, Target, VendorDataSettings
from tests.fixtures.guests import make_guest

SECRET = "proxy secret"


class Conductor:
    """Knows guests by address and counts the questions."""

    def __init__(self, **guests):
        self.guests = {name.replace("_", "."): guest for name, guest in guests.items()}
        self.questions = 0
        self.passwords = {}

    def find_by_address(self, context, address):
        self.questions += 1
        return self.guests.get(address)

    def find_by_instance(self, context, instance_uuid):
        self.questions += 1
        return next((g for g in self.guests.values() if g.instance.uuid == instance_uuid), None)

    def set_password(self, context, instance_uuid, password):
        if instance_uuid in self.passwords:
            return False
        self.passwords[instance_uuid] = password
        return True


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


class Service:
    """A metadata handler with its surroundings."""

    def __init__(self, conductor, vendor=None, **settings):
        self.clock = Clock()
        self.conductor = conductor
        self.handler = MetadataHandler(
            conductor,
            HandlerSettings(**settings),
            vendor or DynamicVendorData(VendorDataSettings(), None, self.clock),
            self.clock,
            lambda: datetime.date(2019, 1, 1),
        )

    def get(self, path, peer="10.0.0.3", **headers):
        return self.send("GET", path, peer, b"", headers)

    def send(self, method, path, peer="10.0.0.3", body=b"", headers=None):
        names = {name.replace("_", "-"): value for name, value in (headers or {}).items()}
        return self.handler.handle(
            MetadataRequest(method=method, path=path, peer=peer, headers=names, body=body)
        )


def guest_at(address="10_0_0_3", **fields):
    return Conductor(**{address: make_guest(**fields)})


def sign(instance_uuid, secret=SECRET):
    return hmac.new(secret.encode(), instance_uuid.encode(), hashlib.sha256).hexdigest()


def test_lists_versions_without_looking_up_the_guest():
    service = Service(Conductor())
    assert service.get("/").body.splitlines()[0] == b"1.0"
    assert service.get("/openstack").body.splitlines()[-2:] == [b"2018-08-27", b"latest"]
    assert service.conductor.questions == 0


@pytest.mark.parametrize(
    "path",
    [
        "/latest/meta-data/hostname",
        "/ec2/latest/meta-data/hostname",
        "//latest/meta-data/hostname/",
    ],
)
def test_paths_are_normalised(path):
    assert Service(guest_at()).get(path).body == b"web.novalocal"


def test_directories_are_listed():
    body = Service(guest_at()).get("/latest/").body
    assert body == b"meta-data/"


def test_json_documents_say_so():
    answer = Service(guest_at()).get("/openstack/latest/meta_data.json")
    assert answer.content_type.startswith("application/json")
    assert json.loads(answer.body)["name"] == "web"


@pytest.mark.parametrize(
    "path",
    [
        "/nonsense",
        "/latest/nonsense",
        "/latest/meta-data/nonsense/more",
        "/openstack/1999-01-01/meta_data.json",
        "/openstack/content",
        "/openstack/content/0000",
        "/latest/../latest",
    ],
)
def test_unknown_paths_are_not_found(path):
    assert Service(guest_at()).get(path).status == 404


def test_unknown_guests_are_not_found():
    assert Service(Conductor()).get("/latest/meta-data/").status == 404


def test_other_methods_are_refused():
    answer = Service(guest_at()).send("PUT", "/latest/meta-data/hostname")
    assert (answer.status, answer.headers["Allow"]) == (405, "GET")


@pytest.mark.parametrize("signature", ["", "0", "short", "ü", "f" * 64, sign("x", "other")])
def test_md_01_wrong_signatures_are_refused(signature):
    conductor = guest_at()
    uuid = conductor.guests["10.0.0.3"].instance.uuid
    service = Service(conductor, proxy=ProxySettings(shared_secret=SECRET))
    answer = service.get(
        "/latest/meta-data/",
        x_instance_id=uuid,
        x_tenant_id="demo",
        x_instance_id_signature=signature,
    )
    assert answer.status in (400, 403)
    assert conductor.questions == 0


def test_md_06_the_shared_secret_is_marked_and_masked_in_dumps(caplog):
    caplog.set_level(logging.DEBUG)
    conf = cfg.ConfigOpts()
    conf.register_opts(opts.OPTS["neutron"], group="neutron")
    conf([], default_config_files=[], default_config_dirs=[])
    conf.set_override("metadata_proxy_shared_secret", SECRET, group="neutron")
    config.dump(conf, logging.getLogger("dump"))
    assert "metadata_proxy_shared_secret" in caplog.text
    assert SECRET not in caplog.text


@pytest.mark.parametrize("missing", ["x_instance_id", "x_tenant_id", "x_instance_id_signature"])
def test_md_01_missing_headers_are_refused(missing):
    service = Service(guest_at(), proxy=ProxySettings(shared_secret=SECRET))
    headers = {
        "x_instance_id": "u",
        "x_tenant_id": "demo",
        "x_instance_id_signature": sign("u"),
    }
    del headers[missing]
    assert service.get("/latest/meta-data/", **headers).status == 400


def test_md_01_an_empty_secret_refuses_to_start():
    with pytest.raises(exception.ConfigurationError):
        proxy_settings(
            service_metadata_proxy=True,
            shared_secret="",
            use_forwarded_for=False,
            trusted_proxies=(),
        )


@pytest.mark.parametrize(("project", "status"), [("demo", 200), ("attacker", 404)])
def test_md_02_instance_and_project_must_belong_together(project, status):
    conductor = guest_at()
    uuid = conductor.guests["10.0.0.3"].instance.uuid
    service = Service(conductor, proxy=ProxySettings(shared_secret=SECRET))
    answer = service.get(
        "/latest/meta-data/",
        x_instance_id=uuid,
        x_tenant_id=project,
        x_instance_id_signature=sign(uuid),
    )
    assert answer.status == status


def test_md_03_forwarded_addresses_of_strangers_are_ignored():
    conductor = Conductor(
        **{"10_0_0_3": make_guest(hostname="mine"), "10_0_0_4": make_guest(hostname="victim")}
    )
    service = Service(conductor)
    answer = service.get("/latest/meta-data/hostname", x_forwarded_for="10.0.0.4")
    assert answer.body == b"mine.novalocal"


@pytest.mark.parametrize(
    ("header", "name"),
    [("10.0.0.4", b"victim"), ("10.0.0.4, 10.0.0.3", b"mine"), ("10.0.0.3, 10.0.0.4", b"victim")],
)
def test_md_03_of_a_listed_proxy_only_the_last_hop_counts(header, name):
    conductor = Conductor(
        **{"10_0_0_3": make_guest(hostname="mine"), "10_0_0_4": make_guest(hostname="victim")}
    )
    service = Service(conductor, proxy=ProxySettings(trusted_proxies=frozenset({"192.0.2.1"})))
    answer = service.get("/latest/meta-data/hostname", peer="192.0.2.1", x_forwarded_for=header)
    assert answer.body == name + b".novalocal"


def test_md_04_a_given_back_address_is_forgotten_at_once():
    conductor = guest_at(hostname="former")
    service = Service(conductor)
    assert service.get("/latest/meta-data/hostname").body == b"former.novalocal"
    conductor.guests["10.0.0.3"] = make_guest(hostname="new")
    service.handler.cache.forget(("10.0.0.3",))
    assert service.get("/latest/meta-data/hostname").body == b"new.novalocal"


def test_md_04_an_answer_that_was_on_its_way_while_forgetting_is_not_kept():
    conductor = guest_at(hostname="former")
    service = Service(conductor)
    find = conductor.find_by_address

    def find_while_forgotten(context, address):
        guest = find(context, address)
        service.handler.cache.forget((address,))
        return guest

    conductor.find_by_address = find_while_forgotten
    service.get("/latest/meta-data/hostname")
    conductor.find_by_address = find
    conductor.guests["10.0.0.3"] = make_guest(hostname="new")
    assert service.get("/latest/meta-data/hostname").body == b"new.novalocal"


def test_md_07_repeated_requests_ask_the_conductor_once():
    service = Service(guest_at())
    for _ in range(50):
        assert service.get("/latest/meta-data/hostname").status == 200
    assert service.conductor.questions == 1
    service.clock.now += 16
    service.get("/latest/meta-data/hostname")
    assert service.conductor.questions == 2


def test_md_07_unknown_guests_are_asked_for_once_a_second():
    service = Service(Conductor())
    for _ in range(50):
        service.get("/latest/meta-data/hostname")
    assert service.conductor.questions == 1


def test_md_07_a_flooding_guest_is_limited_and_others_are_not():
    conductor = Conductor(**{"10_0_0_3": make_guest(), "10_0_0_4": make_guest()})
    service = Service(conductor, rate_limit=10)
    flood = [service.get("/latest/meta-data/hostname").status for _ in range(1000)]
    assert flood.count(200) == 40
    assert flood[-1] == 429
    assert service.get("/latest/meta-data/hostname", peer="10.0.0.4").status == 200
    service.clock.now += 1
    assert service.get("/latest/meta-data/hostname").status == 200


@pytest.mark.parametrize("path", ["/" + "a" * 2000, "/latest" + "/a" * 20])
def test_md_07_long_and_deep_paths_cost_nothing(path):
    service = Service(guest_at())
    assert service.get(path).status == 404
    assert service.conductor.questions == 0


def test_md_08_the_password_can_be_posted_once():
    service = Service(guest_at())
    assert service.send("POST", "/openstack/latest/password", body=b"opaque").status == 200
    assert service.send("POST", "/openstack/latest/password", body=b"other").status == 409
    assert list(service.conductor.passwords.values()) == ["opaque"]


@pytest.mark.parametrize("body", [b"x" * 1021, b"\xff\xfe"])
def test_md_08_unfit_passwords_are_refused(body):
    service = Service(guest_at())
    assert service.send("POST", "/openstack/latest/password", body=body).status == 400
    assert service.conductor.passwords == {}


def test_md_08_other_verbs_are_refused():
    assert Service(guest_at()).send("PUT", "/openstack/latest/password").status == 400


class Answer:
    def __init__(self, status_code=200, chunks=(b"{}",), clock=None, each_s=0.0):
        self.status_code = status_code
        self._chunks = chunks
        self._clock = clock
        self._each_s = each_s

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        return None

    def iter_content(self, size):
        for chunk in self._chunks:
            if self._clock:
                self._clock.now += self._each_s
            yield chunk


class Session:
    def __init__(self, answer):
        self.answer = answer
        self.sent = []

    def post(self, url, **kwargs):
        self.sent.append((url, kwargs))
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


def vendor(answer, clock, fatal=False):
    session = Session(answer)
    targets = (Target(name="net", url="https://vendor.example/"),)
    settings = VendorDataSettings(targets=targets, failure_fatal=fatal)
    return DynamicVendorData(settings, session, clock), session


def test_md_10_answers_appear_under_their_name_without_redirects_or_tokens():
    dynamic, session = vendor(Answer(chunks=(b'{"rack": 7}',)), Clock())
    answer = Service(guest_at(), dynamic).get("/openstack/latest/vendor_data2.json")
    assert json.loads(answer.body) == {"net": {"rack": 7}}
    (_, sent) = session.sent[0]
    assert sent["redirect"] is False
    assert sent["authenticated"] is False
    assert sent["timeout"] == (5, 5)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(status_code=302),
        Answer(status_code=500),
        Answer(chunks=(b"not json",)),
        Answer(chunks=(b"[1]",)),
        Answer(chunks=[b"x" * 16384] * 100),
        OSError("refused"),
    ],
)
def test_md_10_failures_leave_the_part_empty(answer):
    dynamic, _ = vendor(answer, Clock())
    body = Service(guest_at(), dynamic).get("/openstack/latest/vendor_data2.json").body
    assert json.loads(body) == {"net": {}}


def test_md_10_a_dribbling_answer_is_cut_off():
    clock = Clock()
    dynamic, _ = vendor(Answer(chunks=[b" "] * 1000, clock=clock, each_s=1.0), clock)
    assert dynamic.collect(make_guest()) == {"net": {}}
    assert clock.now - 1000 < 10


def test_md_10_fatal_failures_answer_503():
    dynamic, _ = vendor(OSError("refused"), Clock(), fatal=True)
    assert Service(guest_at(), dynamic).get("/openstack/latest/vendor_data2.json").status == 503
