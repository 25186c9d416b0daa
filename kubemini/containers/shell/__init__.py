"""sh: the language of the shell that a busybox has, as far as containers' scripts use it."""
