"""From one raw row of a known format to the canonical row that a dataset kind calls for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from aligntune_core.data.formats.dialogues import read_dialogue, split_pair
from aligntune_core.data.formats.messages import (
    Message,
    assistant,
    read_filled_text,
    read_messages,
    read_text,
    require_answers,
    require_question,
    user,
)
from aligntune_core.data.formats.unusable import UnusableRow

Row = dict[str, Any]
RawRow = Mapping[str, Any]
Reader = Callable[[RawRow], Row]
"""A function from a raw row to a canonical one; raises UnusableRow."""

Turns = str | list[Message]
"""A prompt or an answer: plain text that continues as it is, or messages for the chat template."""


def read_prompt(value: object) -> Turns:
    """A prompt given as text or as messages."""
    if isinstance(value, str) or value is None:
        return read_filled_text(value, "prompt")
    return require_question(read_messages(value))


def read_answer(value: object) -> Turns:
    """An answer given as text, as one message or as messages."""
    if isinstance(value, str) or value is None:
        return read_filled_text(value, "answer")
    return require_answers(read_messages(value))


def in_turns(value: Turns, spoken: Callable[[str], Message]) -> list[Message]:
    """The same as messages: a text becomes one, made by ``spoken``."""
    return [spoken(value)] if isinstance(value, str) else value


def demonstration(messages: list[Message]) -> Row:
    """Prompt and completion of a conversation with one answer; the whole conversation where there are several."""
    if messages[-1]["role"] != "assistant":
        raise UnusableRow("no answer at the end")
    require_answers(messages)
    if any(message["role"] == "assistant" for message in messages[:-1]):
        if not any(message["role"] == "user" for message in messages):
            raise UnusableRow("no prompt")
        return {"messages": messages}
    return {"prompt": require_question(messages[:-1]), "completion": messages[-1:]}


def _answered(prompt: Turns, answer: Turns) -> tuple[Turns, Turns]:
    if isinstance(prompt, str) and isinstance(answer, str):
        return prompt, answer
    turns = in_turns(answer, assistant)
    if turns[0]["role"] != "assistant" or turns[-1]["role"] != "assistant":
        raise UnusableRow("answer is not an assistant turn")
    return in_turns(prompt, user), turns


def _with_system(row: RawRow, messages: list[Message]) -> list[Message]:
    system = row.get("system")
    if system is None or system == "":
        return messages
    if messages[0]["role"] == "system":
        raise UnusableRow("two system prompts")
    return [{"role": "system", "content": read_text(system, "system prompt")}, *messages]


def _with_tools(row: RawRow, canonical: Row) -> Row:
    return canonical if row.get("tools") is None else {**canonical, "tools": row["tools"]}


def text_demonstration(row: RawRow) -> Row:
    """Plain text."""
    return {"text": read_filled_text(row.get("text"), "text")}


def _alpaca_question(row: RawRow) -> list[Message]:
    question, more = read_text(row.get("instruction"), "instruction"), row.get("input")
    if more is not None and read_text(more, "input").strip():
        question = f"{question}\n\n{more}" if question.strip() else more
    return _with_system(row, [user(read_filled_text(question, "prompt"))])


def alpaca_demonstration(row: RawRow) -> Row:
    """The instruction, a blank line and the input, if any; then the output."""
    answer = assistant(read_filled_text(row.get("output"), "answer"))
    return {"prompt": _alpaca_question(row), "completion": [answer]}


def alpaca_prompt(row: RawRow) -> Row:
    """The instruction, a blank line and the input, if any."""
    return {"prompt": _alpaca_question(row)}


def question_demonstration(row: RawRow) -> Row:
    """A question and its answer as one turn each."""
    answer = assistant(read_filled_text(row.get("answer"), "answer"))
    return {**question_prompt(row), "completion": [answer]}


def question_prompt(row: RawRow) -> Row:
    """A question as the user's turn."""
    return {"prompt": [user(read_filled_text(row.get("question"), "prompt"))]}


def completion_demonstration(row: RawRow) -> Row:
    """A prompt and its completion, texts or messages."""
    prompt, answer = _answered(read_prompt(row.get("prompt")), read_answer(row.get("completion")))
    if isinstance(prompt, str) or isinstance(answer, str):
        return {"prompt": prompt, "completion": answer}
    return _with_tools(row, demonstration([*prompt, *answer]))


def given_prompt(row: RawRow) -> Row:
    """The prompt as it stands."""
    return {"prompt": read_prompt(row.get("prompt"))}


def chat_in(column: str) -> Callable[[RawRow], list[Message]]:
    """A function that reads the conversation in ``column``, led by the row's system prompt if it has one."""
    return lambda row: _with_system(row, read_messages(row.get(column)))


def chat_demonstration(chat: Callable[[RawRow], list[Message]]) -> Reader:
    """Demonstrations from conversations."""
    return lambda row: _with_tools(row, demonstration(chat(row)))


def chat_prompt(chat: Callable[[RawRow], list[Message]]) -> Reader:
    """Prompts from conversations: all before the last answer."""

    def read(row: RawRow) -> Row:
        messages = chat(row)
        return {"prompt": require_question(messages[:-1] if messages[-1]["role"] == "assistant" else messages)}

    return read


def dialogue_pair(row: RawRow) -> Row:
    """A pair of hh-rlhf dialogues: the common leading turns are the prompt."""
    return dict(split_pair(read_dialogue(row.get("chosen")), read_dialogue(row.get("rejected"))))


def chat_pair(row: RawRow) -> Row:
    """A ShareGPT conversation that two answers continue."""
    return _pair(require_question(chat_in("conversations")(row)), row)


def given_pair(row: RawRow) -> Row:
    """A prompt with two answers; whole conversations as answers are split where they part."""
    return _pair(read_prompt(row["prompt"]) if "prompt" in row else None, row)


def _pair(prompt: Turns | None, row: RawRow) -> Row:
    chosen, rejected = read_answer(row.get("chosen")), read_answer(row.get("rejected"))
    if _is_whole(chosen) and _is_whole(rejected):
        split = split_pair(in_turns(chosen, assistant), in_turns(rejected, assistant))
        if prompt is not None and not _says(split["prompt"], prompt):
            raise UnusableRow("prompt is not that of chosen and rejected")
        return dict(split)
    if prompt is None:
        raise UnusableRow("no prompt")
    if chosen == rejected:
        raise UnusableRow("chosen and rejected are the same")
    if isinstance(prompt, str) and isinstance(chosen, str) and isinstance(rejected, str):
        return {"prompt": prompt, "chosen": chosen, "rejected": rejected}
    turns = in_turns(prompt, user)
    return {"prompt": turns, "chosen": _answered(turns, chosen)[1], "rejected": _answered(turns, rejected)[1]}


def _is_whole(answer: Turns) -> bool:
    return not isinstance(answer, str) and answer[0]["role"] != "assistant"


def _says(messages: list[Message], prompt: Turns) -> bool:
    if isinstance(prompt, str):
        return any(message["content"].strip() == prompt.strip() for message in messages)
    return all(message in messages for message in prompt)


def read_label(row: RawRow) -> bool:
    """Whether the answer is called good: true or false, 1 or 0, or those words.

    Raises:
        UnusableRow: If the label says neither.
    """
    label = row.get("label")
    if isinstance(label, str):
        label = {"true": True, "1": True, "false": False, "0": False}.get(label.strip().lower())
    if isinstance(label, bool | int | float) and label in (0, 1):
        return bool(label)
    raise UnusableRow("label is not true or false")


def labelled(read: Reader) -> Reader:
    """Labelled answers from what ``read`` makes of the rest of the row."""

    def read_labelled(row: RawRow) -> Row:
        label, canonical = read_label(row), read(row)
        if "messages" in canonical:
            messages = canonical.pop("messages")
            canonical |= {"prompt": require_question(messages[:-1]), "completion": messages[-1:]}
        return {**canonical, "label": label}

    return read_labelled


def called_good(read: Reader) -> Reader:
    """Demonstrations from labelled answers: the good ones."""

    def read_good(row: RawRow) -> Row:
        if not read_label(row):
            raise UnusableRow("labelled as a bad answer")
        return read(row)

    return read_good


def renamed(read: Reader, **names: str) -> Reader:
    """The same reader for rows in which columns are called otherwise: ``the reader's name = the row's name``."""
    return lambda row: read({**row, **{known: row.get(name) for known, name in names.items()}})
