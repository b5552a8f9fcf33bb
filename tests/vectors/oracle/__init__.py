"""A second implementation of SPEC.md over PyNaCl and hashlib, written only to check the first.

It favours plainness over speed, shares no code with the toolkit, and holds no key longer than a case.
One module a chapter: `strict_json`, `envelope`, `sealing`, `request`, `freshness`, `response`, `webhook`, `status`.
"""
