"""Chapter *Anatomy*: what each program does, measured by taking it away."""
