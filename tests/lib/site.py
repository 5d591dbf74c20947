"""An installation of a test's own that may be killed: a PostgreSQL cluster with a copy of
a bed's database, and, in front of it, every endpoint behind lighttpd with the
configuration that we ship."""

import os
import pathlib
import shlex
import shutil
import signal
import subprocess
import tempfile
import time

from . import bed as beds
from . import demo
from .database import Database

ACCEPTS_SECONDS = 30
WEB_WORDS = ("PORT", "ISSUER", "ISSUER_PATH", "LIBEXECDIR", "CONFIG", "RUNDIR", "LOGDIR", "TMPDIR", "DRIVE_HOST", "DRIVE", "DRIVE_DIR",
             "NOTEAPP_HOST", "NOTEAPP_DIR")


def children(pid):
    try:
        return [int(p) for p in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []                       # it has ended


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


class Cluster:
    """A PostgreSQL with Postern in it.  settings: more of the server's command line."""

    def __init__(self, bed, settings=""):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="postern-test-"))
        self.settings, self.postgres = settings, None
        self.config = self.directory / "postern.conf"
        self.config.write_text("".join(f"database = host={self.directory} dbname=postern\n" if line.startswith("database") else line
                                       for line in pathlib.Path(bed.config).read_text().splitlines(True)))
        try:
            self.shell('cluster_prepare "$D/data" "$D/log"').wait()
            self.start()
            self.copy(bed.env["PGHOST"])
        except BaseException:
            self.close()
            raise

    def shell(self, script):
        """A piece of tools/lib.sh."""
        with open(self.directory / "log", "ab") as log:
            return subprocess.Popen(["bash", "-c", f'. {demo.ROOT}/tools/lib.sh; D={self.directory}; choose_cluster_user "$D"; {script}'],
                                    stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)

    def copy(self, host):
        """Roles with their settings and the database, from another cluster."""
        def pipe(dump, load):
            source = subprocess.Popen([*dump, "-h", host, "-U", "postgres"], stdout=subprocess.PIPE)
            subprocess.run([*load, "-h", str(self.directory), "-U", "postgres"], stdin=source.stdout, capture_output=True, check=True)
            assert source.wait() == 0

        pipe(["pg_dumpall", "--roles-only"], ["psql", "-Xq", "-d", "postgres"])
        subprocess.run(["createdb", "-h", str(self.directory), "-U", "postgres", "postern"], check=True)
        pipe(["pg_dump", "postern"], ["psql", "-Xq", "-d", "postern"])

    def start(self):
        """Returns when it accepts connections."""
        self.postgres = self.shell('PGBIN=$(postgres_bin "$D/data"); cluster_command "$D/data" "$D" 100; cluster_check_stale "$D/data";'
                                   f' exec "${{CLUSTER_COMMAND[@]}}" {self.settings}')
        end = time.monotonic() + ACCEPTS_SECONDS
        while subprocess.run(["pg_isready", "-q", "-h", str(self.directory)]).returncode != 0:
            assert time.monotonic() < end and self.postgres.poll() is None, (self.directory / "log").read_text()[-1000:]
            time.sleep(0.02)

    def kill(self):
        """kill -9 of everything that is this PostgreSQL: what was not written is gone."""
        self.postgres.kill()            # first, so that it does not start anything again
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            if self.is_ours(process):
                kill(int(process.name))
        self.postgres.wait()

    def is_ours(self, process):
        try:
            return os.readlink(process / "cwd") == str(self.directory / "data")
        except OSError:
            return False

    def close(self):
        if self.postgres is not None and self.postgres.poll() is None:
            self.postgres.send_signal(signal.SIGINT)
            self.postgres.wait(20)
        shutil.rmtree(self.directory)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Site(Cluster):
    """The cluster and the web server.  .bed is a Bed like any other."""

    def __init__(self, bed, settings=""):
        self.web, self.bed = None, None
        super().__init__(bed, settings)
        try:
            self.start_web(bed)
        except BaseException:
            self.close()
            raise

    def start_web(self, bed):
        d, port = self.directory, demo.free_port()
        values = {"PORT": port, "ISSUER": f"http://localhost:{port}", "ISSUER_PATH": "", "LIBEXECDIR": bed.programs, "CONFIG": self.config,
                  "RUNDIR": d / "run", "LOGDIR": d / "web", "TMPDIR": d / "tmp", "DRIVE_HOST": "drive.localhost", "DRIVE": bed.drive,
                  "DRIVE_DIR": demo.ROOT / "examples/drive", "NOTEAPP_HOST": "noteapp.localhost", "NOTEAPP_DIR": d / "tmp"}
        text = (demo.ROOT / "conf/lighttpd.conf").read_text()
        for word in WEB_WORDS:
            text = text.replace(f"@{word}@", str(values[word]))
        (d / "lighttpd.conf").write_text(text)
        for name in ("run", "web", "tmp"):
            (d / name).mkdir()
        env = {"POSTERN_WEB": "lighttpd", "POSTERN_MODE": "fcgi", "POSTERN_ISSUER": values["ISSUER"], "POSTERN_CONFIG": self.config, "POSTERN_LIBEXECDIR": bed.programs,
               "DRIVE_RESOURCE": bed.drive, "PGHOST": d, "PGUSER": "postgres", "PORT": port, "DEMO_RUNDIR": d / "run",
               "DEMO_LOGIN": bed.env["DEMO_LOGIN"], "DEMO_PASSWORD": bed.password}
        (d / "env").write_text("".join(f"{name}={shlex.quote(str(value))}\n" for name, value in env.items()))
        # Before the workers start, which read it then.
        db = Database(d, "postgres")
        db("UPDATE postern.issuer SET url = {}", values["ISSUER"])
        db.close()
        with open(d / "web/output", "ab") as output:
            self.web = subprocess.Popen(["lighttpd", "-D", "-f", str(d / "lighttpd.conf")], stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                        env={**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin"}, start_new_session=True)
        self.bed = beds.Bed("lighttpd", d)
        end = time.monotonic() + ACCEPTS_SECONDS
        while not self.answers():
            assert time.monotonic() < end and self.web.poll() is None, (d / "web/output").read_text()
            time.sleep(0.02)

    def answers(self):
        try:
            return self.bed.machine(scope="files.read").status == 200
        except OSError:
            return False

    def parents(self):
        """{process id: name} of the endpoints that lighttpd has started; children() of one
        are its workers."""
        out = {}
        for pid in children(self.web.pid):
            try:
                out[pid] = pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
            except OSError:
                pass
        return out

    def close(self):
        if self.bed is not None:
            self.bed.close()
        if self.web is not None and self.web.poll() is None:
            self.web.send_signal(signal.SIGINT)
            try:
                self.web.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(self.web.pid, signal.SIGKILL)
                self.web.wait()
        super().close()
