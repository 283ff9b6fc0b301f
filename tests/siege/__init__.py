"""Every kind of slow and hostile client at once, beside a normal load: `make siege`."""
