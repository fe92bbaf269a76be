"""Takes values that may have to be deleted one day out of the chained content, leaving a salted hash in their place.

A value marked `Private` goes into an *item*: all values of one entry that carry the same names. The chained content keeps
the item's names, the number of its values and the SHA-256 over a random salt and the values. Deleting salt and
values leaves the content, and so the chain, as it was; and without the salt nobody can find the value by trying.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from landrules.engine.ledger.canonical import Tree, canonical, digest, parse

__all__ = ["ANY", "Item", "Masked", "Private", "commitment", "count_masked", "plain", "seal", "unseal"]

ANY = "*"
"""The name of what may quote any value (notes, derived values): masked whenever anything of its entry is."""

_REFERENCE = "$"


@dataclass(frozen=True, slots=True)
class Private:
    """A value that can be masked under any of its names (fact keys, column names, `ANY`)."""

    value: Tree
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Masked:
    """Stands where a value was: its names, and the entry that masked it."""

    names: tuple[str, ...]
    by: int


@dataclass(frozen=True, slots=True)
class Item:
    """Values of one entry under the same names: `body` is a JSON list; both it and `salt` are None once masked."""

    number: int
    names: tuple[str, ...]
    salt: str | None
    body: str | None
    masked_by: int | None = None


def seal(tree: Tree) -> tuple[Tree, tuple[Item, ...], Tree]:
    """The tree with references for its private values, the items, and the commitments to be chained."""
    groups: dict[tuple[str, ...], list[Tree]] = {}
    numbers: dict[tuple[str, ...], int] = {}
    skeleton = _seal(tree, groups, numbers)
    items = tuple(
        Item(numbers[names], names, secrets.token_hex(16), canonical(values))
        for names, values in groups.items()
    )
    commitments = [
        {"names": list(item.names), "count": len(groups[item.names]), "hash": commitment(item)}
        for item in items
    ]
    return skeleton, items, commitments


def _seal(tree: Tree, groups: dict[tuple[str, ...], list[Tree]], numbers: dict[tuple[str, ...], int]) -> Tree:
    match tree:
        case Private():
            names = tuple(sorted(set(tree.names)))
            values = groups.setdefault(names, [])
            number = numbers.setdefault(names, len(numbers))
            values.append(tree.value)
            return {_REFERENCE: [number, len(values) - 1]}
        case Mapping():
            inner = {key: _seal(value, groups, numbers) for key, value in tree.items()}
            return {_REFERENCE: inner} if _REFERENCE in inner else inner
        case list() | tuple():
            return [_seal(value, groups, numbers) for value in tree]
        case _:
            return tree


def commitment(item: Item) -> str:
    """The salted hash of an item that is not masked."""
    return digest(f"{item.salt}:{item.body}")


def unseal(skeleton: Tree, items: Sequence[Item]) -> Tree:
    """The tree with its values back; `Masked` where they were deleted."""
    values = {item.number: parse(item.body) for item in items if item.body is not None}
    masked = {item.number: Masked(item.names, item.masked_by or 0) for item in items if item.body is None}
    return _unseal(skeleton, values, masked)


def _unseal(tree: Tree, values: Mapping[int, Tree], masked: Mapping[int, Masked]) -> Tree:
    match tree:
        case {"$": [int(number), int(position)]} if len(tree) == 1:
            return values[number][position] if number in values else masked.get(number, Masked((), 0))
        case {"$": dict() as inner} if len(tree) == 1:
            return {key: _unseal(value, values, masked) for key, value in inner.items()}
        case dict():
            return {key: _unseal(value, values, masked) for key, value in tree.items()}
        case list():
            return [_unseal(value, values, masked) for value in tree]
        case _:
            return tree


def plain(tree: Tree) -> Tree:
    """The tree as JSON: a masked value becomes `{"masked": names, "by": sequence number}`; a private one is shown."""
    match tree:
        case Masked():
            return {"masked": list(tree.names), "by": tree.by}
        case Private():
            return tree.value
        case Mapping():
            return {key: plain(value) for key, value in tree.items()}
        case list() | tuple():
            return [plain(value) for value in tree]
        case _:
            return tree


def count_masked(tree: Tree) -> int:
    """How many values in it are masked."""
    match tree:
        case Masked():
            return 1
        case Mapping():
            return sum(count_masked(value) for value in tree.values())
        case list() | tuple():
            return sum(count_masked(value) for value in tree)
        case _:
            return 0
