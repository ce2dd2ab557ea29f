"""The PROXY protocol: a proxy tells whom it speaks for."""
