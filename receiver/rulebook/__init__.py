"""The rule book: YAML files in, a Book out, and its own examples as its proof."""

from receiver.rulebook.folder import rule_files
from receiver.rulebook.load import load_book
from receiver.rulebook.prove import prove
from receiver.rulebook.survey import Entry, survey

__all__ = ["Entry", "load_book", "prove", "rule_files", "survey"]
