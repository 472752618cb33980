"""The operator's tests.

They are a package of this name because a test module directly below `operator/tests` would be imported as a child of
`operator`, which is the standard library's.
"""
