import concurrent.futures
import threading

LIMIT = 20


def test_fifty_parallel_creates_never_exceed_the_quota(new_cloud):
    cloud = new_cloud(hosts=4, threads=8, quotas={"instances": LIMIT})
    start = threading.Barrier(50)
    body = {"server": {"name": "web", "flavorRef": "1", "imageRef": cloud.image_id}}

    def create(_):
        start.wait(30)
        return cloud.rest.post("/servers", body).status_int

    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        codes = list(pool.map(create, range(50)))
    cloud.run_until_idle()
    assert sorted(codes) == [202] * LIMIT + [403] * 30
    assert cloud.usage()["instances"] == LIMIT
    listed = cloud.rest.get("/servers/detail").json["servers"]
    assert [server["status"] for server in listed] == ["ACTIVE"] * LIMIT


def test_quota_is_free_again_after_failed_and_deleted_servers(new_cloud):
    cloud = new_cloud(quotas={"instances": 2})
    for flavor in ("small", "huge", "small"):
        server = cloud.boot(flavor)
        server.delete()
    assert cloud.usage() == {"instances": 0, "cores": 0, "ram": 0}
    servers = [cloud.boot(), cloud.boot()]
    body = {"server": {"name": "web", "flavorRef": "1", "imageRef": cloud.image_id}}
    assert cloud.rest.post("/servers", body).status_int == 403
    assert [server.status for server in servers] == ["ACTIVE", "ACTIVE"]
