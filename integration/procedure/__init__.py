"""The pure core: what a procedure is, what reached us, what we record, what must be done. No I/O, no clock, no wording."""
