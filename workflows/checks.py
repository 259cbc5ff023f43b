"""Content checks as the machine sees them: verdicts that people or programs give, by which a touch may count as sent."""

from workflows.commands import Reference, Slug
from workflows.context import Context, Refused
from workflows.events import Verdict
from workflows.sentences import words

_SENTENCES = {
    "personal_fact": "the note uses something personal that we know about the prospect",
    "reminds_who_we_are": "the note says where we met",
    "future_call": "the note says that you will call",
    "not_form_letter": "the note does not read like a form letter",
    "recalls_prior_interest": "it opens with what the prospect was interested in",
    "no_empty_check_in": "it is more than an empty check-in",
    "one_click_unsubscribe": "the mail can be unsubscribed with one click",
    "postal_address": "the mail carries our postal address",
}


def settle_checks(
    checks: tuple[Slug, ...], attested: tuple[Slug, ...], override: Reference | None, context: Context
) -> tuple[Verdict, ...]:
    """Return the verdict on each of *checks* that has one.

    A computed verdict outranks a person's word; an override passes what is missing or failed, and says so as its source.
    """
    computed = {verdict.check: verdict for verdict in context.verdicts}
    settled = []
    for check in checks:
        verdict = computed.get(check)
        if verdict is None and check in attested:
            verdict = Verdict(check=check, passed=True, source=f"attested by {context.actor}")
        if override and (verdict is None or not verdict.passed):
            inputs = verdict.inputs if verdict else {}
            verdict = Verdict(check=check, passed=True, source="overridden", inputs=inputs)
        if verdict:
            settled.append(verdict)
    return tuple(settled)


def refuse_unchecked(checks: tuple[Slug, ...], verdicts: tuple[Verdict, ...]) -> Refused | None:
    """Refuse when one of *checks* has no verdict or a bad one."""
    known = {verdict.check: verdict for verdict in verdicts}
    for check in checks:
        verdict = known.get(check)
        claim = _SENTENCES.get(check, words(check))
        if verdict is None:
            reason = f"Nobody has confirmed that {claim}: it was neither attested nor overridden."
            return Refused(rule=f"check.{check}"[:80], reason=reason, inputs={"check": check, "verdict": None})
        if not verdict.passed:
            reason = f"The check whether {claim} failed ({verdict.source}); change it, or override with a reason."
            inputs = {**verdict.inputs, "check": check, "verdict": False, "source": verdict.source}
            return Refused(rule=f"check.{check}"[:80], reason=reason, inputs=inputs)
    return None
