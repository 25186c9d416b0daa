"""The kernel's packet filter: runs the very text that iptables-save and nft print. Pure."""
