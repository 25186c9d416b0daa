"""Rules that users write for all writes: admission policies in CEL, and webhooks. Pure."""
