from tests.fixtures.time import frozen_clock

__all__ = ["frozen_clock"]
