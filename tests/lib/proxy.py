"""Between an endpoint and PostgreSQL: loses one message, then passes everything on."""

import os
import pathlib
import shutil
import socket
import tempfile
import threading

READY = b"Z\x00\x00\x00\x05"        # ReadyForQuery, then one octet of state


class Proxy:
    """lose("reply", b"name") cuts the connection when the next statement of that name has
    been executed, but before its answer has come back; lose("request", b"name") before
    PostgreSQL has seen it."""

    def __init__(self, bed):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="postern-test-"))
        self.target = os.path.join(bed.env["PGHOST"], ".s.PGSQL.5432")
        self.config = self.directory / "postern.conf"
        self.config.write_text("".join(f"database = host={self.directory} dbname=postern\n" if line.startswith("database") else line
                                       for line in pathlib.Path(bed.config).read_text().splitlines(True)))
        self.what, self.name, self.lost = None, None, 0
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.directory / ".s.PGSQL.5432"))
        self.listener.listen(64)
        threading.Thread(target=self.accept, daemon=True).start()

    def lose(self, what, name):
        self.what, self.name, self.lost = what, name, 0

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return                      # closed
            server = socket.socket(socket.AF_UNIX)
            server.connect(self.target)
            threading.Thread(target=self.requests, args=(client, server), daemon=True).start()
            threading.Thread(target=self.replies, args=(client, server), daemon=True).start()

    @staticmethod
    def cut(*sockets):
        for s in sockets:
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass                        # it was cut before

    def requests(self, client, server):
        try:
            while octets := client.recv(65536):
                if self.what == "request" and self.name in octets:
                    self.what, self.lost = None, self.lost + 1
                    break
                if self.what == "reply" and self.name in octets:
                    self.what = server      # replies() waits for the end of its answer
                server.sendall(octets)
        except OSError:
            pass
        self.cut(client, server)

    def replies(self, client, server):
        held = b""
        try:
            while octets := server.recv(65536):
                if self.what is not server:
                    client.sendall(octets)
                    continue
                held += octets
                if held[-6:-1] == READY:
                    self.what, self.lost = None, self.lost + 1
                    break
        except OSError:
            pass
        self.cut(client, server)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.cut(self.listener)
        self.listener.close()
        shutil.rmtree(self.directory)
