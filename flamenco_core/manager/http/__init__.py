"""The API's controllers, one file per tag: decode, call a use case, encode."""
