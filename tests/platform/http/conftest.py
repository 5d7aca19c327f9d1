from collections.abc import Iterator

import pytest

from doorway import Running, echo_app, furnished, running


@pytest.fixture(scope="session")
def hub() -> Iterator[Running]:
    """The doors with the test room behind them."""
    with running(echo_app(furnished())) as hub:
        yield hub
