"""Regular expressions for revisions, and whether Go and Python both understand them."""

IN_BOTH = (
    *("default", "^1-2[0-3]$", "(?:a|b)", "(?i)a", "(?P<a>x)", r"\d+\.\d+", r"a\\1", r"\(\?!a"),
    *("[(?!)]", "[]1]+", "[^]]", "a+?", r"a\++", "a{1,2}"),
)

IN_NEITHER = ("(", "[a", "a**", "?")

IN_PYTHON_ONLY = (
    *("^(?!canary).*", "(?=a)", "(?<=a)b", "(?<!a)b", r"(a)\1", r"\\\\(a)\1"),
    *("(?P<a>x)(?P=a)", "(?>a)", "a++", "a*+", "(a)?(?(1)b|c)", "(?#why)a"),
)
