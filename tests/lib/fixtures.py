"""pytest's side of a bed: options and fixtures, for every conftest.py here."""

import collections
import os

import pytest

from . import bed as beds
from . import demo

# Of the rows of a table: how many at its beginning, and of the others each how-manieth.
ROWS = {beds.FULL: (1, 1), beds.HALF: (3, 5), beds.THIN: (1, 10)}
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
    config.addinivalue_line("markers", "web(*names): only behind these web servers, because the others do not do that")
    config.addinivalue_line("markers", "front: the web server has a part in it, so it is asked in full behind each")


def pytest_collection_modifyitems(config, items):
    """What does not apply to a bed is left out; nothing is skipped.  Without --long, so is
    most of a long table in some beds (tests/lib/bed.py) -- of the protocol tests, which run
    in several; the others run in one, and whole."""
    bed, long = config.getoption("--bed"), config.getoption("--long")
    kind = beds.BEDS[bed]
    first, each = ROWS[beds.FULL if long else kind.amount]
    rows, kept = collections.Counter(), []
    for item in items:
        if item.get_closest_marker("once") and bed != FULL_BED and not long:
            continue
        table = item.nodeid.partition("[")[0]
        rows[table] += 1
        if kind.how == "cgi" and item.get_closest_marker("http"):
            continue
        if (web := item.get_closest_marker("web")) and kind.demo[0] not in web.args:
            continue
        if item.path.parent.name != "protocol" or rows[table] <= first or rows[table] % each == 0 or item.get_closest_marker("front"):
            kept.append(item)
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept


@pytest.fixture(scope="session")
def bed(request):
    """The bed: one that tests/run has started (POSTERN_BED), or one of our own."""
    name, directory, own = request.config.getoption("--bed"), os.environ.get("POSTERN_BED"), None
    if directory is None:
        own = demo.Demo(*beds.BEDS[name].demo).start().wait()
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
