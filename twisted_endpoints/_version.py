"""The version of this distribution."""

from incremental import Version

__version__ = Version("twisted_endpoints", 0, 1, 0)
__all__ = ["__version__"]
