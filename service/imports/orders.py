"""From rows to commands: one `RegisterLead` for a lead that is new, and for a changed row what its changes ask for."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from functools import lru_cache
from typing import Any, Literal
from uuid import UUID

from msgspec import UNSET, UnsetType

from service.imports.mapping import Mapping
from service.imports.rows import Registration
from service.times import zone_or_utc
from workflows.commands import (
    Command,
    MarkWon,
    Qualify,
    QueueRevival,
    Reassign,
    RecordDecline,
    RecordReason,
    Reference,
    RegisterLead,
    UpdateContact,
)
from workflows.law_facts import ImportedLawFacts


class Orders:
    """Makes commands from what rows say."""

    def __init__(self, mapping: Mapping, now: datetime) -> None:
        self._mapping = mapping
        self._now = now

    def register(self, row: Registration, contact: Reference) -> RegisterLead:
        """Return the command that makes a new lead known."""
        return RegisterLead(
            owner=row.owner,
            source=self._mapping.source,
            playbook=self._mapping.playbook,
            contact=contact,
            modes=row.modes,
            timezone=row.timezone,
            open_opportunity=row.treat_as == "open",
            client=row.treat_as == "client",
            last_contact_on=row.last_contact_on,
            stage_depth=row.stage_depth,
            value_band=row.value_band,
            minutes_invested=row.minutes_invested,
            qualified=row.qualified,
            law=_law(None, row),
            then=(*self._outcome(row), *([QueueRevival()] if row.queue else [])),
        )

    def update(self, before: Registration | None, after: Registration, contact: Reference) -> list[Command]:
        """Return the commands for a changed row, in order; *before* is None for a contact that no import has seen yet."""
        orders: list[Command] = [
            UpdateContact(
                contact=contact,
                modes=after.modes,
                timezone=after.timezone,
                open_opportunity=after.treat_as == "open",
                law=_law(before, after),
                **_moved(before, after),
            )
        ]
        if before and before.owner != after.owner:
            orders.append(Reassign(owner=after.owner))
        if after.qualified is not None and (before is None or before.qualified != after.qualified):
            orders.append(Qualify(qualified=after.qualified))
        moved = before is None or _outcome_of(before) != _outcome_of(after)
        if moved:
            orders += self._outcome(after)
        elif before and after.stated_reason and before.stated_reason != after.stated_reason:
            orders.append(RecordReason(kind="stated", reason=after.stated_reason))
        if after.queue and (moved or (before and not before.queue)):
            orders.append(QueueRevival())
        return orders

    @staticmethod
    def of_the_person(orders: Sequence[Command]) -> list[Command]:
        """Return what *orders* for the row of a duplicate say of the person, which the lead is told that it was merged into.

        How the CRM knows the duplicate, and who owns it there, is not among it: the other lead has a row of its own.
        """
        return [each for each in orders if isinstance(each, (MarkWon, RecordDecline, RecordReason, QueueRevival))]

    def _outcome(self, row: Registration) -> tuple[RecordDecline | MarkWon, ...]:
        if row.treat_as == "client":
            return (MarkWon(occurred_at=self._moment(row)),)
        if row.treat_as == "declined" and row.kind and row.stated_reason:
            decline = RecordDecline(
                occurred_at=self._moment(row),
                kind=row.kind,
                stated_reason=row.stated_reason,
                revisit_on=row.revisit_on,
                keep_in_touch_requested=row.keep_in_touch,
            )
            return (decline,)
        return ()

    def _moment(self, row: Registration) -> datetime | None:
        """Return noon of the row's day at the rep's place, which is that day in every neighbouring zone, too."""
        if row.on is None:
            return None
        return min(_noon(row.on, self._mapping.calendar_of(row.owner).timezone), self._now)


def reference(lead_id: UUID, commitment: str) -> Reference:
    """Return the log's reference to the contact of a lead."""
    return Reference(document_id=lead_id, commitment=commitment)


def _outcome_of(row: Registration) -> tuple[object, ...]:
    return row.treat_as, row.kind, row.on


def _moved(before: Registration | None, after: Registration) -> dict[str, Any]:
    """Return what the row says otherwise than before of how far the sale came; what a first row leaves out stays."""
    fields = ("last_contact_on", "stage_depth", "value_band")
    if before is None:
        return {field: value for field in fields if (value := getattr(after, field))}
    moved = {field: getattr(after, field) for field in fields if getattr(before, field) != getattr(after, field)}
    if "last_contact_on" in moved:
        moved["last_contact_before"] = before.last_contact_on
    if before.minutes_invested != after.minutes_invested:
        moved["minutes_added"] = after.minutes_invested - before.minutes_invested
    return moved


def _law(before: Registration | None, after: Registration) -> ImportedLawFacts | UnsetType:
    """Return what the row says anew of what contact law asks; what people recorded stays where the file says nothing."""
    region, assumed, assumed_before = _region(before, after)
    consumer = after.consumer if after.consumer is not None and (before is None or before.consumer != after.consumer) else UNSET
    return (
        UNSET
        if region is UNSET and consumer is UNSET
        else ImportedLawFacts(region=region, consumer=consumer, region_assumed=assumed, assumed_before=assumed_before)
    )


def _region(
    before: Registration | None, after: Registration
) -> tuple[str | UnsetType, Literal[True] | UnsetType, str | UnsetType]:
    """Return the region that the row says anew, whether only the mapping says it, and what the mapping said before."""
    same = before is not None and (before.region, before.region_assumed) == (after.region, after.region_assumed)
    if same or not after.region:
        return UNSET, UNSET, UNSET
    if not after.region_assumed:
        return after.region, UNSET, UNSET
    return after.region, True, before.region if before and before.region_assumed and before.region else UNSET


@lru_cache(maxsize=20_000)
def _noon(day: date, timezone: str) -> datetime:
    return datetime.combine(day, time(12), tzinfo=zone_or_utc(timezone)).astimezone(UTC)
