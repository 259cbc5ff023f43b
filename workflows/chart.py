"""The chart of the machine, drawn from the transition table."""

from workflows.transitions import ROWS

#: Rows that lead out of nearly every state: a note says more than their arrows would.
_NOTED = frozenset({"T48", "T51", "T52"})

_NOTES = """\
  note right of do_not_contact
    opted_out is accepted from every state (T48)
    lead_won likewise, except from do_not_contact (T51)
  end note
  note right of dropped
    lead_merged leads here from every state but do_not_contact (T52)
  end note
  note left of note_sent
    a hold is a flag beside the state: timers freeze and keep what is left of them
  end note
"""


def mermaid() -> str:
    """Return the state diagram in Mermaid's notation, arrows in the order of the table."""
    lines = ["stateDiagram-v2"]
    for row in ROWS:
        if row.id not in _NOTED:
            lines += [f"  {source} --> {row.target}: {row.event}" for source in row.sources or ("[*]",)]
    return "\n".join(lines) + "\n" + _NOTES
