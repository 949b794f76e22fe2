"""Finds filters and weighers by the names in the options."""

import importlib
import pkgutil
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from nova import exception
from nova.scheduler import filters, weights
from nova.scheduler.filters.base import FilterSettings, HostFilter
from nova.scheduler.weights.base import HostWeigher

ALL_FILTERS = "nova.scheduler.filters.all_filters"
ALL_WEIGHERS = "nova.scheduler.weights.all_weighers"

T = TypeVar("T")


def load_filters(
    available: Iterable[str], enabled: Iterable[str], settings: FilterSettings
) -> tuple[HostFilter, ...]:
    """Return the enabled filters in order.  Raises: ConfigurationError."""
    known: dict[str, type[HostFilter]] = {}
    for entry in available:
        found = (
            _in_package(filters, HostFilter)
            if entry == ALL_FILTERS
            else [_by_path(entry, HostFilter)]
        )
        known.update({cls.__name__: cls for cls in found})
    names = list(enabled)
    missing = [name for name in names if name not in known]
    if missing:
        raise exception.ConfigurationError(
            reason=f"[filter_scheduler] enabled_filters names {', '.join(missing)}, which is not "
            f"among the available filters {', '.join(sorted(known))}"
        )
    return tuple(known[name](settings) for name in names)


def load_weighers(
    classes: Iterable[str], multipliers: Mapping[str, float]
) -> tuple[HostWeigher, ...]:
    """Return the weighers in use, by name; a multiplier of 0 leaves one out.

    Raises: ConfigurationError.
    """
    found: dict[str, type[HostWeigher]] = {}
    for entry in classes:
        chosen = (
            _in_package(weights, HostWeigher)
            if entry == ALL_WEIGHERS
            else [_by_path(entry, HostWeigher)]
        )
        found.update({cls.__name__: cls for cls in chosen})
    weighers = (found[name](multipliers.get(found[name].option, 1.0)) for name in sorted(found))
    return tuple(weigher for weigher in weighers if weigher.multiplier)


def _in_package(package: Any, base: type[T]) -> list[type[T]]:
    classes: list[type[T]] = []
    for info in pkgutil.iter_modules(package.__path__):
        module = importlib.import_module(f"{package.__name__}.{info.name}")
        classes.extend(
            value
            for value in vars(module).values()
            if isinstance(value, type)
            and issubclass(value, base)
            and value.__module__ == module.__name__
            and value is not base
        )
    return classes


def _by_path(path: str, base: type[T]) -> type[T]:
    module_name, _, class_name = path.rpartition(".")
    try:
        found = getattr(importlib.import_module(module_name), class_name)
    except (ImportError, AttributeError, ValueError) as error:
        raise exception.ConfigurationError(reason=f"{path} can not be loaded: {error}") from error
    if not (isinstance(found, type) and issubclass(found, base)):
        raise exception.ConfigurationError(reason=f"{path} is not a {base.__name__}")
    return found
