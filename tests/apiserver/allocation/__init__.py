"""Which addresses Services have, and what IPAddresses and ServiceCIDRs say of it."""
