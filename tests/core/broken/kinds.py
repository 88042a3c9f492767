"""Plugins that are broken, each in one way: what its module says, and how it is told."""

from __future__ import annotations

from dataclasses import dataclass

WHOLE = """
from pathlib import Path
from aligntune_core import *

FEATURES = ("full", "cpu")

@hookimpl
def aligntune_backend_info():
    return BackendInfo(**{{**dict(name={name!r}, summary="A backend", contract=1, capabilities=ROWS), **MORE}})

ROWS = (Capability("sft", features=FEATURES),)
MORE = {{}}

class Trainer:
    model = tokenizer = native = "the engine's"

    def __init__(self, job, emit):
        self.job, self.emit = job, emit

    def train(self):
        for event in (Started(1), Stepped(1, {{"loss": 1.0}}), Finished(1, 1.0, {{"train_loss": 1.0}})):
            self.emit(event)
        return TrainResult(1, 1.0, self.job.output_dir)

    def evaluate(self):
        return {{}}

    def save(self, path=None, *, merge=False):
        folder = Path(path or self.job.output_dir)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "model.txt").write_text("weights")
        return folder

@hookimpl
def aligntune_create_trainer(job, emit):
    return Trainer(job, emit)

@hookimpl
def aligntune_check_job(job):
    return []
"""
"""A whole backend, to which what a kind says is added."""


@dataclass(frozen=True)
class Kind:
    """One way to be broken.

    Args:
        says: What is told of it wherever backends are listed: its cause where it can't be used.
        first: What its module begins with.
        last: What comes after a whole backend.
        source: The whole module in place of all this.
        point: What its entry point names; the module if empty.
        name: The name of its entry point.
        ready: Whether its backend can be used all the same.
        checked: What a check says of it that names it; ``says`` if None.
        diagnosed: What the doctor says of it; ``says`` if empty.
        trains: Whether a job that names it can be trained.
    """

    says: str = ""
    first: str = ""
    last: str = ""
    source: str | bytes = ""
    point: str = ""
    name: str = "odd"
    ready: bool = False
    checked: str | None = None
    diagnosed: str = ""
    trains: bool = True


def broken(says, first="", last="", **other):
    return Kind(says, first, last, **other)


def noted(says, first="", last="", **other):
    return Kind(says, first, last, ready=True, **other)


def info(code):
    """A hook that says what the backend is, in other words."""
    return f"\n@hookimpl\ndef aligntune_backend_info():\n    {code}\n"


def rows(code):
    return f"\nROWS = {code}\n"


def more(code):
    return f"\nMORE = dict({code})\n"


def hook(name, code, arguments=""):
    return f"\n@hookimpl\ndef aligntune_{name}({arguments}):\n    {code}\n"


def brings(code):
    return hook("algorithms", f"return {code}")


EVIL = """
class Evil(str):
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __hash__(self): return hash("odd")
    def __str__(self): return "odd"
    def __repr__(self): raise ValueError("no")
    def __format__(self, how): raise ValueError("no")
"""

AT_IMPORT = {
    "raises": broken("can't be imported: ZeroDivisionError: division by zero", "1 / 0\n"),
    "raises without words": broken("can't be imported: ValueError", "raise ValueError\n"),
    "needs a module": broken("No module named 'nowhere_at_all'", "import nowhere_at_all\n"),
    "is no Python": broken("can't be imported: SyntaxError", source="def (\n"),
    "is no text": broken("can't be imported: SyntaxError", source=b"x = '\xff\xfe'\n"),
    "holds nothing but nought": broken("can't be imported: ", source=b"\0\0"),
    "exits": broken("can't be imported: SystemExit: 3", "raise SystemExit(3)\n"),
    "exits unsaid": broken("can't be imported: SystemExit", "import sys; sys.exit()\n"),
    "exits well": broken("can't be imported: SystemExit: 0", "import sys; sys.exit(0)\n"),
    "interrupts": broken("can't be imported: KeyboardInterrupt", "raise KeyboardInterrupt\n"),
    "raises a class of its own": broken(
        "can't be imported: Stop: now", "class Stop(BaseException): pass\nraise Stop('now')\n"
    ),
    "closes a generator": broken("can't be imported: GeneratorExit", "raise GeneratorExit\n"),
    "is cancelled": broken("can't be imported: CancelledError", "import asyncio\nraise asyncio.CancelledError\n"),
    "raises several": broken("can't be imported: ExceptionGroup: two", "raise ExceptionGroup('two', [ValueError()])\n"),
    "raises what has no words": broken(
        "can't be imported: Silent", "class Silent(Exception):\n    def __str__(self): return 1 / 0\nraise Silent\n"
    ),
    "raises what steers a terminal": broken(
        "can't be imported: ValueError: \\x1b[31mred two", "raise ValueError('\\x1b[31mred\\n\\n\\ntwo')\n"
    ),
    "raises a book": broken("can't be imported: ValueError: wordword", "raise ValueError('word' * 100_000)\n"),
    "runs in circles": broken("can't be imported: RecursionError", "def f(): f()\nf()\n"),
    "has no memory": broken("can't be imported: MemoryError", "raise MemoryError\n"),
    "imports itself": broken("can't be imported: ImportError", "from {module} import later\n"),
    "warns and takes it ill": broken(
        "can't be imported: UserWarning: hm",
        "import warnings\nwarnings.simplefilter('error')\nwarnings.warn('hm')\n",
    ),
    "asks the user": broken("can't be imported: EOFError", "input('a question')\n"),
    "asserts": broken("can't be imported: AssertionError: never", "assert False, 'never'\n"),
    "takes itself away": broken("can't be imported: ", "import sys\ndel sys.modules[__name__]\n"),
    "puts nothing in its place": broken("has no aligntune_backend_info", "import sys\nsys.modules[__name__] = 3\n"),
    "goes elsewhere and fails": broken("ZeroDivisionError", "import os\nos.chdir('/')\n1 / 0\n"),
    "is not there": broken("can't be imported: ModuleNotFoundError", point="nowhere_at_all"),
    "names what is not there": broken("can't be imported: AttributeError", point="{module}:nothing"),
    "names no module": broken("can't be imported: ", point="..x"),
    "names nothing": broken("can't be imported: ", point=" "),
}

BY_CONTRACT = {
    "is empty": broken("has no aligntune_backend_info", source="x = 1\n"),
    "marks no hook": broken("has no aligntune_backend_info", last="\ndel aligntune_backend_info\n"),
    "makes no trainer": broken("has no aligntune_create_trainer", last="\ndel aligntune_create_trainer\n"),
    "has no marks": broken(
        "has no aligntune_backend_info", source="def aligntune_backend_info(): ...\ndef aligntune_create_trainer(): ..."
    ),
    "fails to say what it is": broken("ZeroDivisionError", last=info("1 / 0")),
    "exits instead": broken("SystemExit: 4", last=info("raise SystemExit(4)")),
    "interrupts instead": broken("KeyboardInterrupt", last=info("raise KeyboardInterrupt")),
    "raises for users": broken("no", last=info("raise AlignTuneError('no.')")),
    "runs in circles when asked": broken("RecursionError", last=info("return aligntune_backend_info()")),
    "says nothing": broken("returned NoneType, not BackendInfo", last=info("return None")),
    "says a number": broken("returned int, not BackendInfo", last=info("return 3")),
    "says a table": broken("returned dict, not BackendInfo", last=info("return {'name': 'odd'}")),
    "says a class": broken("returned type, not BackendInfo", last=info("return BackendInfo")),
    "says it by and by": broken("returned generator, not BackendInfo", last=info("yield BackendInfo")),
    "says it later": broken(
        "returned coroutine, not BackendInfo", last="\n@hookimpl\nasync def aligntune_backend_info():\n    return 3\n"
    ),
    "says half": broken("AttributeError", last=info("return object.__new__(BackendInfo)")),
    "says it with a question": broken("aligntune_backend_info", last=hook("backend_info", "return 3", "x")),
    "is of a later contract": broken("needs version 99 of the contract", last=more("contract=99")),
    "is of no contract": broken("BackendInfo.contract is 'one'", last=more("contract='one'")),
    "has another name": broken("calls itself 'other', but its entry point is 'odd'", last=more("name='other'")),
    "has no name": broken("calls itself ''", last=more("name=''")),
    "has a number for a name": broken("calls itself '3'", last=more("name=3")),
    "lies about its name": broken("calls itself 'trl'", last=EVIL + more("name=Evil('trl')")),
    "has one row twice": broken("more than one row for sft", last=rows("(Capability('sft'), Capability('sft'))")),
    "has a row of nothing": broken(
        "a row for 'gropo', which is no algorithm. Did you mean 'grpo'?", last=rows("(Capability('gropo'),)")
    ),
    "has a row without a name": broken("a row for ''", last=rows("(Capability(''),)")),
    "has a row that steers a terminal": broken("a row for '\\x1b[31m'", last=rows("(Capability('\\x1b[31m'),)")),
    "has a row without end": broken("a row for 'aaaa", last=rows("(Capability('a' * 100_000),)")),
    "has a row without a reason": broken("has no note saying why", last=rows("(Capability('sft', 'experimental'),)")),
    "has a feature misspelt": broken("a feature", last=rows("(Capability('sft', features=('Lo ra!',)),)")),
    "has one feature": broken("", last=rows("(Capability('sft', features=3),)")),
    "has rows that are none": broken("BackendInfo.capabilities is", last=rows("('sft',)")),
    "has no rows": broken("NoneType", last=rows("None")),
    "fails on its rows": broken("ZeroDivisionError", last=rows("(1 / each for each in (0,))")),
    "needs nonsense": broken("torch>>2", last=more("requirements=('torch>>2',)")),
    "needs one text": broken("BackendInfo.requirements is 'torch>=2'", last=more("requirements='torch>=2'")),
    "lives with one text": broken("BackendInfo.conflicts is 'torch'", last=more("conflicts='torch'")),
    "lives without no module": broken("which is no module", last=more("conflicts=('no module',)")),
    "orders what is no module": broken(
        "which is no module", last=more("import_order=(ImportOrder('a b', ('torch',)),)")
    ),
    "takes one key": broken("BackendInfo.job_keys is 'seed'", last=more("job_keys='seed'")),
    "takes numbers for keys": broken("job_keys have 3, which is no text", last=more("job_keys=frozenset({3})")),
    "brings a number": broken("'int' object is not iterable", last=brings("3")),
    "brings numbers": broken("gave a int, not an Algorithm", last=brings("[3]")),
    "fails to bring": broken("ZeroDivisionError", last=brings("[1 / 0]")),
    "brings without end": broken(
        "gave more than 10000 values",
        last="import itertools\n"
        + brings("itertools.repeat(Algorithm('own', 'Own', 'sft', 'demonstrations', 'here'))"),
    ),
    "brings what has no name": broken(
        "brings an algorithm '', which is no name", last=brings("[Algorithm('', 'Own', 'sft', 'demonstrations', '')]")
    ),
    "brings what steers a terminal": broken(
        "which is no name", last=brings("[Algorithm('\\x1b[31m', 'Own', 'sft', 'demonstrations', '')]")
    ),
    "brings one alias as text": broken(
        "aliases", last=brings("[Algorithm('own', 'Own', 'sft', 'demonstrations', '', aliases='dpo')]")
    ),
    "misspells an argument": broken("probes", last=hook("check_job", "return []", "job, probes")),
    "is a class": broken("", last="\nclass Plugin:\n    aligntune_backend_info = 3\n", point="{module}:Plugin"),
    "fails when it is looked at": broken(
        "has no aligntune_backend_info",
        last="\nclass Plugin:\n    aligntune_backend_info = property(lambda self: 1 / 0)\n    "
        "__getattr__ = lambda self, name: 1 / 0\nplugin = Plugin()\n",
        point="{module}:plugin",
    ),
    "takes AlignTune's name": broken("the name is AlignTune's own", name="auto"),
    "takes it in capitals": broken("the name is AlignTune's own", name="Auto"),
    "takes a backend's name": broken("belongs to the distribution aligntune-trl", name="trl"),
    "takes it in capitals too": broken("belongs to the distribution aligntune-trl", name="TRL"),
    "has spaces in its name": broken("a name that no job can have", name="my odd"),
    "steers a terminal by its name": broken("a name that no job can have", name="\x1b[31mred"),
    "has a name without end": broken("a name that no job can have", name="a" * 500),
}

SIDE_EFFECTS = {
    "prints": noted("its plugin writes to standard output, 'hello'", "print('hello')\n"),
    "prints past Python": noted("its plugin writes to standard output", "import os\nos.write(1, b'hello\\n')\n"),
    "prints a book": noted("its plugin writes to standard output", "print('word ' * 100_000)\n"),
    "prints what it is": noted(
        "writes to standard output, 'me'",
        last=info("print('me'); return said()")
        + """
def said():
    return BackendInfo("odd", "A backend", 1, ROWS)
""",
    ),
    "goes elsewhere": noted("changes the working folder", "import os\nos.chdir('/')\n"),
    "sets a variable": noted(
        "changes environment variables", "import os\nos.environ['CUDA_VISIBLE_DEVICES'] = os.environ['COLUMNS'] = '1'\n"
    ),
    "clears all variables": noted("changes environment variables", "import os\nos.environ.clear()\n"),
    "takes standard output": noted("", "import sys, io\nsys.stdout = sys.stderr = io.StringIO()\n"),
    "has no standard output": noted("", "import sys\nsys.stdout = sys.stderr = sys.stdin = None\n"),
    "closes standard output": noted("", "import sys\nsys.stdout.close()\n"),
    "closes what is behind it": noted("", "import os\nos.close(1)\n"),
    "leads it elsewhere": noted("", "import os\nos.dup2(os.open(os.devnull, os.O_WRONLY), 1)\n"),
    "keeps it for a log": noted(
        "",
        "import logging, sys\nlogging.getLogger('odd').addHandler(logging.StreamHandler(sys.stdout))\n",
        hook("check_job", "import logging; logging.getLogger('odd').error('logged'); return []", "job"),
    ),
    "takes exceptions": noted("changes the hooks of sys", "import sys\nsys.excepthook = print\n"),
    "takes signals": noted(
        "changes the handlers of signals", "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    ),
    "takes interruptions": noted(
        "changes the handlers of signals", "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n"
    ),
    "hides other modules": noted("changes sys.path", "import sys\nsys.path.insert(0, '/nowhere')\n"),
    "takes all warnings ill": noted(
        "changes the filters of warnings", "import warnings\nwarnings.simplefilter('error')\n"
    ),
    "lowers a limit": noted("changes the limit of recursion", "import sys\nsys.setrecursionlimit(400)\n"),
    "warns": noted("", "import warnings\nwarnings.warn('hm')\n"),
    "ends as the process ends": noted("", "import atexit\natexit.register(print, 'bye')\n"),
}

ODD_WORDS = {
    "takes keys that are none": noted(
        "its job_keys name 'learing_rate', which is no job key. Did you mean 'learning_rate'?",
        diagnosed="its job_keys name 'learing_rate', which is no job key.",
        last=more("job_keys=frozenset({'learing_rate', 'seed', *Job.model_fields})"),
    ),
    "misspells a hook": noted("aligntune_chek_job", last=hook("chek_job", "return []", "job")),
    "means something else by sft": noted(
        "its algorithm 'sft' is refused",
        last=rows("(Capability('sft', features=FEATURES), Capability('dpo', features=FEATURES))")
        + brings("[Algorithm('sft', 'Own', 'reward', 'pairs', '')]"),
        checked="means something else",
        trains=False,
    ),
    "calls its own sft": noted(
        "its alias 'sft' means the core's 'sft'",
        last=rows("(Capability('own', features=FEATURES), Capability('sft', features=FEATURES))")
        + brings("[Algorithm('own', 'Own', 'sft', 'demonstrations', '', aliases=('sft',))]"),
    ),
    "contradicts itself": noted(
        "its plugin brings two algorithms of that name",
        last=rows("(Capability('own', features=FEATURES), Capability('sft', features=FEATURES))")
        + brings("[Algorithm('own', '', task, 'demonstrations', '') for task in ('sft', 'reward')]"),
    ),
    "steers a terminal by its words": noted(
        checked="",
        diagnosed="odd 1.0: it needs no packages",
        says="\\x1b[31mred",
        last=more("summary='\\x1b[31mred\\n\\n\\rtwo'")
        + rows("(Capability('sft', 'experimental', FEATURES, 'a\\n\\x1b[31mb'),)"),
    ),
    "writes a book of itself": noted(
        checked="", diagnosed="odd 1.0: it needs no packages", says="word word", last=more("summary='word ' * 100_000")
    ),
    "lies by its words": noted(
        "",
        last=EVIL
        + more("summary=Evil('x'), conflicts=(Evil('torch_of_no_one'),)")
        + rows("(Capability('sft', 'experimental', FEATURES, Evil('note')),)"),
    ),
    "lies by its class": noted(
        "",
        last="\nclass Lying(BackendInfo):\n    def capability(self, name): return 1 / 0\n    "
        "def __eq__(self, other): return 1 / 0\n    def __repr__(self): return 1 / 0\n"
        + info("return Lying('odd', 'A backend', 1, ROWS)"),
    ),
    "says it twice": noted(
        "",
        last="COUNT = []\n"
        + info("COUNT.append(1); return BackendInfo('odd', 'A backend', 1, ROWS if len(COUNT) == 1 else ())"),
    ),
}

IN_HOOKS = {
    "fails to check": noted(
        checked="failed while it checked the job: ZeroDivisionError",
        says="",
        last=hook("check_job", "1 / 0", "job"),
        trains=False,
    ),
    "exits as it checks": noted(
        checked="failed while it checked the job: SystemExit: 5",
        says="",
        last=hook("check_job", "raise SystemExit(5)", "job"),
        trains=False,
    ),
    "interrupts as it checks": noted(
        checked="failed while it checked the job: KeyboardInterrupt",
        says="",
        last=hook("check_job", "raise KeyboardInterrupt", "job"),
        trains=False,
    ),
    "fails after a problem": noted(
        checked="failed while it checked the job: ZeroDivisionError",
        says="",
        last=hook("check_job", "yield Problem('x', 'y.'); 1 / 0", "job"),
        trains=False,
    ),
    "finds a number": noted(
        checked="'int' object is not iterable", says="", last=hook("check_job", "return 3", "job"), trains=False
    ),
    "finds texts": noted(
        checked="gave a str, not a Problem", says="", last=hook("check_job", "return 'no'", "job"), trains=False
    ),
    "finds problems without end": noted(
        checked="gave more than 10000 values",
        says="",
        last=hook("check_job", "yield Problem('x', 'y.')\n    while True: yield Problem('x', 'y.')", "job"),
        trains=False,
    ),
    "finds half a problem": noted(
        checked="failed while it checked the job: AttributeError",
        says="",
        last=hook("check_job", "return [object.__new__(Problem)]", "job"),
        trains=False,
    ),
    "finds what steers a terminal": noted(
        checked="\\x1b[31mred two",
        says="",
        last=hook("check_job", "return [Problem('x', '\\x1b[31mred\\n\\ntwo', severity='warning')]", "job"),
    ),
    "prints as it checks": noted(
        checked="backend 'odd' writes to standard output, 'look'",
        says="",
        last=hook("check_job", "print('look'); return []", "job"),
    ),
    "goes elsewhere as it checks": noted(
        checked="backend 'odd' changes the working folder",
        says="",
        last=hook("check_job", "import os; os.chdir('/'); return []", "job"),
    ),
    "fails to plan": noted(
        checked="failed while it worked out the run: ZeroDivisionError",
        says="",
        last=hook("plan_job", "1 / 0", "job, rows"),
    ),
    "exits as it plans": noted(
        checked="failed while it worked out the run: SystemExit: 6",
        says="",
        last=hook("plan_job", "raise SystemExit(6)", "job, rows"),
    ),
    "plans a number": noted(checked="gave a int, not a Plan", says="", last=hook("plan_job", "return 3", "job, rows")),
    "plans half": noted(
        checked="gave a wrong Plan: its 'batch' is 3", says="", last=hook("plan_job", "return Plan(3)", "job, rows")
    ),
    "plans words": noted(
        checked="its 'steps' is 'many'",
        says="",
        last=hook("plan_job", "return Plan({'b': 1}, steps='many')", "job, rows"),
    ),
    "fails to diagnose": noted(
        says="",
        diagnosed="failed while it looked at the environment: ZeroDivisionError",
        last=hook("diagnose", "1 / 0"),
    ),
    "exits as it diagnoses": noted(
        says="",
        diagnosed="failed while it looked at the environment: SystemExit: 7",
        last=hook("diagnose", "raise SystemExit(7)"),
    ),
    "diagnoses numbers": noted(says="", diagnosed="gave a int, not a Problem", last=hook("diagnose", "return [3]")),
    "prints as it diagnoses": noted(
        says="",
        diagnosed="backend 'odd' writes to standard output, 'ill'",
        last=hook("diagnose", "print('ill'); return []"),
    ),
    "exits as it observes": noted(
        says="",
        last=hook("trainer_created", "raise SystemExit(8)", "job, trainer"),
    ),
    "makes no trainer after all": noted(says="", last=hook("create_trainer", "return 3", "job, emit"), trains=False),
    "exits as it makes a trainer": noted(
        says="", last=hook("create_trainer", "raise SystemExit(9)", "job, emit"), trains=False
    ),
}

KINDS = {**AT_IMPORT, **BY_CONTRACT, **SIDE_EFFECTS, **ODD_WORDS, **IN_HOOKS}
