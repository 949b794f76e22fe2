"""Chooses the HTTP server that goes with the concurrency."""

import importlib
import socket

from nova import concurrency
from nova.wsgi import App, HttpServer, HttpSettings, ThreadServer


def make_server(settings: HttpSettings, app: App, listener: socket.socket) -> HttpServer:
    """Return a server, not yet started, on a socket that listens."""
    if concurrency.is_green():
        green = importlib.import_module("nova.cmd.green_http")
        server: HttpServer = green.GreenServer(settings, app, listener)
        return server
    return ThreadServer(settings, app, listener)
