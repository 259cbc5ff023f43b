"""The silent leads of a day's sheet about which a person has to decide."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from service.cut_bait import Shown
from service.law_words import next_opening
from service.letting_go import FIRST, choices, first_steps
from service.sheet.desk import Desk
from service.sheet.found import Found, Item, item, key
from service.wording import count, words
from workflows.cut_bait import most_attempts, needs_manager
from workflows.law_table import CURRENT
from workflows.lead import Lead
from workflows.proposals import NOT_AS_TOUCH, next_mode, next_value_item
from workflows.telephone import Telephone


def undecided(desk: Desk, cards: Mapping[UUID, Shown]) -> Iterable[Item]:
    """Yield the silent leads about which a person has to decide: those whose card proposes it, and those that nobody may
    try again before."""
    # Whom a card proposes with the least return comes first.
    silent = sorted(desk.of("no_response"), key=lambda lead: cards[lead.id].card.return_per_hour if lead.id in cards else 0)
    for lead in silent:
        shown = cards.get(lead.id)
        if shown and shown.card.grounds:
            found = Found(lead=lead, kind="decision", why="; ".join(shown.why), notes=shown.lines, commands=shown.commands)
            yield item(desk, found)
            continue
        if lead.breakup_voicemail_at or lead.breakup_email_at or lead.cut_bait == "breakup" or not _spent(desk, lead):
            continue
        typed, playbook, modes = key(desk, lead), desk.playbook_of(lead), ", ".join(map(words, lead.modes_tried))
        steps = first_steps(lead, playbook, shown.card.checklist, typed) if shown else ()
        open_ = choices(lead, playbook, steps)
        # Without a decision before it, nurture takes a reason of its own.
        by = " --as manager:NAME" if needs_manager(lead, playbook) else ""
        yield item(
            desk,
            Found(
                lead=lead,
                kind="decision",
                why=f"{count(lead.attempts, 'attempt')} unanswered ({modes}): {_asked(open_)}?",
                notes=tuple(map(FIRST.format, steps)),
                commands=(
                    *(
                        f"thaw breakup confirm {typed} --choice {choice}"
                        for choice in open_
                        if not choice.startswith("nurture")
                    ),
                    f"thaw nurture start {typed} --waiver TEXT{by}",
                ),
            ),
        )


def _asked(open_: Sequence[str]) -> str:
    """Return between what there is to choose; a breakup is not always possible yet, nor one more try."""
    asked = {"breakup": "break up", "one_more_try": "try once more"}
    found = [asked[choice.split()[0]] for choice in open_ if choice.split()[0] in asked]
    return f"{', '.join(found)}, or nurture" if found else "nurture"


def _spent(desk: Desk, lead: Lead) -> bool:
    """Tell whether the planner proposes no further attempt: none are left, or nothing is left to try or to bring."""
    playbook = desk.playbook_of(lead)
    if lead.attempts >= most_attempts(lead, playbook) or next_value_item(lead, playbook) is None:
        return True
    if next_mode(lead, playbook, desk.day, CURRENT, without=NOT_AS_TOUCH):
        return False
    # Who could only be called, and for whom no hour opens for weeks, is not waited for.
    of_leads = {digest: each.contact_hours for digest, each in desk.playbooks.items()}
    telephone = Telephone(desk.calendar, desk.playbook, None, of_leads=of_leads)
    return next_mode(lead, playbook, desk.day, CURRENT) is None or next_opening(lead, telephone, desk.day) is None
