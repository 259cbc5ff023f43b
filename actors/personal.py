"""What decisions take from and leave in the personal data: words, what the suppression list says and gets, and erasures."""

from collections.abc import Mapping, Sequence
from datetime import date
from uuid import UUID

from actors.measures import words_of_all
from models import erasure, suppressions
from models.database import Connection
from models.messages import OpenMessage
from workflows.commands import AnyCommand, EraseLead, OptOut, RegrantConsent
from workflows.events import ChannelOptedOut, ConsentRegranted, Holdings, LeadErased, OptedOut, Recorded, Verdict
from workflows.handle import asks_the_list
from workflows.invitation_streams import Stream
from workflows.lead import Lead
from workflows.merge_commands import MergeLead, TakeInDuplicate
from workflows.seats import MOVE_SEATS
from workflows.suppression import Entry, verdict
from workflows.transitions import TOUCHES, trigger


class PersonalData:
    """The personal data within one transaction, whose streams and messages are locked by now."""

    def __init__(
        self, connection: Connection, opened: Mapping[UUID, OpenMessage], commands: Mapping[UUID, AnyCommand], today: date
    ) -> None:
        self._connection = connection
        self._today = today
        self._erased: set[UUID] = set()
        self._changed = False
        # An objection and a touch under another lead of the same person must not pass each other, nor may it pass a seat.
        if any(isinstance(command, (OptOut, EraseLead, RegrantConsent, TakeInDuplicate)) for command in commands.values()):
            suppressions.lock(connection, alone=True)
        elif any(trigger(command) in TOUCHES or isinstance(command, (MergeLead, *MOVE_SEATS)) for command in commands.values()):
            suppressions.lock(connection, alone=False)
        asking = {opened[id_].stream_id for id_, command in commands.items() if asks_the_list(command)}
        self._entries: Mapping[UUID, Sequence[Entry]] = suppressions.entries_of(connection, asking)
        #: The words of all commands, by their documents' ids.
        self.words = words_of_all(connection, commands.values())

    def verdicts(self, stream_id: UUID, command: AnyCommand) -> tuple[Verdict, ...]:
        """Return what the list says of a lead now, for a decision that asks."""
        if not asks_the_list(command):
            return ()
        entries = suppressions.entries_of(self._connection, [stream_id]) if self._changed else self._entries
        return (verdict(entries.get(stream_id, ())),)

    def erase(self, lead: Stream | None, command: AnyCommand, message_id: UUID) -> Holdings | None:
        """Put the person behind *lead* on the list and remove the data, if *command* asks for that; return what there was.

        All that the transaction has staged and settled so far must be written by now.
        """
        if not isinstance(command, EraseLead) or not isinstance(lead, Lead) or lead.erased_at:
            return None
        self._list(lead.id, OptedOut(), erased=True)
        self._erased.add(lead.id)
        self.words = {id_: written for id_, written in self.words.items() if written.lead_id != lead.id}
        return erasure.remove(self._connection, lead.id, reason_id=command.reason.document_id, message_id=message_id)

    def is_superseded(self, stream_id: UUID, command: AnyCommand) -> bool:
        """Whether *command* waited for a lead that was erased in this transaction; a duplicate on its way is answered still."""
        return stream_id in self._erased and not isinstance(command, TakeInDuplicate)

    def record(self, recorded: Sequence[Recorded]) -> None:
        """Write onto the list, or take off it, what *recorded* says (T47, T48)."""
        for each in recorded:
            if isinstance(each.data, (OptedOut, ChannelOptedOut)):
                self._list(each.stream_id, each.data)
            elif isinstance(each.data, ConsentRegranted):
                keys = suppressions.keys_of(self._connection, each.stream_id)
                suppressions.lift(self._connection, keys, each.data.modes)
                self._changed = True

    @staticmethod
    def objected(recorded: Sequence[Recorded]) -> bool:
        """Tell whether *recorded* says of somebody that nothing reaches them any more."""
        return any(isinstance(each.data, (OptedOut, LeadErased)) for each in recorded)

    def _list(self, lead_id: UUID, data: OptedOut | ChannelOptedOut, *, erased: bool = False) -> None:
        suppressions.add(
            self._connection,
            suppressions.keys_of(self._connection, lead_id),
            channel=data.channel if isinstance(data, ChannelOptedOut) else None,
            reason="erased" if erased else "opted_out",
            since=self._today,
        )
        self._changed = True
