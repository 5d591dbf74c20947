"""A browser of a few lines: cookies, forms, redirects within the issuer."""

import html.parser
import urllib.parse


class _Forms(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.forms, self.text = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        a = dict(attributes)
        if tag == "form":
            self.forms.append({"action": a.get("action"), "method": a.get("method"), "fields": {}, "buttons": []})
        elif tag in ("input", "button") and self.forms and a.get("name"):
            if a.get("type") == "submit":
                self.forms[-1]["buttons"].append((a["name"], a.get("value", "")))
            else:
                self.forms[-1]["fields"][a["name"]] = a.get("value", "")

    def handle_data(self, data):
        self.text.append(data)


def forms(response):
    return _Forms(response.text).forms


def text(response):
    return " ".join(" ".join(_Forms(response.text).text).split())


class Browser:
    def __init__(self, bed):
        self.bed, self.cookies, self.page, self.trail = bed, {}, None, []

    def send(self, method, url, body=None, headers=()):
        """One request; takes the cookies; follows nothing."""
        parts = urllib.parse.urlsplit(url)
        target = (parts.path or "/") + ("?" + parts.query if parts.query else "")
        headers = list(headers)
        if self.cookies:
            headers.append(("Cookie", "; ".join(f"{n}={v}" for n, v in self.cookies.items())))
        self.page = self.bed.request(method, target, headers, body)
        self.trail.append((method, url, self.page.status))
        for line in self.page.all("Set-Cookie"):
            name, _, value = line.split(";")[0].partition("=")
            if value and "Max-Age=0" not in line:
                self.cookies[name] = value
            else:
                self.cookies.pop(name, None)
        return self.page

    def go(self, url, body=None, headers=()):
        """Like a person's browser: redirects within the issuer are followed; where
        it would leave to another origin it stops, with that answer."""
        method = "GET" if body is None else "POST"
        self.send(method, url, body, headers)
        for _ in range(10):
            if self.page.status != 303:
                return self.page
            where = self.page.location
            if not where.startswith(self.bed.origin + "/"):
                return self.page
            self.send("GET", where)
        raise AssertionError(f"a loop: {self.trail}")

    def submit(self, values, headers=None, form=0):
        """Fill in and send a form of the page."""
        found = forms(self.page)[form]
        if headers is None:
            headers = [("Origin", self.bed.origin), ("Sec-Fetch-Site", "same-origin")]
        return self.go(found["action"], {**found["fields"], **values}, headers)

    def login(self, name="grace", password=None, **options):
        return self.submit({"username": name, "password": password or self.bed.password}, **options)
