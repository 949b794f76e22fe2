"""An image service with one image, which is enough where hypervisors are fake.

Speaks the part of the v2 API that a compute controller reads: python3 static_image_service.py
PORT.  Loopback only; every token is believed.
"""

from __future__ import annotations

import hashlib
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

IMAGE_ID = "5b0e1b8a-3f0c-4d6e-9a49-3a1c5d1f0b62"
CONTENT = bytes(1024 * 1024)
DOCUMENT = {
    "id": IMAGE_ID,
    "name": "benchmark",
    "status": "active",
    "visibility": "public",
    "protected": False,
    "os_hidden": False,
    "owner": "benchmark",
    "disk_format": "raw",
    "container_format": "bare",
    "size": len(CONTENT),
    "virtual_size": len(CONTENT),
    "min_disk": 0,
    "min_ram": 0,
    "checksum": hashlib.md5(CONTENT, usedforsecurity=False).hexdigest(),
    "os_hash_algo": "sha512",
    "os_hash_value": hashlib.sha512(CONTENT).hexdigest(),
    "created_at": "2020-01-01T00:00:00Z",
    "updated_at": "2020-01-01T00:00:00Z",
    "tags": [],
    "self": f"/v2/images/{IMAGE_ID}",
    "file": f"/v2/images/{IMAGE_ID}/file",
    "schema": "/v2/schemas/image",
}


class Handler(BaseHTTPRequestHandler):
    """Answers GET of the image and of its bytes."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def do_GET(self) -> None:
        """Answer."""
        if self.path == f"/v2/images/{IMAGE_ID}":
            self._answer(200, "application/json", json.dumps(DOCUMENT).encode())
        elif self.path == f"/v2/images/{IMAGE_ID}/file":
            self._answer(200, "application/octet-stream", CONTENT)
        else:
            self._answer(404, "text/plain", b"There is no such image.\n")

    def _answer(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing about requests."""


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
