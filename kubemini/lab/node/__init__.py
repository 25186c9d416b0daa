"""Chapter *The node and its failure timeline*: who notices what when, who is restarted, who is replaced."""
