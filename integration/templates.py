"""Where the sentences of the service are kept, and how its own short messages are read.

No sentence a person reads is written in Python: it comes from a file below `TEMPLATES`.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

import yaml

TEMPLATES = Path(__file__).resolve().parents[1] / "templates"
"""The folder beside the packages: the same place in a working copy and in an installation."""


@cache
def messages(name: str) -> Mapping[str, str]:
    """The sentences of `messages/<name>.yaml` by key, to be filled in with `str.format`; read once, read-only.

    Raises FileNotFoundError where there is no such file, TypeError where it is anything but sentences by key.
    """
    path = TEMPLATES / "messages" / f"{name}.yaml"
    sentences = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(sentences, dict) or not all(isinstance(part, str) for pair in sentences.items() for part in pair):
        message = f"{path}: expected sentences by key"
        raise TypeError(message)
    return MappingProxyType(sentences)
