"""What a program does around its service."""

import gc

from nova import launcher


def test_what_start_up_made_is_left_alone_by_the_garbage_collector():
    before = gc.get_threshold()
    gc.unfreeze()
    try:
        launcher.settle_memory()
        assert gc.get_freeze_count() > 0
        assert gc.get_threshold()[0] == launcher.YOUNG_OBJECTS
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
