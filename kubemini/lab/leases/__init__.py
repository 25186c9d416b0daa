"""Chapter *Leases*: who acts, for how long nobody does, and when two do."""
