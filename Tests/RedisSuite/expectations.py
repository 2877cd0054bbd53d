"""The list of cases that a server passes and the sidecar does not, each with its reason."""

from pathlib import Path

SECTIONS = {
    "both states": ("flags off", "dual write"),
    "flags off": ("flags off",),
    "dual write": ("dual write",),
    "races": ("races",),
}


def read_expectations(path: Path) -> dict[str, set[str]]:
    """The cases expected to fail, by state, and those that may fail or pass, under "races".

    In a section, lines that are not indented are a reason, and the indented lines below it the cases that have it.
    """
    expected: dict[str, set[str]] = {"flags off": set(), "dual write": set(), "races": set()}
    states: tuple[str, ...] = ()
    reason = ""
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            reason = ""
        elif line.startswith("["):
            states = SECTIONS[line.strip("[]")]
        elif not line.startswith(" "):
            reason += line
        elif not reason or not states:
            raise ValueError(f"{path}:{number}: a case without a section or a reason")
        else:
            for state in states:
                if line.strip() in expected[state]:
                    raise ValueError(f"{path}:{number}: listed twice")
                expected[state].add(line.strip())
    return expected
