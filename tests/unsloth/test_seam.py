"""The seam at which an engine is laid into the TRL backend, tried with one that trains on the CPU."""

import pytest

pytest.importorskip("trl", reason="TRL is not installed")

from aligntune import create_trainer
from aligntune_core import Job, JobError
from aligntune_core.events import ignore
from aligntune_trl.trainers.engine import PLAIN, PlainEngine
from aligntune_trl.trainers.make import build_trainer


def job(folder, algorithm="sft", **more):
    data = {"sft": "builtin:instructions", "grpo": "builtin:arithmetic", "ppo": "builtin:arithmetic"}[algorithm]
    online = {"reward_functions": ["length(target=5)"], "max_completion_length": 4, "batch_size": 2}
    return Job(
        algorithm=algorithm,
        model_name="builtin:tiny",
        dataset_name=data,
        output_dir=str(folder),
        max_steps=2,
        logging_steps=1,
        seed=3,
        precision="fp32",
        **{**({} if algorithm == "sft" else online), **more},
    )


class Loaded(PlainEngine):
    """Loads the model itself, as an engine of its own would."""

    def __init__(self):
        self.asked = []

    def configuration(self, made_of, kind, arguments):
        self.asked.append("configuration")
        return super().configuration(made_of, kind, arguments)

    def prepared(self, made_of, config):
        self.asked.append("prepared")
        return super().prepared(made_of, config)

    def model(self, made_of, config):
        self.asked.append("model")
        return {"model": self.policy(made_of, config)}

    def policy(self, made_of, config):
        self.asked.append("policy")
        return super().policy(made_of, config)

    def trainer(self, made_of, kind):
        self.asked.append("trainer")
        return type("Own", (kind,), {})

    def settle(self, made_of, native):
        self.asked.append("settle")
        super().settle(made_of, native)


def losses(native):
    return [entry["loss"] for entry in native.state.log_history if "loss" in entry]


@pytest.mark.parametrize(
    ("algorithm", "order"),
    [
        ("sft", ["configuration", "prepared", "trainer", "model", "policy", "settle"]),
        ("grpo", ["configuration", "prepared", "trainer", "model", "policy", "settle"]),
        ("ppo", ["configuration", "trainer", "policy", "settle"]),
    ],
)
def test_an_engine_is_asked_in_order_and_its_model_and_class_are_used(algorithm, order, tmp_path):
    engine = Loaded()
    trainer = build_trainer(job(tmp_path, algorithm), ignore, engine)
    assert engine.asked == order
    assert type(trainer.native).__name__ == "Own"
    if algorithm == "sft":
        assert trainer.train().steps == 2


def test_a_model_that_an_engine_loads_learns_as_the_one_that_trl_loads(tmp_path):
    by_engine = build_trainer(job(tmp_path / "engine"), ignore, Loaded())
    by_engine.train()
    plain = build_trainer(job(tmp_path / "plain"), ignore, PLAIN)
    plain.train()
    assert losses(by_engine.native) == losses(plain.native)


def test_what_an_engine_refuses_after_the_trainer_is_made_stops_the_job(tmp_path):
    class Refusing(PlainEngine):
        def settle(self, made_of, native):
            raise JobError([])

    with pytest.raises(JobError):
        build_trainer(job(tmp_path), ignore, Refusing())


def test_a_value_error_of_the_engines_own_code_is_a_refusal(tmp_path):
    class Refusing(PlainEngine):
        packages = frozenset({__name__.partition(".")[0]})

        def model(self, made_of, config):
            raise ValueError("no such thing")

    with pytest.raises(JobError, match="no such thing"):
        build_trainer(job(tmp_path), ignore, Refusing())


def test_an_adapter_is_folded_in_by_the_engine(tmp_path):
    folded = []

    class Folding(PlainEngine):
        def merged(self, model):
            folded.append(model)
            return super().merged(model)

    trainer = build_trainer(job(tmp_path, use_peft=True), ignore, Folding())
    trainer.train()
    trainer.save(tmp_path / "merged", merge=True)
    assert folded == [trainer.model]
    assert (tmp_path / "merged" / "config.json").is_file()


def test_trl_s_own_way_is_the_default(tmp_path):
    trainer = create_trainer(
        algorithm="sft",
        backend="trl",
        model_name="builtin:tiny",
        dataset_name="builtin:instructions",
        output_dir=str(tmp_path),
        max_steps=1,
        on_event=ignore,
    )
    assert type(trainer.native).__module__.startswith("trl.")
