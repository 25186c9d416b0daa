"""Chapter *Changing the members*: replace a member although fingers slip; tell what no order explains."""
