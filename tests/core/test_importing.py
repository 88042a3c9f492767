"""The garbage collector rests while a large library is imported, and is as it was before afterwards."""

import gc
import weakref

import pytest

from aligntune_core.machine.importing import large_import


class Ring:
    """An object that only the collector frees."""

    def __init__(self):
        self.itself = self


@pytest.fixture(autouse=True)
def collector():
    """The collector at work, and at work again after each test."""
    gc.enable()
    yield
    gc.unfreeze()
    gc.enable()


def test_it_rests_only_while_something_is_imported():
    with large_import():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_it_works_again_after_an_import_that_failed():
    with pytest.raises(ImportError), large_import():
        raise ImportError
    assert gc.isenabled()


def test_one_that_was_switched_off_stays_off():
    gc.disable()
    with large_import():
        pass
    assert not gc.isenabled()


def test_one_inside_another_ends_nothing():
    with large_import():
        with large_import():
            pass
        assert not gc.isenabled()


def test_what_is_imported_is_not_gone_through_afterwards():
    with large_import():
        made = []
    assert any(each is made for each in gc.get_objects(generation=2))


def test_garbage_from_before_and_from_within_is_still_freed():
    before = weakref.ref(Ring())
    with large_import():
        within = weakref.ref(Ring())
    gc.collect()
    assert before() is None
    assert within() is None


def test_what_a_program_froze_itself_stays_frozen():
    gc.freeze()
    frozen = gc.get_freeze_count()
    with large_import():
        pass
    # a few may have been freed meanwhile
    assert gc.get_freeze_count() > frozen // 2 > 0
