import os
import sys
from pathlib import Path

import pytest

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session", autouse=True)
def _cache(tmp_path_factory):
    before = os.environ.get("ALIGNTUNE_CACHE")
    os.environ["ALIGNTUNE_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    yield
    if before is None:
        del os.environ["ALIGNTUNE_CACHE"]
    else:
        os.environ["ALIGNTUNE_CACHE"] = before


@pytest.fixture(scope="session", autouse=True)
def _one_thread():
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def letters(tmp_path_factory):
    """The folder of a model that reads and writes a few letters."""
    from trl_runs import write_letters_model

    return write_letters_model(tmp_path_factory.mktemp("letters"))
