"""A raw FastCGI client, and endpoints that a test starts for itself.

The client speaks FastCGI 1.0 as a web server would, or worse.  An Endpoint is one
program with a listening socket on descriptor 0, started and stopped by the test."""

import os
import pathlib
import signal
import socket
import struct
import subprocess
import time

from .wire import Response

BEGIN, ABORT, END, PARAMS, STDIN, STDOUT, STDERR = 1, 2, 3, 4, 5, 6, 7
RESPONDER, AUTHORIZER = 1, 2
KEEP_CONNECTION = 1


def record(kind, content=b"", request_id=1):
    return struct.pack("!BBHHBB", 1, kind, request_id, len(content), 0, 0) + content


def length(n):
    return bytes([n]) if n < 128 else struct.pack("!I", n | 0x80000000)


def pair(name, value):
    name, value = (x if isinstance(x, bytes) else x.encode() for x in (name, value))
    return length(len(name)) + length(len(value)) + name + value


def stream(kind, content):
    """Records of a stream, with its end."""
    out = b"".join(record(kind, content[i:i + 65535]) for i in range(0, len(content), 65535))
    return out + record(kind)


def begin(role=RESPONDER, flags=0):
    return record(BEGIN, struct.pack("!HB5x", role, flags))


def request(variables, body=b"", role=RESPONDER, flags=0):
    pairs = variables.items() if hasattr(variables, "items") else variables
    return begin(role, flags) + stream(PARAMS, b"".join(pair(n, v) for n, v in pairs)) + stream(STDIN, body)


def variables(method, target, headers=None, body=b""):
    """What a web server would say of a request."""
    out = {
        "REQUEST_METHOD": method, "REQUEST_URI": target, "QUERY_STRING": target.partition("?")[2],
        "SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": "127.0.0.1",
    }
    if body:
        out["CONTENT_LENGTH"] = str(len(body))
        out["CONTENT_TYPE"] = "application/x-www-form-urlencoded"
    for name, value in (headers or {}).items():
        variable = name.upper().replace("-", "_")
        out[variable if variable in ("CONTENT_TYPE", "CONTENT_LENGTH") else "HTTP_" + variable] = value
    return out


def response(cgi):
    """A CGI reply (RFC 3875 section 6) as an HTTP response."""
    head, _, body = cgi.partition(b"\r\n\r\n")
    headers = [tuple(p.strip() for p in line.split(":", 1)) for line in head.decode("latin-1").split("\r\n") if ":" in line]
    status = [v for n, v in headers if n.lower() == "status"]
    return Response(int(status[0].split()[0]) if status else 0,
                    [h for h in headers if h[0].lower() != "status"], body)


def records(octets):
    """Complete records in octets: (kind, content)."""
    out = []
    while len(octets) >= 8:
        _, kind, _, n, padding, _ = struct.unpack("!BBHHBB", octets[:8])
        if len(octets) < 8 + n + padding:
            break
        out.append((kind, octets[8:8 + n]))
        octets = octets[8 + n + padding:]
    return out


def read_to_end(s):
    """Until the peer closes.  That it does not within the time is an error."""
    octets = b""
    try:
        while chunk := s.recv(65536):
            octets += chunk
    except ConnectionResetError:
        pass
    return octets


class Endpoint:
    """One endpoint program on a socket of the test's own."""

    def __init__(self, directory, program, config, workers=1, environment=None):
        self.path = os.path.join(directory, f"t{os.getpid()}-{time.monotonic_ns() % 10**9}.sock")
        self.log = pathlib.Path(self.path[:-5] + ".log")
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(self.path)
        os.chmod(self.path, 0o600)
        listener.listen(1024)
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [str(program), "--workers", str(workers)], stdin=listener, stdout=log, stderr=log,
                env={"POSTERN_CONFIG": str(config), "PATH": os.environ["PATH"], **(environment or {})}, start_new_session=True)
        listener.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        """The exit status of the parent, after SIGTERM."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(8)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        if os.path.exists(self.path):
            os.unlink(self.path)
        return self.process.returncode

    def workers(self):
        """Process ids of the live workers."""
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in children.read_text().split()]

    def connect(self, timeout=10):
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(timeout)
        s.connect(self.path)
        return s

    def raw(self, octets, timeout=10, half_close=True):
        """Send octets, read to the end: everything that came back."""
        with self.connect(timeout) as s:
            try:
                s.sendall(octets)
                if half_close:
                    s.shutdown(socket.SHUT_WR)
            except (BrokenPipeError, ConnectionResetError):
                pass
            return read_to_end(s)

    def __call__(self, method, target, headers=None, body=b"", extra=None, role=RESPONDER, timeout=10):
        """A request as a web server would make it; status 0: no reply."""
        names = variables(method, target, headers, body)
        names.update(extra or {})
        octets = self.raw(request(names, body, role), timeout, half_close=False)
        return response(b"".join(c for k, c in records(octets) if k == STDOUT))

    def requests_logged(self):
        return self.log.read_text(errors="replace").count(" status=")
