"""A playbook: the parameters of a method, as data. Published versions never change; leads pin one by its digest."""

from functools import cached_property
from typing import Annotated, Literal

import msgspec

from workflows.capacity import Capacity
from workflows.codec import canonical, digest
from workflows.commands import Command, FireTimer, Mode, QueueRevival, Slug
from workflows.events import PlaybookPin
from workflows.invitation_playbook import Invitation
from workflows.playbook_sections import STRUCTURAL, Ask, Call, Contact, ContactHours, Drop, Importance, OnNoResponse
from workflows.priority import Weights
from workflows.pursuit_playbook import Pursuit

#: What a version looks like, and a playbook's exact version.
VERSION = r"^\d{1,4}\.\d{1,4}\.\d{1,4}$"
EXACTLY = r"^[a-z0-9][a-z0-9_.:-]{0,79}@\d{1,4}\.\d{1,4}\.\d{1,4}$"

#: Between the id of a playbook and the rep for whose days another is made of it (`workflows.layers`); in no other id.
MADE_FOR = ".of."

Days = Annotated[int, msgspec.Meta(ge=0, le=3650)]
WorkingDays = Annotated[int, msgspec.Meta(ge=0, le=250)]


class _Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class Audience(_Section, frozen=True, kw_only=True):
    """Who may enter the queue."""

    stale_after_days: Days = 90
    exclude_open_opportunity: bool = True
    rotation_days: Days = 180
    """Nobody is queued or called again within these days."""
    require_qualified: bool = False


class Timers(_Section, frozen=True, kw_only=True):
    """Durations of methods.md 2.5. Names end in their unit; working days are the rep's."""

    reason_probe_working_days: WorkingDays = 1
    homework_working_days: WorkingDays = 3
    triage_days: Days = 30
    revisit_days: Days = 60
    queue_age_days: Days = 180
    note_slot_working_days: WorkingDays = 1
    call_grace_working_days: WorkingDays = 1
    call_late_working_days: WorkingDays = 3
    call_expiry_working_days: WorkingDays = 10
    next_attempt_working_days: WorkingDays = 2
    response_window_working_days: WorkingDays = 5
    breakup_window_working_days: WorkingDays = 10
    nurture_interval_months: Annotated[int, msgspec.Meta(ge=1, le=12)] = 1
    nurture_day: Annotated[int, msgspec.Meta(ge=1, le=28)] | msgspec.UnsetType = msgspec.UNSET
    """The day of the month on which everybody is owed the touch; without it, the day on which each was touched before."""
    nurture_floor_days: Days = 183
    requeue_days: Days = 180
    next_step_working_days: WorkingDays = 5
    lapse_working_days: WorkingDays = 10
    meeting_outcome_working_days: WorkingDays = 5
    hold_review_days: Days = 90
    out_of_office_days: Days = 14
    """How long a prospect who is out of office without a date is left alone."""
    review_days: Days = 0
    """After how long a no is to be looked at again; 0 for never."""


class Attempts(_Section, frozen=True, kw_only=True):
    """How often, and in how many modes, a silent prospect is tried."""

    min_before_breakup: Annotated[int, msgspec.Meta(ge=1, le=50)] = 3
    min_modes_before_breakup: Annotated[int, msgspec.Meta(ge=1, le=8)] = 2
    max: Annotated[int, msgspec.Meta(ge=1, le=50)] = 6
    max_when_important: Annotated[int, msgspec.Meta(ge=1, le=50)] = 9
    """The budget of leads whose importance is ``importance.high_from`` or more."""
    modes: tuple[Mode, ...] = ("call", "email", "handwritten_note", "courier", "fax", "other")


class Checks(_Section, frozen=True, kw_only=True):
    """Content checks that must have passed, been attested or been overridden before the touch counts as sent."""

    note: tuple[Slug, ...] = ("personal_fact", "reminds_who_we_are", "future_call", "not_form_letter")
    touch: tuple[Slug, ...] = ("recalls_prior_interest", "no_empty_check_in")
    nurture: tuple[Slug, ...] = ("one_click_unsubscribe", "postal_address")
    media: tuple[Literal["hand_written", "robot_pen"], ...] = ("hand_written",)
    """How a note may be written; typed and printed ones never count."""


PerMille = Annotated[int, msgspec.Meta(ge=0, le=1000)]
Words = Annotated[int, msgspec.Meta(ge=0, le=100_000)]


class ContentLimits(_Section, frozen=True, kw_only=True):
    """What `workflows.content` compares its measures with: likeness per mille, lengths in words."""

    form_letter_warn: PerMille = 650
    form_letter_refuse: PerMille = 750
    """From here on two texts are one form letter: reworded templates were 820 alike, personal notes 480 at most."""
    short_below_words: Words = 15
    """A body shorter than this is never refused for being alike: "How are you?" is nobody's template."""
    fact_least: PerMille = 800
    meeting_least: PerMille = 600
    value_repeated_below: PerMille = 800
    words_least: Words = 30
    words_most: Words = 80
    words_refused_above: Words = 400
    similar_for_days: Days = 180
    """Texts of the team older than this are not compared with."""


class Breakup(_Section, frozen=True, kw_only=True):
    """How far apart the two halves of a breakup may be, in working hours of the rep."""

    max_gap_working_hours: Annotated[int, msgspec.Meta(ge=1, le=80)] = 8


class Homework(_Section, frozen=True, kw_only=True):
    """What must be known about a declined account before anyone contacts it."""

    fields: tuple[Slug, ...] = (
        "industry_rank_now", "industry_rank_before", "industry_changes", "economy_or_technology", "problems_this_year",
        "how_we_alleviate", "future_need",
    )  # fmt: skip
    min_sources: Annotated[int, msgspec.Meta(ge=0, le=20)] = 1
    source_max_age_days: Days = 365
    fresh_for_days: Days = 180
    cite_sources: bool = False
    """Each source says where it stands."""
    min_needs: Annotated[int, msgspec.Meta(ge=0, le=20)] = 0
    """How many anticipated needs homework on an account must have brought."""
    study_first: bool = False
    """Nobody who said no enters the queue, by whatever way, before the account's history was opened and there is a strategy."""
    blocks: tuple[Contact, ...] = ("note", "call", "touch")
    """What waits for homework and strategy: notes and calls, by waiting for the queue, and the value touches of nurture."""


class Reason(_Section, frozen=True, kw_only=True):
    """Why they said no: what hides a reason, and what to ask."""

    generic: tuple[Slug, ...] = ("price", "no_need_to_change_vendor", "no_budget", "bad_timing")
    """Stated reasons that disguise the real one."""
    questions: tuple[Slug, ...] = ("goals_this_year", "current_vendor_problems", "ideal_solution", "what_would_motivate")
    """What to ask them, in this order."""
    in_their_words: bool = False
    """A real reason that is recorded together with the no needs their words too."""
    structural: tuple[Slug, ...] = STRUCTURAL
    """Real reasons that no revival changes: ``weights.structural`` is taken off."""


class Playbook(_Section, frozen=True, kw_only=True, dict=True):
    """One method's parameters. Times are working days of the rep unless their name says otherwise."""

    schema: Annotated[int, msgspec.Meta(ge=1, le=1)]
    id: Slug
    version: Annotated[str, msgspec.Meta(pattern=VERSION)]
    title: str
    source: str
    extends: tuple[Annotated[str, msgspec.Meta(pattern=EXACTLY)], ...] = ()
    """Playbooks whose fields it took over, each as ``id@version``; what it says itself goes before."""
    first_touch: Mode = "handwritten_note"
    audience: Audience = Audience()
    capacity: Capacity = Capacity()
    timers: Timers = Timers()
    attempts: Attempts = Attempts()
    checks: Checks = Checks()
    content: ContentLimits = ContentLimits()
    breakup: Breakup = Breakup()
    homework: Homework = Homework()
    reason: Reason = Reason()
    contact_hours: ContactHours = ContactHours()
    value_items: tuple[Slug, ...] = ()
    """What can be brought that is new, in the order of preference; each at most once per lead."""
    weights: Weights = Weights()
    importance: Importance = Importance()
    ask: Ask = Ask()
    drop: Drop = Drop()
    call: Call = Call()
    on_no_response: OnNoResponse = OnNoResponse()
    invitation: Invitation | msgspec.UnsetType = msgspec.UNSET
    """Of a playbook for campaigns; left out by all others, whose published bytes stand as they did."""
    pursuit: Pursuit | msgspec.UnsetType = msgspec.UNSET
    """How far the silent are pursued; a playbook published before there was this leaves it out, and has none of its rules."""

    @cached_property
    def pin(self) -> PlaybookPin:
        """What an event records of this playbook."""
        return PlaybookPin(id=self.id, version=self.version, digest=digest(canonical(self)))


_decoder = msgspec.json.Decoder(Playbook)


def decode_playbook(body: str | bytes) -> Playbook:
    """Return the published playbook in *body*. Its pin is the digest of *body* as it stands.

    A release that knows more fields fills them with their defaults; the pin stays what the events have.
    """
    playbook = _decoder.decode(body)
    known = body.encode() if isinstance(body, str) else body
    # Where `pin` keeps what it worked out.
    vars(playbook)["pin"] = PlaybookPin(id=playbook.id, version=playbook.version, digest=digest(known))
    return playbook


def pins_newest(command: Command) -> bool:
    """Tell whether *command* may put a lead in the queue, where it gets the newest version of its playbook."""
    return isinstance(command, QueueRevival) or (isinstance(command, FireTimer) and command.timer in {"requeue", "revisit"})
