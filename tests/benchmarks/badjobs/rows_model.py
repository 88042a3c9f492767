"""Models and tokenizers that can't be loaded or lack something."""

from __future__ import annotations

from badjobs.by_hand import script
from badjobs.folders import cut_short, removed, settings, weights_not_finite
from badjobs.jobs import sft
from badjobs.row import BadJob, Stage

_TOKENIZER = "model/tokenizer_config.json"

ROWS = (
    BadJob(
        "model-missing",
        "the model's folder is misspelt: `./modle`",
        sft(model_name="./modle"),
        script().replace('"./model"', '"./modle"'),
        "model-not-found",
    ),
    BadJob(
        "model-without-config",
        "the model's folder has no `config.json`",
        sft(),
        script(),
        "model-not-readable",
        files=(removed("model/config.json"),),
    ),
    BadJob(
        "model-cut-short",
        "`model.safetensors` ends after its first half",
        sft(),
        script(),
        "model-broken",
        files=(cut_short("model/model.safetensors"),),
    ),
    BadJob(
        "model-not-finite",
        "one weight of the model is NaN",
        sft(),
        script(),
        "run",
        Stage.TRAINING,
        files=(weights_not_finite,),
    ),
    BadJob(
        "no-tokenizer",
        "the model's folder has no tokenizer",
        sft(),
        script(),
        "model",
        files=(removed("model/tokenizer*", "model/chat_template.jinja"),),
    ),
    BadJob(
        "no-chat-template",
        "conversations, and a tokenizer without a chat template",
        sft(),
        script(),
        stage=Stage.SAID,
        files=(removed("model/chat_template.jinja"),),
        remark="AlignTune gives it a plain template, saved with the model.",
    ),
    BadJob(
        "no-end-token",
        "the tokenizer has no end-of-text token",
        sft(),
        script(),
        "model",
        files=(settings(_TOKENIZER, eos_token=None),),
    ),
    BadJob(
        "pad-is-end",
        "the tokenizer pads with the end-of-text token",
        sft(),
        script(),
        stage=Stage.TRAINED,
        files=(settings(_TOKENIZER, pad_token="<|im_end|>"),),
        remark="It does no harm in SFT, whose padding is left out by place: the loss is that of the good job.",
    ),
)
