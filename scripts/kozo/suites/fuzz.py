# SPDX-License-Identifier: MIT
"""the kernel beside its reference model, and fuzz targets, for a bounded number of runs

All of it is seeded and counted in runs, not in seconds: it does the same each time.
"""

import tempfile
import time

from kozo import fuzzing, paths
from kozo.harness.results import ERROR, FAIL, PASS, Result
from kozo.harness.runner import Job

ORDER = 24
NEEDS_BUILD = True
SECONDS = 300.0

SEED = 1
RANDOM_OPS = 200_000
TRACE_OPS = 20_000
DEPTH = 5       # of the exhaustive search

# Runs of each target, its corpus among them: a few seconds of each.
RUNS = {"bootinfo": 1_000, "cpio": 200_000, "elf": 500_000, "manifest": 150_000, "protocol": 20_000,
        "startinfo": 30_000, "syscalls": 300}
MODELS = ["model", "model-fast"]


def _result(context, group, case, ended, start, again, good=True):
    """A program that should have ended with 0."""
    base = dict(suite="fuzz", group=group, name=case, seconds=time.monotonic() - start)
    if ended.status == 0 and good:
        return [Result(status=PASS, **base)]
    folder = context.log_folder("fuzz", group)
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / f"{case}.log"
    log.write_text(ended.output)
    kind = "hang" if ended.status is None else "crash" if ended.status < 0 else ""
    tail = "\n".join(ended.output.splitlines()[-30:])
    return [Result(status=ERROR if kind else FAIL, kind=kind,
                   message=fuzzing.complaint(ended.output),
                   body=f"again with: {again}\n\n{tail}", log=str(log), **base)]


def _model_case(context, programs, case, program, arguments):
    start = time.monotonic()
    path = programs.path(program)
    folder = context.log_folder("fuzz", "model")
    folder.mkdir(parents=True, exist_ok=True)
    script = folder / f"{case}.txt"
    ended = fuzzing.run([path, "--quiet", "--save", script, *arguments],
                        context.seconds(SECONDS))
    return _result(context, "model", case, ended, start,
                   f"{paths.shown(path)} --replay {paths.shown(script)}")


def _trace_case(context, programs):
    """The same seed gives the same trace, with sanitizers and without; another seed another."""
    start = time.monotonic()
    traces = []
    for program, seed in (("model", SEED), ("model-fast", SEED), ("model-fast", SEED + 1)):
        ended = fuzzing.run([programs.path(program), "--quiet", "--seed", seed, "--ops", TRACE_OPS],
                            context.seconds(SECONDS))
        traces.append(ended.output.partition("trace ")[2].partition(";")[0])
    good = traces[0] != "" and traces[0] == traces[1] != traces[2]
    return _result(context, "model", "same_seed_same_trace", ended, start,
                   f"model --seed {SEED} --ops {TRACE_OPS}, which gave {traces}", good)


def _scripts_case(context, programs):
    """Failures of the past, replayed."""
    start = time.monotonic()
    for script in sorted(fuzzing.SCRIPTS.glob("*.txt")):
        ended = fuzzing.run([programs.path("model"), "--quiet", "--replay", script],
                            context.seconds(SECONDS))
        if ended.status != 0:
            break
    return _result(context, "model", "scripts", ended, start,
                   f"model --replay {paths.shown(script)}")


def _target_case(context, programs, target):
    start = time.monotonic()
    path = programs.path(target)
    folder = context.log_folder("fuzz", target)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="kozo-fuzz-") as found:  # else it adds to the corpus
        ended = fuzzing.run([path, f"-seed={SEED}", f"-runs={RUNS[target]}", "-timeout=60",
                             "-max_len=2048", *fuzzing.words(target), f"-artifact_prefix={folder}/",
                             found, *fuzzing.kept(target)],
                            context.seconds(SECONDS))
    artifact = fuzzing.artifact(ended.output)
    return _result(context, target, "runs", ended, start,
                   f"{paths.shown(path)} {paths.shown(artifact) if artifact else ''}")


def collect(context):
    programs = fuzzing.Programs(context.tree, MODELS + fuzzing.targets())
    jobs = [
        Job("fuzz", "model", lambda: _model_case(context, programs, "exhaustive", "model-fast",
                                                 ["--exhaust", DEPTH]), ("exhaustive",)),
        Job("fuzz", "model", lambda: _model_case(context, programs, "random", "model",
                                                 ["--seed", SEED, "--ops", RANDOM_OPS]),
            ("random",)),
        Job("fuzz", "model", lambda: _trace_case(context, programs), ("same_seed_same_trace",)),
        Job("fuzz", "model", lambda: _scripts_case(context, programs), ("scripts",)),
    ]
    return jobs + [Job("fuzz", t, lambda t=t: _target_case(context, programs, t), ("runs",))
                   for t in fuzzing.targets()]
