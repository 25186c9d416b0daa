"""The functions of CEL: one table, `overloads.TABLE`, that each module here adds to; `library` has them all."""
