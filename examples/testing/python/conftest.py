"""One server for the whole run, and a sandbox of its own for every test."""

import json
import os
import re
import subprocess
import urllib.request

import pytest
import stripe


class Sandbox:
    """What a test has: the official client, and Cusp's own API under /cusp/v1."""

    def __init__(self, url, key):
        self.url, self.key = url, key
        self.client = stripe.StripeClient(key, base_addresses={"api": url}, max_network_retries=2)

    def open(self, method, path, body=None, content_type="application/json"):
        headers = {"Authorization": f"Bearer {self.key}"}
        if body is not None:
            headers["Content-Type"] = content_type
        request = urllib.request.Request(self.url + path, data=body, headers=headers, method=method)
        return urllib.request.urlopen(request, timeout=10)

    def cusp(self, method, path, body=None):
        with self.open(method, path, None if body is None else json.dumps(body).encode()) as reply:
            return json.load(reply)

    def load(self, path):
        with open(path, "rb") as file, self.open("POST", "/cusp/v1/fixtures", file.read(), "application/x-ndjson") as reply:
            return json.load(reply)


@pytest.fixture(scope="session")
def server():
    """Starts the server on a free port; the first line that it prints says which."""
    command = [os.environ.get("CUSP", "cusp"), "dev", "--ephemeral", "--seed", "7", "--listen", "127.0.0.1:0"]
    with subprocess.Popen([*command, "--log-level", "warn"], stdout=subprocess.PIPE, text=True) as process:
        yield process.stdout.readline().removeprefix("listening on ").strip()
        process.terminate()


@pytest.fixture
def sandbox(server, request):
    """The name of the test is the name of its sandbox: tests never meet, also when they run at the same time."""
    return Sandbox(server, "sk_test_" + re.sub(r"\W", "-", request.node.name))
