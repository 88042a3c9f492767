"""The engine's trainers take rows that are mapped from a file, with columns of any kind."""

import json

from trl_runs import PROMPTS, build, build_online, trained


def written(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def test_reward_functions_get_what_is_in_the_file(letters, tmp_path):
    facts = ["007", 2**53 + 1, 0.30000000000000004, {"a": 1}, {"b": [1, "x"]}, None]
    seen = {}

    def reward(completions, facts, when, number, **_):
        for fact, date, place in zip(facts, when, number, strict=True):
            seen[place] = (fact, date)
        return [float(len(text)) for text in completions]

    rows = [{**PROMPTS[n], "facts": facts[n % 6], "when": "2024-05-01", "number": n} for n in range(8)]
    job = {"dataset_name": written(tmp_path / "rows.jsonl", rows), "reward_functions": [reward], "max_steps": 2}
    trained(build_online("grpo", letters, output_dir=str(tmp_path / "out"), **job))
    assert seen
    assert all(pair == (facts[number % 6], "2024-05-01") for number, pair in seen.items())


def test_tools_and_calls_reach_the_chat_template(tmp_path):
    tools = [{"type": "function", "function": {"name": "f", "parameters": {"x": {"type": "number"}}}}]
    messages = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]
    rows = [{"messages": messages, "tools": tools if n % 2 else None} for n in range(8)]
    path = written(tmp_path / "rows.jsonl", rows)
    run = trained(build("sft", "builtin:tiny", path, output_dir=str(tmp_path / "out"), max_steps=1, batch_size=2))
    assert len(run.logged("loss")) == 1
