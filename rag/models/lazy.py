"""Lazy, thread-safe initialisation."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Lazy(Generic[T]):
    """Computes a value on first access, exactly once across threads.

    If the factory raises, the next access calls it again.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._compute = make
        self._value: list[T] = []
        self._lock = threading.Lock()

    def __call__(self) -> T:
        """Return the value, computing it if necessary."""
        with self._lock:
            if not self._value:
                self._value.append(self._compute())
            return self._value[0]
