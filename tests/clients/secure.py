"""The bed of the clients: the database of a demo, and with it endpoints and an nginx
that speak TLS, so that every library runs as strict as it comes.

    issuer  https://localhost:PORT, and the demo's path if it has one
    Drive   https://127.0.0.1:PORT        an address, because few resolvers know drive.localhost

nginx's configuration is the demo's (conf/nginx.conf) with other names and a certificate.
While this bed exists, issuer and resource have these names in the database.  The demo's
own endpoints asked for theirs when they connected, and are left alone."""

import contextlib
import hashlib
import os
import pathlib
import re
import shutil
import ssl
import subprocess
import tempfile
import time

from lib import wire
from lib.bed import Bed
from lib.demo import Demo, free_port

START_SECONDS = 20
STOP_SECONDS = 20

SECRET = "only-for-tests-" + "x" * 32
CALLBACK = "https://app.example/callback"
SIGNED_OUT = "https://app.example/signed-out"

CLIENTS = {     # client_id: its row, beside name and secret
    # An app on a server.  What its row does not say is as OpenID Connect has it: RS256.
    "wiki": {"redirect_uris": [CALLBACK], "scope": "openid profile email files.read files.write",
             "grant_types": ["authorization_code", "refresh_token"], "post_logout_redirect_uris": [SIGNED_OUT]},
    "wiki-post": {"redirect_uris": [CALLBACK], "scope": "openid profile files.read", "token_endpoint_auth_method": "client_secret_post",
                  "id_token_signed_response_alg": "ES256"},
    # A program on somebody's desk: public, answered on a port that is free at the time (RFC 8252).
    "desktop": {"redirect_uris": ["http://127.0.0.1/callback"], "scope": "openid profile files.read offline_access",
                "grant_types": ["authorization_code", "refresh_token"], "token_endpoint_auth_method": "none",
                "id_token_signed_response_alg": "ES256"},
    # A program with no person behind it.
    "nightly": {"grant_types": ["client_credentials"], "response_types": [], "scope": "files.read files.write"},
    # Drive, when it asks what a token is worth.
    "drive-server": {"grant_types": [], "response_types": []},
}


class SecureBed(Bed):
    def __init__(self, directory, temporary):
        super().__init__("nginx", directory)    # only the name of it; path and port come from the directory
        self.temporary, self.processes, self.registered = pathlib.Path(temporary), [], []
        self.plain = self.issuer, self.drive
        self.port = free_port()
        self.address = ("127.0.0.1", self.port)
        self.origin = f"https://localhost:{self.port}"
        self.issuer = self.origin + self.path
        self.drive = f"https://127.0.0.1:{self.port}"
        # A single-page app: of the issuer's site as cookies see it, and of another.
        self.near, self.far = f"https://localhost:{free_port()}", f"https://spa.localhost:{free_port()}"
        self.certificate = self.temporary / "certificate.pem"
        self.key = self.temporary / "key.pem"

    # --- start and stop -------------------------------------------------

    def start(self):
        self._make_certificate()
        self.tls = ssl.create_default_context(cafile=str(self.certificate))
        self._rename(self.issuer, self.drive)
        for client_id, row in CLIENTS.items():
            self.register(client_id, **row)
        self.register("spa", redirect_uris=[app + page for app in (self.near, self.far) for page in ("/", "/silent.html")],
                      post_logout_redirect_uris=[self.near + "/signed-out", self.far + "/signed-out"], scope="openid profile email files.read",
                      grant_types=["authorization_code", "refresh_token"], token_endpoint_auth_method="none", id_token_signed_response_alg="ES256")
        self.db("UPDATE postern.resource SET client_id = 'drive-server' WHERE name = 'Drive'")
        self._start_servers()
        wait_until(self._answers, self.processes, self.temporary / "output")

    def _start_servers(self):
        configuration = self._configuration()
        (self.temporary / "nginx.conf").write_text(configuration)
        endpoints = sorted(set(re.findall(rf'"unix:{self.temporary}/(\w+)\.sock"', configuration)))
        commands = [["spawn-fcgi", "-n", "-s", self.temporary / f"{name}.sock", "-M", "0600", "-b", "1024", "--", self.programs / name] for name in endpoints]
        user = " user root;" if os.geteuid() == 0 else ""
        commands.append(["nginx", "-e", self.temporary / "nginx.log", "-g", "daemon off;" + user, "-c", self.temporary / "nginx.conf"])
        for command in commands:
            self.processes.append(serve(command, self.temporary / "output", POSTERN_CONFIG=self.config))

    def stop(self):
        stop(*reversed(self.processes))
        self._rename(*self.plain)
        self.db("UPDATE postern.resource SET client_id = 't-drive' WHERE name = 'Drive'")
        self.db("DELETE FROM postern.client WHERE client_id = ANY ({})", self.registered)
        self.close()

    def _answers(self):
        return self.get("/.well-known/openid-configuration").json()["issuer"] == self.issuer

    def _make_certificate(self):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                        "-addext", "subjectAltName=DNS:localhost,DNS:*.localhost,IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE", "-keyout", self.key, "-out", self.certificate],
                       check=True, capture_output=True)

    def _configuration(self):
        """The demo's nginx.conf for other names, a port of its own, and TLS."""
        text = pathlib.Path(self.env["DEMO_DIR"], "nginx.conf").read_text()
        for old, new in zip(self.plain, (self.issuer, self.drive)):
            text = text.replace(old, new)
        for directory in (self.run, self.env["DEMO_LOGDIR"], self.env["DEMO_DIR"] + "/tmp"):
            text = text.replace(directory + "/", f"{self.temporary}/")
        text = re.sub(r"\bserver_name +drive\.localhost;", "server_name 127.0.0.1;", text)
        text = re.sub(rf"\blisten 127\.0\.0\.1:{self.env['PORT']}\b", f"listen 127.0.0.1:{self.port} ssl", text)
        return re.sub(r"^http \{$", f'http {{\n\tssl_certificate "{self.certificate}";\n\tssl_certificate_key "{self.key}";', text, flags=re.M)

    def _rename(self, issuer, drive):
        self.db("UPDATE postern.issuer SET url = {}", issuer)
        self.db("UPDATE postern.resource SET resource = {} WHERE name = 'Drive'", drive)

    # --- what the tests need --------------------------------------------

    def exchange(self, octets):
        return wire.exchange(self.address, octets, wrap=lambda s: self.tls.wrap_socket(s, server_hostname="localhost"))

    def register(self, client_id, **row):
        """A client, as an administrator would insert it."""
        row = {"client_id": client_id, "client_name": client_id.capitalize(), **row}
        if row.get("token_endpoint_auth_method") != "none":
            row["client_secret_sha256"] = hashlib.sha256(SECRET.encode()).digest()
        self.registered.append(client_id)
        self.db("DELETE FROM postern.client WHERE client_id = {}", client_id)
        self.db(f"INSERT INTO postern.client ({', '.join(row)}) VALUES ({', '.join('{}' for _ in row)})", *row.values())

    def environment(self):
        """For client programs: where the bed is, and whom to trust (one variable a TLS library)."""
        trust = {name: str(self.certificate) for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "CURL_CA_BUNDLE")}
        return {**trust, "ISSUER": self.issuer, "DRIVE": self.drive, "CLIENT_SECRET": SECRET, "CALLBACK": CALLBACK, "SIGNED_OUT": SIGNED_OUT,
                "SUB": self.sub["grace"], "LOGIN": "grace", "PASSWORD": self.password, "CERTIFICATE": str(self.certificate), "CERTIFICATE_KEY": str(self.key),
                "SPA_NEAR": self.near, "SPA_FAR": self.far}


def serve(command, output, **environment):
    """Starts a server in a session of its own, which Ctrl-C does not reach; it ends with us even if we are killed."""
    with open(output, "ab") as output:
        return subprocess.Popen(["setpriv", "--pdeathsig", "TERM", "--", *map(str, command)], stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                start_new_session=True, env={**os.environ, **environment})


def wait_until(condition, processes, output):
    """Servers of ours have answered; else why they did not."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and all(p.poll() is None for p in processes):
        try:
            if condition():
                return
        except (OSError, ValueError):
            pass
        time.sleep(0.05)
    raise RuntimeError(f"{' '.join(processes[-1].args)} did not start:\n{pathlib.Path(output).read_text()}")


def stop(*processes):
    for process in processes:
        process.terminate()
    for process in processes:
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def secure_bed():
    """On the demo that tests/run has started (POSTERN_BED), or on one of its own."""
    directory, own = os.environ.get("POSTERN_BED"), None
    temporary = tempfile.mkdtemp(prefix="postern-test-")
    bed = None
    try:
        if directory is None:
            own = Demo("nginx").start().wait()
            directory = own.directory
        bed = SecureBed(directory, temporary)
        bed.start()
        yield bed
    finally:
        if bed is not None:
            bed.stop()
        if own is not None:
            own.stop()
        shutil.rmtree(temporary, ignore_errors=True)
