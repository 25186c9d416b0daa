"""Page *Networking best practices*: every practice is an outage, caused and then prevented."""
