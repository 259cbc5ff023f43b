"""What an auditor waits for, on a log of a million events: it is read, verified, proved, exported and checked offline.

For logs that are longer, leads are lived and then written again under other ids (`tests.benchmarks.copies`).
One process does it, unless its figure names another number.

Beside it what the machine allows, the same bodies hashed in a bare loop; and, where they can be had, `eventsourcing`, which
replays, and `auditchain`, which verifies a hash chain (`tests.benchmarks.peers`).
"""

import hashlib
import tempfile
from collections.abc import Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from statistics import median
from uuid import UUID

import psycopg

from models import views
from models.bundle import heads_of
from models.checkpoints import CheckpointRow
from models.database import Connection, Engine, transaction
from models.events import read_log, read_stream
from models.head_proofs import prove_from_nodes
from models.heads import newest as newest_heads
from models.tree import inclusion_proof
from models.verify_tree import verify_tree
from service.clocks import wall_clock
from service.evidence import opener
from service.keys import KeyFiles
from service.notary import Notary
from service.settings import Settings
from service.verifiers import processors
from tests.benchmarks import bundle, command, peers
from tests.benchmarks.cast import lead_id
from tests.benchmarks.copies import REPS
from tests.benchmarks.figures import Figure
from tests.benchmarks.log import make_projections, write_log_together
from tests.benchmarks.replay import best, fold, verify_all
from tests.benchmarks.stage import Stage, Stopwatch, engine_of
from workflows.events import HeadsRecorded
from workflows.heads import Head, verify_head
from workflows.merkle import leaf_hash, verify_inclusion

TITLE = "Audit"

#: Each rate is the better of so many passes.
PASSES = 2


def run(stage: Stage) -> tuple[list[Figure], list[str]]:
    """Measure and return the figures, with notes on the log."""
    with stage.database() as url, engine_of(url) as engine, tempfile.TemporaryDirectory(prefix="thaw-bench-") as folder:
        watch = Stopwatch()
        asked = stage.events or stage.size(1_000_000, 500)
        bundle.freeze_calendars(engine, min(asked, REPS))
        count, times = write_log_together(url, asked)
        written = watch.seconds
        leads = make_projections(engine).leads
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
        lived = leads // times
        ids = [lead_id(number) for number in range(0, lived - lived // 100, max(1, lived // stage.size(50, 2)))]
        figures = _reading(engine, count)
        bundle.say_published(engine)
        figures += _signing(engine, count, KeyFiles(Settings(home=folder)), ids)
        figures += command.measure(stage, url, folder, count)
        figures += bundle.measure(stage, url, Path(folder), count)
        beside, notes = _beside(stage, engine, {figure.key: figure.value for figure in figures})
    how = f"of which {lived:,} were lived, and written {times} times under other ids, " if times > 1 else ""
    return figures + beside, [f"{count:,} events of {leads:,} leads, {how}written in {written:.0f} s", *notes]


def _reading(engine: Engine, count: int) -> list[Figure]:
    """Measure how fast all of it is folded and verified."""
    folded = best(count, partial(fold, engine, count, hashes=False), PASSES)
    chained = best(count, partial(fold, engine, count, hashes=True), PASSES)
    whole = best(count, partial(verify_all, engine, count), PASSES)
    together = best(count, partial(verify_all, engine, count, processors()), PASSES)
    several = f"the same in {processors()} processes, their start included"
    return [
        Figure("audit.folded_per_second", "events folded", folded, "/s", 200_000),
        Figure("audit.chained_per_second", "events folded, with every hash checked", chained, "/s", 100_000),
        Figure("audit.verified_per_second", "events verified in full, with every projection", whole, "/s", 100_000),
        Figure("audit.together_per_second", several, together, "/s", 100_000),
    ]


def _signing(engine: Engine, count: int, keys: KeyFiles, ids: Sequence[UUID]) -> list[Figure]:
    """Record the heads, sign the log, compare it with what was signed, and prove the histories of the leads *ids*.

    A proof's time is the median over them.
    """
    keys.init("bench.example/log")
    notary = Notary(engine, wall_clock, keys, ())
    watch = Stopwatch()
    notary.record_heads("bench", wait=True)
    signed = notary.make(wait=True)
    signing_seconds = watch.seconds
    assert signed is not None
    watch = Stopwatch()
    with views.snapshot(engine) as connection:
        found = verify_tree(connection, open_note=opener(keys.known()))
    tree_seconds = watch.seconds
    if found.findings or found.events != signed.size or found.checkpoints != 1:
        raise RuntimeError(f"{found.events} of {signed.size} events were compared: {found.findings}")
    with views.snapshot(engine) as connection:
        proofs = [_prove(connection, id_, signed) for id_ in ids]
        recorded = newest_heads(connection)
        assert recorded is not None
        own = heads_of(connection, ids, recorded.data.size).values()
        head_proofs = [_prove_head(connection, head, recorded.data) for head in own]
    one, whole = (median(seconds) * 1000 for seconds in zip(*proofs, strict=True))
    return [
        Figure("audit.signed_per_second", "events signed: heads, tree and checkpoint of all", count / signing_seconds, "/s"),
        Figure("audit.compared_per_second", "events compared with what was signed", count / tree_seconds, "/s"),
        Figure("audit.proof_ms", "inclusion proof of one event of a lead", one, "ms", 10, at_most=True),
        Figure("audit.lead_proof_ms", "inclusion proofs of each of its events", whole, "ms"),
        Figure("audit.head_proof_ms", "proof that it has no others", median(head_proofs) * 1000, "ms", 10, at_most=True),
    ]


def _prove(connection: Connection, id_: UUID, signed: CheckpointRow) -> tuple[float, float]:
    """Prove each event of a lead and return the seconds that the first proof took, and all."""
    rows = read_stream(connection, id_)
    watch, first = Stopwatch(), 0.0
    proofs = []
    for row in rows:
        proofs.append(inclusion_proof(connection, row.position, signed.size))
        first = first or watch.seconds
    seconds = watch.seconds
    for row, proof in zip(rows, proofs, strict=True):
        if not verify_inclusion(row.position - 1, signed.size, leaf_hash(row.body.encode()), proof, signed.root):
            raise RuntimeError(f"event {row.position} is not proved")
    return first, seconds


def _prove_head(connection: Connection, head: Head, recorded: HeadsRecorded) -> float:
    """Prove that a lead has no other events and return the seconds that it took."""
    watch = Stopwatch()
    proof = prove_from_nodes(connection, head.stream_id, recorded)
    seconds = watch.seconds
    if proof is None or not verify_head(proof, head, streams=recorded.streams, root=bytes.fromhex(recorded.root)):
        raise RuntimeError(f"the head of {head.stream_id} is not proved")
    return seconds


def _beside(stage: Stage, engine: Engine, ours: dict[str, float]) -> tuple[list[Figure], list[str]]:
    """Measure what there is to compare with, on so many bodies as fit in memory everywhere."""
    with transaction(engine) as connection:
        bodies = [row.body.encode() for row in islice(read_log(connection), stage.size(20_000, 200))]
    bare = best(len(bodies), partial(_hash, bodies), PASSES)
    figures = [
        Figure("audit.bare_hashes_per_second", "bodies hashed by hashlib in a bare loop, from memory", bare, "/s"),
        Figure("audit.over_bare_hashes", "folded with hashes / that", ours["audit.chained_per_second"] / bare, "x"),
    ]
    notes = []
    replay = peers.replay_rate(stage)
    if isinstance(replay, str):
        notes.append(f"eventsourcing is left out: {replay}")
    else:
        figures.append(Figure("audit.eventsourcing_per_second", "events replayed by eventsourcing", replay, "/s"))
        ratio = ours["audit.folded_per_second"] / replay
        figures.append(Figure("audit.over_eventsourcing", "folded / eventsourcing", ratio, "x"))
    chain = peers.chain_rates(stage, bodies)
    if isinstance(chain, str):
        return figures, [*notes, f"auditchain is left out: {chain}"]
    figures += [
        Figure("audit.auditchain_per_second", "records verified by auditchain", chain.verified_per_second, "/s"),
        Figure(
            "audit.over_auditchain",
            "verified in full / auditchain",
            ours["audit.verified_per_second"] / chain.verified_per_second,
            "x",
        ),
        Figure("audit.auditchain_proof_ms", "inclusion proof of one record by auditchain", chain.proof_seconds * 1000, "ms"),
    ]
    return figures, [*notes, f"auditchain holds its whole log in memory: measured on {chain.records:,} records"]


def _hash(bodies: Sequence[bytes]) -> None:
    previous = bytes(32)
    for body in bodies:
        previous = hashlib.sha256(previous + body).digest()
