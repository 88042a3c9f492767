"""What only a machine with a CUDA GPU can show; run with `make gpu`."""

import math
import os

import pytest

os.environ["HF_HUB_OFFLINE"] = "1"
torch = pytest.importorskip("torch", reason="torch is not installed")

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA GPU here"),
]


def sft(folder, **job):
    from aligntune import create_sft_trainer

    events = []
    job = {
        "max_steps": 20,
        "batch_size": 8,
        "learning_rate": 2e-3,
        "logging_steps": 1,
        "output_dir": str(folder),
        "on_event": events.append,
        **job,
    }
    return create_sft_trainer("builtin:tiny", "builtin:instructions", backend="trl", **job), events


def losses(events):
    return [event.metrics["loss"] for event in events if "loss" in getattr(event, "metrics", {})]


def started(events):
    return next(event for event in events if type(event).__name__ == "Started")


@pytest.fixture
def bits():
    return pytest.importorskip("bitsandbytes", reason="bitsandbytes is not installed")


def test_a_job_that_names_no_precision_learns_in_bf16(tmp_path):
    trainer, events = sft(tmp_path)
    trainer.train()
    assert trainer.native.args.bf16
    assert started(events).device.startswith("cuda")
    assert losses(events)[-1] < 0.7 * losses(events)[0]


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_a_named_precision_is_taken(tmp_path, precision):
    trainer, events = sft(tmp_path, precision=precision)
    trainer.train()
    assert (trainer.native.args.bf16, trainer.native.args.fp16) == (False, precision == "fp16")
    assert losses(events)[-1] < 0.7 * losses(events)[0]


@pytest.mark.usefixtures("bits")
@pytest.mark.parametrize("algorithm", ["sft", "dpo", "reward", "grpo", "ppo"])
def test_adapters_learn_on_a_model_in_4_bits(tmp_path, algorithm):
    from aligntune import create_trainer

    events = []
    data = {"sft": "builtin:instructions", "dpo": "builtin:preferences", "reward": "builtin:preferences"}
    online = {"reward_functions": ["length(target=5)"], "max_completion_length": 16}
    trainer = create_trainer(
        algorithm=algorithm,
        backend="trl",
        model_name="builtin:tiny",
        dataset_name=data.get(algorithm, "builtin:arithmetic"),
        output_dir=str(tmp_path),
        use_peft=True,
        load_in_4bit=True,
        batch_size=4,
        max_steps=4,
        learning_rate=1e-3,
        logging_steps=1,
        on_event=events.append,
        **({} if algorithm in data else online),
    )
    trainer.train()
    assert any("4bit" in type(module).__name__.lower() for module in trainer.model.modules())
    assert all(math.isfinite(loss) for loss in losses(events))
    weights = [weight for name, weight in trainer.model.named_parameters() if "lora_B" in name]
    assert weights
    assert any(bool(weight.abs().max() > 0) for weight in weights)
    assert (trainer.save() / "adapter_model.safetensors").is_file()


def test_a_resumed_run_goes_on_where_it_was_stopped(tmp_path):
    whole, events = sft(tmp_path / "whole", max_steps=8, precision="fp32")
    whole.train()
    first, _ = sft(tmp_path / "parts", max_steps=8, save_steps=4, precision="fp32")
    first.train()
    rest, later = sft(
        tmp_path / "parts", max_steps=8, precision="fp32", resume=str(tmp_path / "parts" / "checkpoint-4")
    )
    rest.train()
    assert losses(later) == pytest.approx(losses(events)[4:], rel=1e-4)


def test_a_run_that_diverges_is_stopped(tmp_path):
    from aligntune import RunError

    trainer, _ = sft(tmp_path, learning_rate=1e30, max_grad_norm=0, lr_scheduler="constant")
    with pytest.raises(RunError, match="diverged"):
        trainer.train()


def test_the_device_is_found_without_torch():
    from aligntune_core.machine.devices import cuda_device_count, device

    assert device() == "cuda"
    assert cuda_device_count() == torch.cuda.device_count()
