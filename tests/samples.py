"""Sample records of every kind, with a canary in every string a tracker must not read (COL-02).

Allowlisted are the timestamp, type tags, model names, token counters and the identifiers that keep
events from being counted twice; any other string becomes `CANARY:<path of the field>`, so that a
leak says where it came from. `write_canaries(home)` puts the records where the tools would and
gives their truth: a test that finds no canary should find these tokens.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rollouts import (
    Chat,
    Counters,
    EveryCode,
    Record,
    Rollout,
    Truth,
    compact,
    event_msg,
    lines,
    truth_of,
    write,
)

CANARY = "canary-5e1f0c7a"

GENERAL = frozenset({"timestamp"})
ALLOWED: dict[str, frozenset[str]] = {
    "session_meta": frozenset(
        {
            "payload.id",
            "payload.timestamp",
            "payload.originator",
            "payload.forked_from_id",
            "payload.parent_thread_id",
            "payload.source.subagent.thread_spawn.parent_thread_id",
            "payload.subagent_history_start_ordinal",
        }
    ),
    "turn_context": frozenset({"payload.model"}),
    "event_msg": frozenset({"payload.thread_settings.model"}),
    "token_usage_record": frozenset({"payload.thread_id", "payload.response_id"}),
    "event": frozenset(
        {
            "payload.id",
            "payload.msg.model",
            "payload.msg.info.requested_model",
            "payload.msg.info.latest_response_model",
        }
    ),
    "gemini": frozenset(
        f"{prefix}{name}"
        for prefix in ("", "messages.", "$set.messages.")
        for name in ("sessionId", "id", "timestamp", "model")
    ),
}


def planted(record: Record, family: str) -> Record:
    """The record with a canary in every string that is not allowlisted for its family."""
    allowed = GENERAL | ALLOWED.get(family, frozenset())

    def plant(value: Any, path: str) -> Any:
        if isinstance(value, dict):
            return {key: plant(its, f"{path}.{key}".lstrip(".")) for key, its in value.items()}
        if isinstance(value, list):
            return [plant(its, path) for its in value]
        kept = path in allowed or path.rpartition(".")[2] == "type" or path.endswith("_tokens")
        return f"{CANARY}:{path}" if isinstance(value, str) and not kept else value

    planted_record: Record = plant(record, "")
    return planted_record


def planted_line(record: Record) -> bytes:
    return compact(planted(record, record["type"]))


def response_item(kind: str, **fields: object) -> Record:
    return {"type": "response_item", "payload": {"type": kind, "id": "item_1", **fields}}


def event(kind: str, **fields: object) -> Record:
    return event_msg({"type": kind, "call_id": "call_1", **fields})


def texts() -> list[Record]:
    """Everything in a Codex session that is content: no tokens in it."""
    words = [{"type": "output_text", "text": "…", "annotations": ["…"]}]
    image = [{"type": "input_image", "image_url": "data:…", "detail": "high"}]
    changes = {f"{CANARY}:key": {"update": {"unified_diff": "…", "move_path": "…"}}}
    return [
        response_item("message", role="assistant", content=words, phase="final"),
        response_item("message", role="user", content=image),
        response_item("reasoning", summary=words, content=None, encrypted_content="…"),
        response_item("function_call", name="shell", arguments="{}", call_id="c", status="done"),
        response_item("function_call_output", call_id="c", output="…"),
        response_item("local_shell_call", action={"command": ["…"], "env": {"KEY": "…"}}),
        response_item("custom_tool_call", name="apply_patch", input="…", call_id="c"),
        response_item("custom_tool_call_output", call_id="c", output=words),
        response_item("web_search_call", action={"type": "search", "query": "…"}),
        response_item("a_type_of_tomorrow", surprise="…"),
        event("user_message", message="…", images=["…"], local_images=["…"]),
        event("agent_message", message="…"),
        event("agent_reasoning", text="…"),
        event("exec_command_begin", command=["…"], cwd="…", parsed_cmd=[{"cmd": "…"}]),
        event("exec_command_end", stdout="…", stderr="…", aggregated_output="…", exit_code=0),
        event("patch_apply_begin", changes=changes),
        event("mcp_tool_call_end", invocation={"server": "…", "arguments": {"q": "…"}}),
        event("task_complete", last_agent_message="…", turn_id="t1"),
        event("turn_aborted", reason="…"),
        event("error", message="…"),
        event("an_event_of_tomorrow", surprise={"deep": [["…"]]}),
        {"type": "compacted", "payload": {"message": "…", "replacement_history": words}},
        {"type": "world_state", "payload": {"state": {"environment": "…"}}},
        {"type": "a_record_of_tomorrow", "payload": "…", "extra": ["…"]},
    ]


COUNT = (
    '{"timestamp":"2026-08-10T09:20:00.000Z","type":"event_msg","payload":{"type":"token_count",'
)
BROKEN = (
    f'{COUNT}"text":"{CANARY}:torn',
    f'{COUNT}"info":"{CANARY}:info"}}}}',
    f'{COUNT}"info":{{"total_token_usage":"{CANARY}:total","last_token_usage":null}}}}}}',
    f'{COUNT}"info":{{"total_token_usage":{{"input_tokens":"{CANARY}:number"}}}}}}}}',
    f'{{"timestamp":"2026-08-10T09:20:00.000Z","type":"turn_context","payload":"{CANARY}:payload"}}',
    f'["{CANARY}:list"]',
    f'"{CANARY}:string"',
    f"{CANARY}:bare",
    f'\0\0{{"{CANARY}:key": "\0"}}',
)


def limits() -> Record:
    """Everything that rate limits may say."""
    primary = {"used_percent": 12.0, "window_minutes": 300, "name": "…"}
    said = {"primary": primary, "plan_type": "…", "limit_name": "…", "credits": {"balance": "9"}}
    return {"rate_limits": said}


def limited(payload: Record) -> Record:
    return event_msg(payload | limits() | {"note": "…"})


def in_msg(payload: Record) -> Record:
    return event_msg({"id": "7", "msg": payload | {"note": "…"}})


def old_spelling(counters: Counters) -> Record:
    """Numbers as strings, and the cache under its old name."""
    renamed = {"cached_input_tokens": "cache_read_input_tokens"}
    return {renamed.get(key, key): str(its) for key, its in counters._asdict().items()}


def codex_session() -> Rollout:
    """A parent with every kind of Codex record."""
    rollout = Rollout(1)
    rollout.spell = planted_line
    rollout.meta(
        git={"commit_hash": "…", "branch": "…", "repository_url": "…"},
        base_instructions={"text": "…"},
        dynamic_tools=[{"name": "…", "description": "…", "inputSchema": {"type": "object"}}],
        model_provider="…",
        agent_nickname="…",
    )
    context = {
        "approval_policy": "…",
        "sandbox_policy": {"type": "read-only", "writable_roots": ["…"]},
    }
    model = "gpt-5.2-codex"
    rollout.model(model).put(
        {"type": "turn_context", "payload": {"model": model, "cwd": "…", "summary": "…", **context}}
    )
    rollout.wrap = limited
    rollout.null().usage(1_200, 1_000, 80, 40).resend().estimate(4_100)
    for record in texts():
        rollout.put(record)
    rollout.settings("gpt-5.1").totals_only(900, 100, 20, 0, note="…")
    rollout.usage_record(700, 100, 20, 10).twins(800, 300, 30, 20, first="record")
    rollout.usage(60, 0, 6, 0).unstamp(timestamp=f"{CANARY}:timestamp")
    rollout.wrap, rollout.shape = in_msg, old_spelling
    rollout.usage(950, 900, 30, 5)
    for line in BROKEN:
        rollout.raw(line.encode())
    return rollout.usage(980, 900, 40, 5)


def codex_children(parent: Rollout) -> list[Rollout]:
    """A fork and a sub-agent, with every link there is."""
    fork = parent.fork(2, "11:00", history_base="…")
    agent = Rollout(3, "2026-08-10T12:00:00").numbered()
    spawn = {"parent_thread_id": parent.id, "depth": 1, "agent_path": "…", "agent_role": "…"}
    links = {"parent_thread_id": parent.id, "source": {"subagent": {"thread_spawn": spawn}}}
    agent.spell = planted_line
    agent.meta(**links).copy_head(parent, lines=slice(1, 8)).begins_own_history(str)
    return [
        fork.copy_head(parent).model("gpt-5.1").usage(90, 0, 9, 0),
        agent.model("gpt-5.1").usage(95, 0, 9, 0),
    ]


def enveloped(line: str) -> str:
    """A broken line as Every Code might leave it."""
    if not line.startswith(COUNT):
        return line
    head = COUNT.replace("event_msg", "event")
    head = head.replace('{"type":"token', '{"id":"1","event_seq":9,"msg":{"type":"token')
    return head + line.removeprefix(COUNT) + "}"


def every_code_sessions() -> list[EveryCode]:
    """A parent with every kind of Every Code's records, and its fork inside Codex's tree."""
    code = EveryCode(4, "2026-07-02T08:00:00")
    code.spell = planted_line
    code.order = {"order": {"request_ordinal": 1, "note": "…"}, "note": "…"}
    code.meta(git={"branch": "…"}, base_instructions={"text": "…"}, model_provider="…")
    configured = {"type": "session_configured", "model": "gpt-5.5-codex", "cwd": "…"}
    code.put(code.event(configured | {"history_log_id": 1, "rollout_path": "…"}))
    code.naming(requested="gpt-5.5-codex", answering="gpt-5.5-codex").task().null()
    code.named |= {"note": "…"}
    code.wrap = lambda payload: code.event(payload | limits() | {"note": "…"})
    code.usage(15_500, 12_000, 500, 256).resend().estimate(4_100).usage(900, 0, 20, 0)
    for record in texts():
        code.put(record).put(code.event(record["payload"]))
    for line in BROKEN:
        code.raw(enveloped(line).encode())
    code.usage(980, 900, 40, 5)
    fork = code.fork(7, "11:00", git={"branch": "…"}).inside(".codex").copy_head(code)
    return [code, fork.naming(answering="gpt-5.1").turns(2)]


def gemini_chat(number: int) -> Chat:
    chat = Chat(number, "2026-03-01T08:04:00")
    thought = {"subject": "…", "description": "…", "timestamp": "…"}
    call = {"id": "…", "name": "…", "args": {"path": "…"}, "result": [{"text": "…"}], "status": "…"}
    chat.write("m1", content=[{"text": "…"}], displayContent="…")
    chat.write("m2", type="info", content="…").write("m3", type="a_type_of_tomorrow", note="…")
    chat.answer("m4", 10, 2, 1, 0, 1).write("m4", thoughts=[thought], toolCalls=[call])
    return chat.answer("m5", 15, 2, 3, 4, 0).write("m5", content="…", agent={"name": "…"})


def gemini_document(chat: Chat) -> Record:
    extra = {"summary": "…", "directories": ["…"], "kind": "main", "memory": {"note": "…"}}
    return planted(chat.header() | extra | {"messages": list(chat.messages.values())}, "gemini")


def gemini_lines(chat: Chat) -> list[Record]:
    whole: Record = {"$set": {"messages": list(chat.messages.values()), "summary": "…"}}
    others = [whole, {"$rewindTo": "m2"}, {"$note": {"text": "…"}}]
    return [planted(record, "gemini") for record in [*chat.records(), *others]]


def rollouts() -> list[Rollout]:
    parent = codex_session()
    return [parent, *codex_children(parent), *every_code_sessions()]


def write_canaries(home: Path) -> Truth:
    """Puts all samples below a home and gives the tokens in them, of all three sources."""
    logs = rollouts()
    for rollout in logs:
        rollout.save(home)
    document, chat = gemini_chat(5), gemini_chat(6)
    write(document.path(home, ending=".json"), compact(gemini_document(document)))
    torn = f'{{"id":"m9","content":"{CANARY}:torn'.encode()
    write(chat.path(home, ending=".jsonl"), lines(gemini_lines(chat)) + torn)
    broken = home / ".gemini/tmp/app/chats/session-2026-03-02T08-00-broken.json"
    write(broken, f'{{"sessionId":"{CANARY}:half","messages":[{{'.encode())
    return truth_of(*logs, document, chat)
