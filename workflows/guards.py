"""The guards of the transition table by their ids: each passes (None) or says which rule refuses, why, and on what inputs.

A guard's id is the name of its function; the rule that it refuses with is the same unless a clearer word exists for people.
"""

from collections.abc import Callable, Iterator
from typing import Any

from workflows import (
    checks,
    cold,
    ending_guards,
    homework,
    invitation_checks,
    law_guards,
    mail,
    merging,
    migration,
    people_guards,
    plan_guards,
    promise_guards,
    pursuit_guards,
    queue_guards,
    suppression,
    touch_guards,
)
from workflows.commands import Command
from workflows.context import Facts, Refused

Guard = Callable[[Facts, Any], Refused | None]


def as_its_mail(facts: Facts, _: Command) -> Refused | None:
    """Refuse a breakup's voicemail while its mail could not go out: it promises that mail (A1-3, A1-9)."""
    return refusal(checks.GUARDS_OF_MAIL, facts) if checks.asks_as_mail(facts.command, facts.context) else None


GUARDS: dict[str, Guard] = {
    "manager": people_guards.manager,
    "person": people_guards.person,
    "not_held": people_guards.not_held,
    "held": people_guards.held,
    "hold_ends_ahead": people_guards.hold_ends_ahead,
    "another_owner": people_guards.another_owner,
    "owned": people_guards.owned,
    "owner_present": people_guards.owner_present,
    "owner_was_present": promise_guards.owner_was_present,
    "note_promised": promise_guards.note_promised,
    "note_was_sent": promise_guards.note_was_sent,
    "no_open_opportunity": queue_guards.no_open_opportunity,
    "stale": queue_guards.stale,
    "rotation": queue_guards.rotation,
    "qualified": queue_guards.qualified,
    "qualified_if_required": queue_guards.qualified_if_required,
    "reason_probed": queue_guards.reason_probed,
    "homework_fresh": queue_guards.homework_fresh,
    "homework_refreshed": queue_guards.homework_refreshed,
    "strategy_recorded": queue_guards.strategy_recorded,
    "importance_answered": queue_guards.importance_answered,
    "connector_answered": queue_guards.connector_answered,
    "rested": queue_guards.rested,
    "mode_left": queue_guards.mode_left,
    "homework_answered": queue_guards.homework_answered,
    "homework_sources": queue_guards.homework_sources,
    "reason_evidence": queue_guards.reason_evidence,
    "said_no": homework.said_no,
    "questions_known": homework.questions_known,
    "history_opened": homework.history_opened,
    "account_studied": homework.account_studied,
    "sources_cited": homework.sources_cited,
    "needs_anticipated": homework.needs_anticipated,
    "new_need": homework.new_need,
    "real_reason_evidence": homework.real_reason_evidence,
    "another_lead": merging.another_lead,
    "into_known": merging.into_known,
    "into_not_erased": merging.into_not_erased,
    "into_not_merged": merging.into_not_merged,
    "not_taken_in": merging.not_taken_in,
    "may_migrate": migration.may_migrate,
    "another_playbook": migration.another_playbook,
    "step_kept": migration.step_kept,
    "step_mapped": migration.step_mapped,
    "first_touch_is_note": plan_guards.first_touch_is_note,
    "fresh_relationship": plan_guards.fresh_relationship,
    "planned_day": plan_guards.planned_day,
    "promise_day": plan_guards.promise_day,
    "promise_gap": plan_guards.promise_gap,
    "note_slot": plan_guards.note_slot,
    "call_slot": plan_guards.call_slot,
    "follow_up_slot": plan_guards.follow_up_slot,
    "same_call_slot": plan_guards.same_call_slot,
    "later_day": plan_guards.later_day,
    "contact_hours": law_guards.contact_hours,
    "law_facts": law_guards.law_facts,
    "consent_over": law_guards.consent_over,
    "attempts_left": plan_guards.attempts_left,
    "new_value": plan_guards.new_value,
    "new_mode": plan_guards.new_mode,
    "touch_gap": plan_guards.touch_gap,
    "not_suppressed": suppression.not_suppressed,
    "note_reachable": touch_guards.note_reachable,
    "call_reachable": touch_guards.call_reachable,
    "email_reachable": touch_guards.email_reachable,
    "mode_permitted": touch_guards.mode_permitted,
    "note_wanted": touch_guards.note_wanted,
    "touch_mode": touch_guards.touch_mode,
    "hand_written": touch_guards.hand_written,
    "content_checks": checks.content_checks,
    "not_before_planned": touch_guards.not_before_planned,
    "human_reply": touch_guards.human_reply,
    "personal_topic_first": touch_guards.personal_topic_first,
    "decision_or_next_step": touch_guards.decision_or_next_step,
    "later_date_or_keep_in_touch": touch_guards.later_date_or_keep_in_touch,
    "meeting_ahead": touch_guards.meeting_ahead,
    "next_step_overdue": touch_guards.next_step_overdue,
    "as_its_mail": as_its_mail,
    "breakup_halves": ending_guards.breakup_halves,
    "breakup_halves_together": ending_guards.breakup_halves_together,
    "attempts_made": ending_guards.attempts_made,
    "modes_tried": ending_guards.modes_tried,
    "offer_known": ending_guards.offer_known,
    "cut_bait_confirmed": ending_guards.cut_bait_confirmed,
    "monitored_reply_address": ending_guards.monitored_reply_address,
    "breakup_impossible_or_waived": ending_guards.breakup_impossible_or_waived,
    "idle": cold.idle,
    "one_invitation": invitation_checks.one_invitation,
    "audience": invitation_checks.audience,
    "new_asset": ending_guards.new_asset,
    "once_a_month": ending_guards.once_a_month,
    "drop_reason_of_declined": ending_guards.drop_reason_of_declined,
    "drop_reason_of_nurture": ending_guards.drop_reason_of_nurture,
    "breakup_mail_open": ending_guards.breakup_mail_open,
    "no_mail_under_way": mail.no_mail_under_way,
    "mail_waiting": mail.mail_waiting,
    "mail_under_way": mail.mail_under_way,
    "not_back_yet": mail.not_back_yet,
    "importance_allows": pursuit_guards.importance_allows,
    "everything_tried": pursuit_guards.everything_tried,
    "cut_bait_reason": pursuit_guards.cut_bait_reason,
    "one_more_is_new": pursuit_guards.one_more_is_new,
    "actions_listed": pursuit_guards.actions_listed,
    "way_known": pursuit_guards.way_known,
    "mode_open": pursuit_guards.mode_open,
    "connector_known": pursuit_guards.connector_known,
    "asset_kind_known": pursuit_guards.asset_kind_known,
    "nurture_mode": pursuit_guards.nurture_mode,
    "nurture_owed": pursuit_guards.nurture_owed,
    "nurtured_and_good": pursuit_guards.nurtured_and_good,
}


def refusal(ids: tuple[str, ...], facts: Facts) -> Refused | None:
    """Return the first refusal among the guards *ids*, None when all pass."""
    return next(refusals(ids, facts), None)


def refusals(ids: tuple[str, ...], facts: Facts) -> Iterator[Refused]:
    """Yield every refusal among the guards *ids*, in their order."""
    return (refused for guard in ids if (refused := GUARDS[guard](facts, facts.command)))
