"""Headers that claim to be something else: SEC-HTTP-03, SEC-HTTP-04, SEC-HTTP-05.

Web servers disagree about almost every header: some fold X_Foo, X.Foo and X!Foo into one
variable, some pass Proxy, some set REMOTE_USER from a header that nobody has verified.
Whatever they pass, each endpoint answers as if it had not been sent."""

import pytest

from lib import endpoints
from lib.bed import basic
from lib.browser import Browser, forms

# Names of CGI variables that say who we are, who the client is or what is wanted, as a
# header could try to form them; the value is what an attacker would like.
NAMES = {
    "HTTP_HOST": "evil.example", "SERVER_NAME": "evil.example", "SERVER_PORT": "1", "SERVER_ADDR": "10.9.9.9", "HTTPS": "on", "REQUEST_SCHEME": "https",
    "SCRIPT_NAME": "/evil", "SCRIPT_FILENAME": "/evil", "PATH_INFO": "/evil", "PATH_TRANSLATED": "/evil", "DOCUMENT_ROOT": "/evil", "REQUEST_URI": "/evil",
    "QUERY_STRING": "evil=1", "REQUEST_METHOD": "DELETE", "REMOTE_USER": "evil", "REMOTE_ADDR": "10.9.9.9", "REMOTE_HOST": "evil.example", "REMOTE_PORT": "1",
    "AUTH_TYPE": "Basic", "AUTHENTICATED_USER": "evil", "REDIRECT_HTTP_AUTHORIZATION": "Bearer evil", "REDIRECT_STATUS": "200", "REDIRECT_URL": "/evil",
    "HTTP_AUTHORIZATION": "Bearer evil", "HTTP_COOKIE": "postern_session=evil", "GATEWAY_INTERFACE": "CGI/1.1", "FCGI_ROLE": "AUTHORIZER",
    "POSTERN_CONFIG": "/evil", "POSTERN_SUBJECT": "evil", "POSTERN_CLIENT_ID": "evil", "POSTERN_SCOPE": "evil", "POSTERN_REQUIRE_SCOPE": "openid",
    "POSTERN_REQUIRE_AUDIENCE": "https://evil.example", "SSL_CLIENT_CERT": "evil", "SSL_CLIENT_VERIFY": "SUCCESS", "SSL_CLIENT_S_DN": "CN=evil",
    "OP_TLS_CERT": "evil", "OP_CLIENT_CERT": "evil", "PGHOST": "evil.example", "PGUSER": "postgres", "PGOPTIONS": "-c search_path=evil",
    "LD_PRELOAD": "/evil", "OPENSSL_CONF": "/evil", "TZ": "evil",
}
FRONT = {       # what proxies and frameworks look at
    "X-Forwarded-For": "10.9.9.9", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https", "X-Forwarded-Port": "1", "X-Forwarded-Prefix": "/evil",
    "X-Forwarded-Server": "evil.example", "X-Forwarded-Uri": "/evil", "X-Forwarded-Method": "DELETE", "X-Forwarded-User": "evil", "X-Forwarded-Ssl": "on",
    "X-Forwarded-Client-Cert": "evil", "Forwarded": "for=10.9.9.9;host=evil.example;proto=https", "X-Real-IP": "10.9.9.9", "Client-IP": "10.9.9.9",
    "True-Client-IP": "10.9.9.9", "CF-Connecting-IP": "10.9.9.9", "X-Original-URL": "/evil", "X-Rewrite-URL": "/evil", "X-Original-URI": "/evil",
    "X-Original-Method": "DELETE", "X-HTTP-Method": "DELETE", "X-HTTP-Method-Override": "DELETE", "X-Method-Override": "DELETE", "X-Script-Name": "/evil",
    "X-Host": "evil.example", "X-Server-Name": "evil.example", "X-Remote-User": "evil", "X-User": "evil", "X-Auth-Request-User": "evil", "X-Authorization": "Bearer evil",
    "X-SSL-Client-Cert": "evil", "X-Client-Cert": "evil", "X-ARR-ClientCert": "evil", "Ssl-Client-Cert": "evil", "Proxy": "http://evil.example:1",
    "Proxy-Authorization": "Basic ZXZpbDpldmls", "Authorization2": "Bearer evil", "X-Sendfile": "/etc/passwd", "X-Accel-Redirect": "/evil", "Status": "500", "Location": "https://evil.example",
    "Variable-POSTERN_SUBJECT": "evil", "Front-End-Https": "on", "X-Url-Scheme": "https", "Via": "1.1 evil.example", "Referer": "https://evil.example/", "From": "evil",
    "DPoP": "evil", "Accept": "text/evil", "Accept-Language": "evil", "If-None-Match": "*", "If-Modified-Since": "Thu, 01 Jan 2099 00:00:00 GMT", "Expect-CT": "evil", "Upgrade-Insecure-Requests": "1", "Sec-Purpose": "prefetch", "Priority": "u=0", "Save-Data": "on",
}
BATCH = 25      # headers a request: servers and we have a limit


def spellings():
    """Every way to write a header that some server folds into one of the names."""
    for name, value in NAMES.items():
        words = name.split("_")
        for separator in ("_", "-", ".", "!"):
            for text in (separator.join(words), separator.join(words).title(), separator.join(words).lower()):
                if text.lower() not in ("host", "cookie", "authorization", "tz", "https"):
                    yield text, value
            yield "Redirect" + separator + separator.join(words), value
            yield "Http" + separator + separator.join(words), value
    yield from FRONT.items()


def batches():
    every = list(dict(spellings()).items())
    return [every[i:i + BATCH] for i in range(0, len(every), BATCH)]


@pytest.fixture(scope="module")
def good(bed):
    return endpoints.of(bed)


def is_as_before(endpoint, answer, expected):
    """The answer of the plain request, but for what differs each time; or the web server
    refuses a name: then it was not ours to be misled."""
    if answer.status == 400 and answer.get("X-Frame-Options") is None:
        return
    assert endpoint.outcome(answer) == expected, answer
    assert endpoint.name == "guard" or ("evil" not in answer.text and "evil" not in str(answer.headers).lower())


@pytest.mark.parametrize("name", [pytest.param(n, id="SEC-HTTP-03 " + n) for n in endpoints.ALL])
def test_forged_names(bed, good, name, long):
    endpoint = good[name]
    expected = endpoint.outcome(endpoint.probe())
    for batch in batches() if bed.how == "http" or long else batches()[::12]:
        answer = endpoint.probe(batch)
        if answer.status == 400 and answer.get("X-Frame-Options") is None:      # which of them does the server not like?
            for header in batch:
                is_as_before(endpoint, endpoint.probe([header]), expected)
        else:
            is_as_before(endpoint, answer, expected)
    endpoint.works()


@pytest.mark.parametrize("name", [pytest.param(n, id="SEC-ISS-01 " + n) for n in endpoints.ALL if n != "guard"])
def test_host_does_not_name_us(bed, good, name):
    """Another Host, another port, an absolute target: every address is the issuer's."""
    endpoint = good[name]
    for host in ("evil.example", "localhost.evil.example", "127.0.0.1", "localhost:1", "LOCALHOST"):
        answer = endpoint.probe([("Host", host)])
        assert answer.status in (200, 303, 400, 403, 404), (host, answer)
        assert "evil" not in answer.text and "evil" not in str(answer.headers), (host, answer)
        if answer.location is not None:
            assert answer.location.startswith((bed.issuer + "/", "https://app.example/")), answer
    endpoint.works()


# --- the client's address: SEC-HTTP-04 -----------------------------------

ADDRESSES = [
    "10.9.9.9", "", "a", "unknown", "_hidden", "127.0.0.1, 10.9.9.9", "10.9.9.9, 127.0.0.1", ",", ",,,,", " ", "::1", "[::1]", "[::1]:80", "::ffff:10.9.9.9",
    "fe80::1%eth0", "0", "0.0.0.0", "255.255.255.255", "256.256.256.256", "1.2.3", "1.2.3.4.5", "1.2.3.4:80", "01.02.03.04", "0x7f.1", "2130706433", "127.1",
    "localhost", "10.9.9.9/8", "::/0", "-1", "1e9", "NaN", "null", "' OR 1=1 --", "\";DROP TABLE x", "<script>", "%00", "%s%s%n", "${jndi:x}", "../../x",
    "for=10.9.9.9", "for=\"[::1]\"", "for=_x", "x" * 300, "10.9.9.9 " * 30, "1.1.1.1," * 60, "\t", "\u00e9", "\u202e", "*",
]


def test_forwarded_address_is_not_believed(bed, good):
    """SEC-HTTP-04, CVE-2024-47070: 50 values of each header; whoever is throttled stays throttled,
    and nobody else is."""
    login = good["login"]
    names = ("X-Forwarded-For", "Forwarded", "X-Real-IP", "Client-IP", "X-Client-IP", "Remote-Addr", "X_Forwarded_For")
    bed.unthrottle()
    bed.db("INSERT INTO postern.login_throttle VALUES ('address:127.0.0.1', 99, now() + interval '5 minutes', now() + interval '1 day')")
    try:
        for value in ADDRESSES if bed.how == "http" else ADDRESSES[::5]:
            answer = bed.request("POST", bed.at("/login"), [*login.headers, *((n, value) for n in names)], login.parameters)
            assert answer.status == 429 or (answer.status == 400 and answer.get("X-Frame-Options") is None), (value, answer)
        assert bed.db.value("SELECT string_agg(subject, ',') FROM postern.login_throttle") == "address:127.0.0.1"
    finally:
        bed.unthrottle()


def test_user_agent_is_any_octets(bed):
    """SEC-HTTP-04: a header that is no text is no reason to fail; what is shown is text."""
    for agent in ("\udcff\udcfe Mozilla", "<script>alert(1)</script>", "'; DROP TABLE x; --", "x" * 3000, "", "%s%n", "\u202eevil"):
        bed.unthrottle()
        browser = Browser(bed)
        browser.go(bed.issuer + "/login")
        browser.login(headers=[("User-Agent", agent)])
        assert browser.page.status == 200 and "postern_session" in browser.cookies, (agent, browser.trail)
        assert "<script" not in browser.page.text
    bed.unthrottle()


# --- the same header twice: SEC-HTTP-05 ----------------------------------

def twice(good, name, header, values):
    """The good request without that header, then with two of it."""
    endpoint = good[name]
    kept, endpoint.headers = endpoint.headers, [h for h in endpoint.headers if h[0] != header]
    try:
        return endpoint.send(headers=[(header, v) for v in values])
    finally:
        endpoint.headers = kept


@pytest.mark.http
@pytest.mark.parametrize("name", [pytest.param(n, id="SEC-HTTP-05 " + n) for n in ("token", "introspect", "revoke")])
def test_two_client_authentications(good, name):
    """Equal ones too: nobody knows which of two is meant."""
    right = dict(good[name].headers)["Authorization"]
    for values in ((right, right), (right, basic("nobody")[1]), (basic("nobody")[1], right), (right, "Bearer x"), ("Bearer x", right), (right, ""), ("", right)):
        answer = twice(good, name, "Authorization", values)
        if "" in values:        # a server may drop an empty one
            assert answer.status in (200, 400, 401), (values, answer)
        else:
            assert answer.status in (400, 401), (values, answer)
    good[name].works()


@pytest.mark.http
@pytest.mark.parametrize("name", [pytest.param(n, id="SEC-HTTP-05 " + n) for n in ("authorize", "account", "consent", "logout")])
def test_two_session_cookies(bed, good, name):
    """In one header or in two: which of them is ours nobody knows, so it is neither."""
    endpoint = good[name]
    one, other = (bed.session(n) for n in ("grace", "alan"))
    for values in (("%1", "%2"), ("%2", "%1"), ("%1; %2",), ("%1;%1",), ("%1, %2",), ("%1", "%1")):
        values = [v.replace("%1", "postern_session=" + one.text).replace("%2", "postern_session=" + other.text) for v in values]
        answer = twice(good, name, "Cookie", values)
        assert answer.status in (200, 303, 400), (values, answer)
        assert "code=" not in (answer.location or "") and "Grace" not in answer.text and "Alan" not in answer.text, (values, answer)
    for session in (one, other):
        assert bed.get("/account", cookie=session).status == 200
    endpoint.works()


@pytest.mark.http
@pytest.mark.parametrize("name", [pytest.param(n, id="SEC-HTTP-05 " + n) for n in endpoints.FORMS])
def test_two_media_types(good, name):
    endpoint = good[name]
    right = "application/x-www-form-urlencoded"
    for values in ((right, "text/plain"), ("text/plain", right), (right, "application/json")):
        answer = endpoint.send(headers=[("Content-Type", v) for v in values])
        assert answer.status in (400, 415), (values, answer)
    endpoint.works()


@pytest.mark.http
@pytest.mark.parametrize("name", [pytest.param(n, id="SEC-HTTP-05 " + n) for n in ("userinfo", "guard")])
def test_two_tokens(bed, name):
    token, other = bed.tokens()["access_token"], bed.machine(scope="files.read").json()["access_token"]
    for values in ((token, other), (other, token), (token, token), (token, "x"), ("x", token)):
        headers = [("Authorization", "Bearer " + v) for v in values]
        answer = bed.call(None, headers=headers) if name == "guard" else bed.request("GET", bed.at("/userinfo"), headers)
        assert answer.status in (400, 401), (values, answer)


@pytest.mark.http
def test_origin_twice(bed):
    """SEC-HTTP-05: a second Origin does not make a foreign form ours."""
    for origins in ((bed.origin, "https://evil.example"), ("https://evil.example", bed.origin)):
        browser = Browser(bed)
        browser.go(bed.issuer + "/login")
        fields = {**forms(browser.page)[0]["fields"], "username": "grace", "password": bed.password}
        browser.send("POST", bed.issuer + "/login", fields, [("Origin", o) for o in origins])
        assert browser.page.status in (400, 403) and "postern_session" not in browser.cookies, browser.page
