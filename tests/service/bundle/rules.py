"""The verifier's rules run over a history of the machine, as they would over one in a bundle."""

import json
from collections.abc import Iterable, Sequence

from service.bundle import verify
from workflows.calendars import Calendar
from workflows.codec import GENESIS, canonical, chain_hash, digest
from workflows.events import Recorded
from workflows.handle import calendar_digest
from workflows.playbooks import Playbook

MANIFEST = verify.Manifest("all", 0, 0, 0, False, "")


def follow(
    history: Sequence[Recorded],
    *,
    playbooks: Iterable[Playbook | bytes],
    calendars: Iterable[Calendar],
    reps: Iterable[str] = (),
    wordings: Iterable[str] = (),
) -> tuple[list[str], verify.Tally]:
    """Return what the verifier says of one stream, and what it counted. All its owners, and *reps*, froze *calendars* first.

    Of *playbooks* bytes are as an earlier release published them.
    """
    report, tally = verify.Report(), verify.Tally()
    bodies = [each if isinstance(each, bytes) else canonical(each) for each in playbooks]
    library = verify.Library({digest(body): json.loads(body) for body in bodies}, {}, {})
    library.wordings.update({digest(text.encode()): text for text in wordings})
    for calendar in calendars:
        frozen = library.calendars[calendar_digest(calendar)] = verify.Frozen(json.loads(canonical(calendar)))
        frozen.by = {str(getattr(each.data, "owner", "")): 1 for each in history} | dict.fromkeys(reps, 1)
        frozen.followed = {(rep, digest(body)): 1 for rep in frozen.by for body in bodies}
    streams = verify.Streams(MANIFEST, None, library, tally, report)
    hash_ = GENESIS
    for position, recorded in enumerate(history, start=1000):
        body = canonical(recorded)
        hash_ = chain_hash(hash_, body)
        line = f'[{position},"{recorded.stream_id}",{recorded.version},"{hash_.hex()}"]'
        streams.take(line.encode(), body)
    found = verify.Differences()
    for stream in streams.streams.values():
        verify.end_decision(stream.decision, found)
    report.findings += [verify.Finding(verify.UNDERIVED, 0, str(each)) for each in found.found]
    return [finding.sentence for finding in report.ordered()], tally
