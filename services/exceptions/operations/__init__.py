"""What can be done with cases, tasks and rules: one function per act."""

from services.exceptions.operations.acts import (
    LaterCase,
    NoRules,
    accept_handover,
    acknowledge_case,
    assign_task,
    commit_task,
    complete_task,
    decide_case,
    get_case,
    get_case_of_task,
    hand_over_task,
    pause_case,
    refuse_task,
    reopen_case,
    resume_case,
    return_handover,
    take_case,
    verify_case,
    waive_task,
)
from services.exceptions.operations.causes import (
    avert_shortage,
    clear_case,
    finish_notices,
    follow_choice,
    follow_decline,
    load_cases,
    load_causes,
    open_case,
    open_waiting_cases,
    predict_shortage,
    reassess_impact,
    settle_case,
)
from services.exceptions.operations.imports import KnownCase, LiveWorld, import_case, load_imported, must_not_be_live
from services.exceptions.operations.rules import (
    climb_ladder,
    escalate_case,
    keep_calendar,
    keep_ladder,
    keep_playbook,
    keep_roster,
    keep_thresholds,
    retime_rungs,
)

__all__ = [
    "KnownCase", "LaterCase", "LiveWorld", "NoRules", "accept_handover", "acknowledge_case", "assign_task", "avert_shortage", "clear_case", "climb_ladder", "commit_task",
    "complete_task", "decide_case", "escalate_case", "finish_notices", "follow_choice", "follow_decline", "get_case", "get_case_of_task",
    "hand_over_task", "import_case", "keep_calendar", "keep_ladder", "keep_playbook", "keep_roster", "keep_thresholds", "load_cases",
    "load_causes", "load_imported", "must_not_be_live", "open_case", "open_waiting_cases", "pause_case", "predict_shortage", "reassess_impact", "refuse_task",
    "reopen_case", "resume_case", "retime_rungs", "return_handover", "settle_case", "take_case", "verify_case", "waive_task",
]  # fmt: skip
