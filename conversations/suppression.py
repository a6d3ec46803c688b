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

SKIPS = "~skipped"

Cell = tuple[str, str]
Table = Mapping[Cell, int]
Hidden = tuple[set[str], set[str]]  # all that is hidden, and those of it that are told as "fewer"


def suppress(cells: Table, sensitive: bool = False, least: int = CELL_LEAST) -> dict[Cell, int | None]:
    """The breakdown (group, answer) -> count, None where hidden; a pair that is missing counts as 0."""
    table = _whole(cells)
    free = set(table) - _told(table, set(table))
    hidden = _small(table, max(least, CELL_LEAST)) | (_telling_rows(table) if sensitive else set())
    while (more := _next_to_hide(table, hidden, free, max(least, CELL_LEAST))) is not None:
        hidden.add(more)
    return {cell: None if cell in hidden else count for cell, count in table.items()}


def hide_few(line: Mapping[str, int], least: int, most_skips: int) -> Hidden | None:
    """Of one line of counts whose sum everybody knows: all that is hidden, and those told as "fewer"; None: all goes.

    This reader knows the rule too, and asks what else would have been hidden the same way. So what is hidden beside the
    small counts depends on nothing that is hidden: always the last count that is not small. If even so a small count
    could be one number only, the line goes whole. More than `most_skips` skips are known not to be.
    """
    few = {id for id, count in line.items() if 0 < count < least}
    if not few:
        return set(), set()
    beside = next((id for id in reversed(list(line)) if line[id] >= least), None)
    together = sum(line[id] for id in few)
    highest = sum(min(least - 1, most_skips) if id == SKIPS else least - 1 for id in few)
    if SKIPS in few and most_skips < 2:
        return None
    if beside is not None:
        return (few | {beside}, few) if together + line[beside] - least > len(few) else None
    return (few, few) if len(few) > 1 and len(few) < together < highest else None


def hide_few_of_many(
    counts: Mapping[str, int], skips: int, seen_by: int, most: int, least: int, most_skips: int
) -> Hidden | None:
    """The same where people stand in up to `most` lines each, or in none: then they skipped.

    Nothing is hidden beside the small counts, for nobody knows what the counts add up to. But that has bounds.
    """
    few = {id for id, count in counts.items() if 0 < count < least}
    large = [count for id, count in counts.items() if id not in few]
    small = 0 < skips < least
    possible = {
        (skip, total)
        for skip in (range(1, min(least - 1, most_skips) + 1) if small else (skips,))
        for total in range(len(few), len(few) * (least - 1) + 1)
        if max(large, default=0) <= seen_by - skip <= sum(large) + total <= most * (seen_by - skip)
    }
    skips_told = small and len({skip for skip, _ in possible}) < 2
    if skips_told or (few and not _can_differ(len(few), {total for _, total in possible}, least)):
        return None
    return few | ({SKIPS} if small else set()), few


def _can_differ(few: int, totals: set[int], least: int) -> bool:
    """Whether each of so many small counts, together one of these totals, can be two numbers or more."""
    rest = range(few - 1, (few - 1) * (least - 1) + 1)
    return sum(any(total - one in rest for total in totals) for one in range(1, least)) > 1


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
