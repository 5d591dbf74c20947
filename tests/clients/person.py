"""The person whom an app sends to Postern: signs in, allows or denies, comes back.

Person is for tests in Python.  PersonServer lends the same person to programs in
other languages, which post the URL that they would open in a browser:

    POST /open {"person": "a name of your choice", "url": "https://...", "decision": "allow"}
    {"url": "where the browser would go next, to the app"}

A person of a new name has a browser of their own, without cookies."""

import http.server
import json
import threading

from lib.browser import Browser, forms

STEPS = 6       # pages between an app and the way back to it


class Person:
    def __init__(self, bed, login="grace"):
        self.bed, self.login, self.browser = bed, login, Browser(bed)
        self.asked = []         # what this person had to do: "login", "consent", "logout"

    def open(self, url, decision="allow"):
        """Opens a URL of the issuer, does what the pages ask; where it leads in the end."""
        assert url.startswith(self.bed.issuer + "/"), url
        self.browser.go(url)
        for _ in range(STEPS):
            if self.browser.page.status == 303:
                return self.browser.page.location
            self._act(decision)
        raise AssertionError(f"no way back to the app: {self.browser.trail}")

    def _act(self, decision):
        page = self.browser.page
        form = forms(page)[0] if page.status == 200 and forms(page) else None
        assert form is not None, f"a page that asks nothing: {page}"
        names = [*form["fields"], *(name for name, _ in form["buttons"])]
        if "password" in names:
            self.asked.append("login")
            self.browser.login(self.login)
        elif "decision" in names:
            self.asked.append("consent")
            self.browser.submit({"decision": decision})
        else:
            assert form["action"] == self.bed.issuer + "/logout", form
            self.asked.append("logout")
            self.browser.submit({})


class PersonServer:
    """On a free port of the loopback address, for as long as the with block lasts."""

    def __init__(self, bed):
        people = {}

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                try:
                    person = people.setdefault(asked["person"], Person(bed))
                    person.asked.clear()
                    url = person.open(asked["url"], asked.get("decision", "allow"))
                    status, answer = 200, {"url": url, "asked": person.asked}
                except AssertionError as problem:
                    status, answer = 409, {"problem": str(problem)}
                body = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass            # codes and passwords are none of a log's business

        self.server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/open"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
