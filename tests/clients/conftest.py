import pathlib
import sys

import pytest

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1]), str(pathlib.Path(__file__).resolve().parent)]

from lib.fixtures import pytest_addoption, pytest_configure  # noqa: E402, F401
from person import Person  # noqa: E402
from secure import secure_bed  # noqa: E402


@pytest.fixture(scope="session")
def bed():
    """A demo behind TLS: no library has to be told that plain http will do."""
    with secure_bed() as bed:
        yield bed


@pytest.fixture(scope="session", autouse=True)
def trust(bed):
    """Every library here finds the bed's certificate where it finds the system's."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in bed.environment().items():
            patch.setenv(name, value)
        yield


@pytest.fixture
def person(bed):
    """Somebody who has a fresh browser and has decided nothing yet."""
    bed.forget_consents()
    return Person(bed)
