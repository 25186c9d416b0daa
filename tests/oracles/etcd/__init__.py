"""What real members of etcd 3.4, 3.5, 3.6 and 3.7 were asked, and what they answered."""
