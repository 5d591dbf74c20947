"""SQL for the tests, by one psql that stays open."""

import subprocess


def quote(value):
    """A literal.  For tests only: the server never builds SQL."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, bytes):
        return f"'\\x{value.hex()}'::bytea"
    if isinstance(value, (list, tuple)):
        return "ARRAY[" + ",".join(quote(v) for v in value) + "]::text[]"
    return "'" + str(value).replace("'", "''") + "'"


class Failure(AssertionError):
    pass


class Database:
    """db("SELECT ... {}", value) gives a list of rows of text."""

    END = "== end of the answer =="

    def __init__(self, host, user, name="postern"):
        self.command = ["psql", "-XqAt", "-F", "\x1f", "-v", "VERBOSITY=sqlstate", "-h", host, "-U", user, "-d", name]
        self.process = None

    def close(self):
        if self.process is not None:
            self.process.stdin.close()
            self.process.wait()
            self.process = None

    def _start(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True, bufsize=1)

    def send(self, sql, *values):
        """Without waiting for the answer; receive() takes it."""
        if self.process is None or self.process.poll() is not None:
            self._start()
        self.process.stdin.write(sql.format(*map(quote, values)) + f"\n;\n\\echo '{self.END}'\n")
        self.process.stdin.flush()

    def receive(self):
        lines = []
        while (line := self.process.stdout.readline().rstrip("\n")) != self.END:
            if line == "" and self.process.poll() is not None:
                raise Failure("psql ended: " + "\n".join(lines))
            lines.append(line)
        if any(line.startswith(("ERROR:", "FATAL:", "psql:")) for line in lines):
            raise Failure("\n".join(lines))
        return [tuple(line.split("\x1f")) for line in lines if line]

    def __call__(self, sql, *values):
        self.send(sql, *values)
        return self.receive()

    def value(self, sql, *values):
        rows = self(sql, *values)
        return rows[0][0] if rows else None
