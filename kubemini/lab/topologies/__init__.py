"""Chapter *Two topologies*: place five members over three zones; make two machines highly available."""
