"""The chart is the table: every arrow of the specification, in its order, and the notes for what leaves from everywhere."""

from tests.workflows.test_transitions import EXPECTED
from workflows.chart import mermaid


def test_the_chart_has_an_arrow_for_every_row_and_source() -> None:
    """Arrows stand in the order of the table; the three rows that leave nearly every state are a note instead."""
    arrows = [
        f"  {source} --> {target}: {event}"
        for number, sources, event, target in EXPECTED
        if number not in ("T48", "T51", "T52")
        for source in sources.split() or ["[*]"]
    ]
    lines = mermaid().splitlines()
    assert "stateDiagram-v2" == lines[0]
    assert arrows == [line for line in lines if "-->" in line]
    assert len(arrows) == 62


def test_the_chart_explains_what_it_does_not_draw() -> None:
    """Opt-out, a deal that is won anyhow, merges and holds are notes."""
    chart = mermaid()
    assert "opted_out is accepted from every state (T48)" in chart
    assert "lead_won likewise, except from do_not_contact (T51)" in chart
    assert "lead_merged leads here from every state but do_not_contact (T52)" in chart
    assert "hold is a flag" in chart
    assert 3 == chart.count("end note")
