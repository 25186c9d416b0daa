"""An API server as clients from outside find it, asked by HTTP in this process."""

from kubemini.apiserver.decide.access.users import UserInfo
from kubemini.apiserver.http import Exchange, HttpRequest
from tests.oracles.sessions.world import Inside

ADMIN = "admintoken"


class Outside:
    """A client of a server of its own."""

    def __init__(self):
        self.inside = Inside()
        self.server = self.inside.server

    def begin(self, method, target, body=b"", token=ADMIN, certificate=None, **headers):
        """Send a request: the list that its answer will be in."""
        said = {name.replace("_", "-"): value for name, value in headers.items()}
        pairs = [(name, one) for name, value in said.items() for one in ([value] if isinstance(value, str) else value)]
        pairs += [("Authorization", f"Bearer {token}")] if token else []
        answers = []
        self.last = Exchange(self.server, HttpRequest(method, target, tuple(pairs), body, certificate), answers.append)
        return answers

    def ask(self, method, target, body=b"", token=ADMIN, certificate=None, **headers):
        """The answer to a request."""
        answers = self.begin(method, target, body, token, certificate, **headers)
        self.inside.until(lambda: answers)
        return answers[0]

    def parts(self, method, target, body=b"", **headers):
        """Status, headers and body of the answer, a stream's as far as it goes in two seconds."""
        found = self.ask(method, target, body, **headers)
        if isinstance(found.body, bytes):
            return found.status, found.headers, found.body
        self.inside.sleep(2)
        return found.status, found.headers, b"".join(iter(found.body.read, None))


def header(answer, name):
    """The value of a header, or None."""
    return dict(answer.headers).get(name)


NODE = UserInfo("system:node:n1", ("system:nodes",))
