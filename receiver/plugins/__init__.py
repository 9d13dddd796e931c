"""The configured enrichers: found, given their settings, checked; and what they return, checked and bounded."""

from receiver.plugins.additions import additions
from receiver.plugins.load import LoadedEnricher, Stage, load_enrichers

__all__ = ["LoadedEnricher", "Stage", "additions", "load_enrichers"]
