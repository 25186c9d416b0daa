"""The words of the trace, closed: `WORDS` by name.

One file a family; a file here that declares words with `word` is all there is to a new one: it may
be recorded, stands in the table of a run, and a picture that does not know it leaves it out.
"""

import importlib
import pkgutil

from kubemini.sim.vocabulary.word import WORDS, Word, word

for _module in sorted(module.name for module in pkgutil.iter_modules(__path__)):
    importlib.import_module(f"{__name__}.{_module}")

__all__ = ["WORDS", "Word", "word"]
