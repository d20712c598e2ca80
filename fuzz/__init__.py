"""Coverage-guided fuzzing of everything that reads files; see docs/guide/robustness.md.

``python -m fuzz swc --minutes 60`` needs the extra ``fuzz``. The targets themselves need nothing: tests replay their
corpora with plain Python.
"""
