"""What holds the book and its simulator: sentences, worlds to try them in, and judges from outside."""
