"""pytest's side of a bed: options and fixtures, for every conftest.py here."""

import collections
import os

import pytest

from . import bed as beds
from . import demo

SHORT_TABLE = 6         # rows
FULL_BED = "lighttpd"   # where everything runs


def pytest_addoption(parser):
    try:
        parser.addoption("--bed", default="lighttpd", choices=sorted(beds.BEDS), help="how Postern runs")
        parser.addoption("--long", action="store_true", help="more rounds, more combinations")
    except ValueError:
        pass            # another directory's conftest.py was here first


def pytest_configure(config):
    config.addinivalue_line("markers", "http: only where a web server stands in front")
    config.addinivalue_line("markers", "once: on one bed only, because no web server has a part in it; with --long on all")


def pytest_collection_modifyitems(config, items):
    """What does not apply to a bed is left out; nothing is skipped.  CGI starts a process
    for each request: there, without --long, every third row of a long table."""
    bed, long = config.getoption("--bed"), config.getoption("--long")
    is_cgi = beds.BEDS[bed][2] == "cgi"
    rows, kept = collections.Counter(), []
    for item in items:
        if item.get_closest_marker("once") and bed != FULL_BED and not long:
            continue
        table = item.nodeid.partition("[")[0]
        rows[table] += 1
        if is_cgi and item.get_closest_marker("http"):
            continue
        if not is_cgi or long or rows[table] <= SHORT_TABLE or rows[table] % 3 == 0:
            kept.append(item)
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept


@pytest.fixture(scope="session")
def bed(request):
    """The bed: one that tests/run has started (POSTERN_BED), or one of our own."""
    name, directory, own = request.config.getoption("--bed"), os.environ.get("POSTERN_BED"), None
    if directory is None:
        web, path, _ = beds.BEDS[name]
        own = demo.Demo(web, path).start().wait()
        directory = own.directory
    bed = None
    try:
        bed = beds.Bed(name, directory)
        yield bed
    finally:
        if bed is not None:
            bed.close()
        if own is not None:
            own.stop()


@pytest.fixture(scope="session")
def long(request):
    return request.config.getoption("--long")
