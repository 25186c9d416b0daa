"""A `kubemini serve` of a test's own, and a client of it that knows nothing but HTTP."""

import base64
import contextlib
import http.client
import json
import re
import socket
import ssl
import subprocess
import sys
from dataclasses import dataclass
from urllib.parse import urlsplit

import yaml

CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
TOKENS = 'roottoken,root,1,"system:masters"\ndevtoken,dev,2,"developers"\n'
LONG = 120  # seconds: what will come for certain may take long on a busy machine


@dataclass
class Answer:
    """What came back."""

    code: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)


class Served:
    """One running door; *folder* holds its kubeconfig."""

    def __init__(self, folder, *arguments, tokens=TOKENS):
        self.kubeconfig = folder / "kubeconfig"
        (folder / "tokens.csv").write_text(tokens)
        words = ["--kubeconfig", str(self.kubeconfig), "--token-auth-file", str(folder / "tokens.csv"), *arguments]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "kubemini", "serve", *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.line = self.process.stdout.readline()
        assert self.line, "it ended before it answered"
        self.config = yaml.safe_load(self.kubeconfig.read_text())
        self.doors = {one["name"]: one["cluster"]["server"] for one in self.config["clusters"]}
        self.url = next(iter(self.doors.values()))
        user = self.config["users"][0]["user"]
        self.ca = base64.b64decode(self.config["clusters"][0]["cluster"]["certificate-authority-data"]).decode()
        self.pair = folder / "admin.pem"
        self.pair.write_bytes(
            b"".join(base64.b64decode(user[f"client-{part}-data"]) for part in ("certificate", "key"))
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait()
        self.process.stdout.close()

    def type(self, line):
        """A line on its standard input, and the line that it says."""
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline()

    # -- clients ---------------------------------------------------------------------------------------------------
    def tls(self, certificate=True):
        """What a client believes, and shows."""
        context = ssl.create_default_context(cadata=self.ca)
        if certificate:
            context.load_cert_chain(self.pair)
        return context

    def connect(self, door="", certificate=True):
        """A connection to a door, the first if none is named."""
        url = urlsplit(self.doors[door] if door else self.url)
        return http.client.HTTPSConnection(url.hostname, url.port, timeout=LONG, context=self.tls(certificate))

    def ask(self, path, method="GET", body=None, headers=None, door="", certificate=True):
        """One request on a connection of its own."""
        with contextlib.closing(self.connect(door, certificate)) as connection:
            sent = {"Content-Type": "application/json", **(headers or {})}
            connection.request(method, path, None if body is None else json.dumps(body), sent)
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())

    def say(self, data, certificate=True):
        """Raw bytes over TLS: all that comes back until the door closes, or is silent."""
        url = urlsplit(self.url)
        plain, heard = socket.create_connection((url.hostname, url.port), LONG), b""
        with (
            self.tls(certificate).wrap_socket(plain, server_hostname="localhost") as tls,
            contextlib.suppress(ConnectionError, ssl.SSLError),
        ):
            tls.sendall(data)
            while more := tls.recv(65536):
                heard += more
        return heard

    def plain(self):
        """A TCP connection that says nothing."""
        url = urlsplit(self.url)
        return socket.create_connection((url.hostname, url.port), LONG)

    def watch(self, path, door=""):
        """A watch that has begun."""
        connection = self.connect(door)
        connection.request("GET", path + "?watch=1")
        response = connection.getresponse()
        assert response.status == 200
        return response


def config_map(name, **data):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def events(response, number):
    """The next *number* events of a watch: (type, name)."""
    found = [json.loads(response.readline()) for _ in range(number)]
    return [(event["type"], event["object"]["metadata"]["name"]) for event in found]


def port_of(line):
    return int(re.search(r":(\d+) answers", line)[1])
