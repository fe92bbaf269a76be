"""Loads and checks rulesets, and selects what is in force by place and date."""

from landrules.engine.rulebook.load import Rulebook, RulebookError
from landrules.engine.rulebook.select import (
    Gate,
    canonical_place,
    cities_within,
    gate,
    place_of,
    places_of,
    unknown_place,
)

__all__ = [
    "Gate",
    "Rulebook",
    "RulebookError",
    "canonical_place",
    "cities_within",
    "gate",
    "place_of",
    "places_of",
    "unknown_place",
]
