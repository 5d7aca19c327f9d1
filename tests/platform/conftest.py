from collections.abc import Iterator

import pytest

from own_store import OwnStore
from servers import scratch_folder


@pytest.fixture
def own_store() -> Iterator[OwnStore]:
    """A Valkey of this test's own."""
    with scratch_folder() as folder:
        store = OwnStore(folder)
        yield store
        store.thaw()
        store.stop()
