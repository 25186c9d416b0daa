"""Page *kubectl at the door*: what a line of kubectl sends, and how a watch goes on."""
