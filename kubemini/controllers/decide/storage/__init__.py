"""Controllers of volumes and claims: who belongs to whom, and who may go. Pure."""
