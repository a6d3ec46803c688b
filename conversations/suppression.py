"""Which counts stay hidden so that nobody's answer can be worked out (SUP-1 to SUP-3, SUP-8).

The reader we guard against knows every total, does sums, and knows that a count is never below nothing.

A breakdown is a table of groups and answers. Call its hidden cells edges between rows and columns. A hidden
cell can be another number only if some closed walk through hidden cells adds one here and takes one there,
in turn, and never takes from a zero. A cell on no such walk is told by the totals, so more cells are hidden
until every one is on a walk (or the totals alone tell it, which no hiding mends).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

CELL_LEAST = 5  # may be raised by a school, never lowered (SUP-8)

Cell = tuple[str, str]
Table = Mapping[Cell, int]


def suppress(cells: Table, sensitive: bool = False, least: int = CELL_LEAST) -> dict[Cell, int | None]:
    """The breakdown (group, answer) -> count, None where hidden; a pair that is missing counts as 0."""
    table = _whole(cells)
    free = set(table) - _told(table, set(table))
    hidden = _small(table, max(least, CELL_LEAST)) | (_telling_rows(table) if sensitive else set())
    while (more := _next_to_hide(table, hidden, free, max(least, CELL_LEAST))) is not None:
        hidden.add(more)
    return {cell: None if cell in hidden else count for cell, count in table.items()}


def hide_few(counts: Mapping[str, int], low: int, high: int, least: int) -> tuple[set[str], set[str]]:
    """Of one line of counts whose sum is known to be low..high: (all that is hidden, those told as "fewer").

    The reader of "fewer than 5" knows 1 to 4; a second count hidden beside it is 0, or 5 and more.
    """
    few = {id for id, count in counts.items() if 0 < count < least}
    hidden = set(few)
    while _one_is_told(counts, hidden, few, low, high, least):
        rest = sorted(set(counts) - hidden, key=lambda id: (counts[id] == 0, counts[id], id))
        if not rest:
            return set(counts), set()
        hidden.add(rest[0])
    return hidden, few


def _one_is_told(counts: Mapping[str, int], hidden: set[str], few: set[str], low: int, high: int, least: int) -> bool:
    """Whether some hidden count can have one value only for a reader who sees the others and the sum."""
    seen = sum(count for id, count in counts.items() if id not in hidden)
    low, high = low - seen, high - seen
    for one in hidden:
        sums = _sums_of_few(len(few - {one}), least)
        larger = bool(hidden - few - {one})
        tried = range(1, least) if one in few else _larger(sums, low, high, least)
        if sum(_fits(value, sums, larger, low, high, least) for value in tried) < 2:
            return True
    return False


def _sums_of_few(how_many: int, least: int) -> range:
    return range(how_many, how_many * (least - 1) + 1)


def _larger(sums: range, low: int, high: int, least: int) -> set[int]:
    """Enough values to try for a count that is 0, or `least` and more."""
    tried = {0, least, least + 1} | {edge - s for s in sums for edge in (low, high)}
    return {value for value in tried if value == 0 or value >= least}


def _fits(value: int, sums: range, larger: bool, low: int, high: int, least: int) -> bool:
    """Whether the other hidden counts can make up the rest; larger ones are 0, or `least` and more."""
    if any(low <= value + s <= high for s in sums):
        return True
    return larger and any(high - value - s >= least for s in sums)


def _whole(cells: Table) -> dict[Cell, int]:
    groups = dict.fromkeys(group for group, _ in cells)
    answers = dict.fromkeys(answer for _, answer in cells)
    return {(g, a): cells.get((g, a), 0) for g in groups for a in answers}


def _small(table: Table, least: int) -> set[Cell]:
    return {cell for cell, count in table.items() if 0 < count < least}


def _telling_rows(table: Table) -> set[Cell]:
    """The rows of groups in which all or none gave some answer (SUP-3); an empty group tells nothing."""
    rows = [[c for c in table if c[0] == group] for group in dict.fromkeys(c[0] for c in table)]
    return {cell for row in rows if any(table[c] for c in row) and _all_or_none(table, row) for cell in row}


def _all_or_none(table: Table, row: list[Cell]) -> bool:
    return len(row) == 1 or any(table[c] == 0 for c in row)  # all in one answer means none in another


def _lines(table: Table) -> Iterator[list[Cell]]:
    """Every row, then every column."""
    for side in (0, 1):
        for name in dict.fromkeys(cell[side] for cell in table):
            yield [cell for cell in table if cell[side] == name]


def _next_to_hide(table: Table, hidden: set[Cell], free: set[Cell], least: int) -> Cell | None:
    """One more cell that must be hidden; None when all is safe. Cells the totals tell protect nobody."""
    for line in _lines(table):
        cell = _cheapest(table, hidden, (c for c in line if c in free))
        if cell is not None and _weak([table[c] for c in line if c in hidden & free], least):
            return cell
    for told in sorted(_told(table, hidden) & free):
        near = (c for c in free if c[0] == told[0] or c[1] == told[1])
        return _cheapest(table, hidden, near) or _cheapest(table, hidden, free)
    return None


def _weak(hidden_counts: list[int], least: int) -> bool:
    return bool(hidden_counts) and (len(hidden_counts) < 2 or sum(hidden_counts) < least)


def _cheapest(table: Table, hidden: set[Cell], of: Iterable[Cell]) -> Cell | None:
    """The visible cell that costs the reader least: its line has gaps already, or its count is small."""

    def cost(cell: Cell) -> tuple[bool, bool, int, Cell]:
        crossed = any(h[0] == cell[0] for h in hidden) and any(h[1] == cell[1] for h in hidden)
        return (not crossed, table[cell] == 0, table[cell], cell)

    return min((cell for cell in of if cell not in hidden), key=cost, default=None)


def _told(table: Table, hidden: set[Cell]) -> set[Cell]:
    """The hidden cells that can have one value only, given all totals and all visible cells."""
    return {cell for cell in hidden if not _can_rise(table, hidden, cell) and not _can_fall(table, hidden, cell)}


def _can_rise(table: Table, hidden: set[Cell], cell: Cell) -> bool:
    return _reaches(table, hidden - {cell}, ("column", cell[1]), ("row", cell[0]))


def _can_fall(table: Table, hidden: set[Cell], cell: Cell) -> bool:
    return table[cell] > 0 and _reaches(table, hidden - {cell}, ("row", cell[0]), ("column", cell[1]))


def _reaches(table: Table, hidden: set[Cell], start: Cell, goal: Cell) -> bool:
    """Whether a walk leads from start to goal: row to column adds one to a cell, column to row takes one."""
    seen, todo = {start}, [start]
    while todo:
        kind, name = todo.pop()
        for row, column in hidden:
            if kind == "row" and row == name:
                seen, todo = _go(seen, todo, ("column", column))
            if kind == "column" and column == name and table[row, column] > 0:
                seen, todo = _go(seen, todo, ("row", row))
    return goal in seen


def _go(seen: set[Cell], todo: list[Cell], node: Cell) -> tuple[set[Cell], list[Cell]]:
    return (seen, todo) if node in seen else (seen | {node}, [*todo, node])
