"""A raw HTTP/1.1 client: what is written to the socket is what the test says,
broken or not.  One connection, one request."""

import base64
import json
import select
import selectors
import socket
import time
import urllib.parse

TIMEOUT_SECONDS = 15        # nginx's lingering_timeout is 5 s
HALF_CLOSE_SECONDS = 0.02


class Response:
    """status, headers (pairs, in order), body; status 0: the server sent nothing."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def all(self, name):
        return [v for n, v in self.headers if n.lower() == name.lower()]

    def get(self, name):
        values = self.all(name)
        return values[0] if values else None

    def names(self):
        """Of the headers that the answer has; how it is framed is between the web server and us."""
        return [n for n, _ in self.headers if n.lower() not in ("connection", "keep-alive", "transfer-encoding", "content-length")]

    @property
    def text(self):
        return self.body.decode("utf-8", "replace")

    def json(self):
        return json.loads(self.body)

    @property
    def location(self):
        return self.get("Location")

    def query(self):
        """Parameters of the Location, each of which must be there once."""
        pairs = urllib.parse.parse_qsl(urllib.parse.urlsplit(self.location or "").query, keep_blank_values=True)
        names = [n for n, _ in pairs]
        assert len(names) == len(set(names)), f"repeated parameter in {self.location}"
        return dict(pairs)

    def __repr__(self):
        return f"<{self.status} {self.headers} {self.body[:400]!r}>"


def build(method, target, headers=(), body=None):
    """Octets of a request.  Content-Length is added for a body, unless given."""
    lines = [f"{method} {target} HTTP/1.1"]
    names = [n.lower() for n, _ in headers]
    lines += [f"{n}: {v}" for n, v in headers]
    if body is not None and "content-length" not in names and "transfer-encoding" not in names:
        lines.append(f"Content-Length: {len(body)}")
    lines += ["Connection: close", "", ""]
    return "\r\n".join(lines).encode("utf-8", "surrogateescape") + (body or b"")


def exchange(address, octets, half_close=False, timeout=TIMEOUT_SECONDS, wrap=lambda s: s, head_only=False):
    """Send octets, read to the end of the connection, or of the first head; wrap can put
    TLS around it."""
    answer = b""
    with wrap(socket.create_connection(address, timeout)) as s:
        s.settimeout(timeout)
        try:
            s.sendall(octets)
            if half_close:
                select.select([s], [], [], HALF_CLOSE_SECONDS)
                s.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError):
            pass        # it has answered before it has read everything
        try:
            while chunk := s.recv(65536):
                answer += chunk
                if head_only and b"\r\n\r\n" in answer:
                    break
        except ConnectionResetError:
            pass
    return answer


def together(address, requests, timeout=60):
    """Send many requests at once: all but the last octet of each, then all last
    octets.  Their answers, in the same order."""
    sockets = []
    for octets in requests:
        s = socket.create_connection(address, timeout)
        s.sendall(octets[:-1])
        sockets.append(s)
    for s, octets in zip(sockets, requests):
        s.sendall(octets[-1:])
    answers, open_sockets = [b""] * len(sockets), len(sockets)
    end = time.monotonic() + timeout
    with selectors.DefaultSelector() as selector:
        for i, s in enumerate(sockets):
            selector.register(s, selectors.EVENT_READ, i)
        while open_sockets and time.monotonic() < end:
            for key, _ in selector.select(1):
                try:
                    chunk = key.fileobj.recv(65536)
                except ConnectionResetError:
                    chunk = b""
                answers[key.data] += chunk
                if not chunk:
                    selector.unregister(key.fileobj)
                    key.fileobj.close()
                    open_sockets -= 1
    for s in sockets:
        s.close()
    return [parse(a) for a in answers]


def _unchunk(data):
    out = b""
    while data:
        size, _, data = data.partition(b"\r\n")
        n = int(size.split(b";")[0], 16)
        if n == 0:
            break
        out, data = out + data[:n], data[n + 2:]
    return out


def parse(raw):
    head, _, body = raw.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1."):
        return Response(0, [], raw)
    lines = head.decode("latin-1").split("\r\n")
    headers = [tuple(part.strip() for part in line.split(":", 1)) for line in lines[1:]]
    response = Response(int(lines[0].split()[1]), headers, body)
    if (response.get("Transfer-Encoding") or "").lower() == "chunked":
        response.body = _unchunk(body)
    return response


def form(parameters):
    """application/x-www-form-urlencoded; a mapping or pairs; None is left out."""
    pairs = parameters.items() if hasattr(parameters, "items") else parameters
    return urllib.parse.urlencode([(k, v) for k, v in pairs if v is not None], quote_via=urllib.parse.quote, safe="")


def base64_octets(text):
    """base64url, with or without padding."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
