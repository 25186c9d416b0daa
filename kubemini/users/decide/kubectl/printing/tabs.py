"""Columns out of tabs, as Go's tabwriter aligns them.

A cell ends with a tab, and the last one of a line belongs to no column. A column is a run of lines that all have that
cell: where a line has none, the run ends, and the next begins anew with a width of its own.
Models go text/tabwriter Writer.format.
"""

MINIMUM, PADDING = 6, 3  # of tables


def aligned(text: str, minimum: int = MINIMUM, padding: int = PADDING, least: list[int] | None = None) -> str:
    """*text*, its tabs made columns; *least*: widths of columns that were printed before, which it keeps up to date."""
    if not text:
        return ""
    body, end = (text[:-1], "\n") if text.endswith("\n") else (text, "")
    lines = [line.split("\t") for line in body.split("\n")]
    out: list[str] = [""] * len(lines)
    _Columns(lines, out, minimum, padding, least).format(0, 0, len(lines))
    return "\n".join(out) + end


class _Columns:
    def __init__(self, lines: list[list[str]], out: list[str], minimum: int, padding: int, least: list[int] | None):
        self.lines, self.out, self.minimum, self.padding, self.least = lines, out, minimum, padding, least
        self.widths: list[int] = []

    def format(self, column: int, first: int, end: int) -> None:
        """Write the lines from *first* to *end*, whose cells left of *column* have their widths."""
        at = first
        while at < end:
            if column >= len(self.lines[at]) - 1:
                at += 1
                continue
            self._write(first, at)
            first = at
            width = self._remembered(column)
            while at < end and column < len(self.lines[at]) - 1:
                width = max(width, len(self.lines[at][column]) + self.padding)
                at += 1
            self._remember(column, width)
            self.widths.append(width)
            self.format(column + 1, first, at)
            self.widths.pop()
            first = at
        self._write(first, end)

    def _remembered(self, column: int) -> int:
        known = self.least[column] if self.least is not None and column < len(self.least) else 0
        return max(self.minimum, known)

    def _remember(self, column: int, width: int) -> None:
        if self.least is None:
            return
        while len(self.least) <= column:
            self.least.append(0)
        self.least[column] = max(self.least[column], width)

    def _write(self, first: int, end: int) -> None:
        for at in range(first, end):
            cells = self.lines[at]
            padded = [
                cell.ljust(self.widths[place]) if place < len(self.widths) else cell for place, cell in enumerate(cells)
            ]
            self.out[at] = "".join(padded)
