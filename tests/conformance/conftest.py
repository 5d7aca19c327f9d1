import pytest

from npm import Modules, installed_modules


@pytest.fixture(scope="session")
def modules() -> Modules:
    """The conformance suite, installed."""
    return installed_modules()
