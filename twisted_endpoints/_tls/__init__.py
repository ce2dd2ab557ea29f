"""What `ssl` and `tls` are made of, by subject."""
