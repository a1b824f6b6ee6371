# SPDX-License-Identifier: MIT
"""Build a fuzz target and run it for a while, guided by the code it reaches.

It begins from tests/fuzz/corpus/TARGET and from what earlier runs found, in build/fuzz/TARGET/. An
input that fails is kept there, and the line that runs it again is printed. `syscalls` is checked
against the reference model; its failures are made short, as a script for `model --replay`."""

import hashlib
import shutil
import subprocess
import tempfile

from kozo import fuzzing, packages, paths, term
from kozo.commands import add_build_options, refuse_extra
from kozo.errors import FAILED, OK, UsageProblem

HELP = "run a fuzz target"
ORDER = 34
EPILOG = "targets: " + " ".join(fuzzing.targets())
LONGEST = 4096  # bytes of an input


def add_arguments(parser):
    add_build_options(parser)
    parser.add_argument("target", metavar="TARGET", help="what to fuzz")
    parser.add_argument("--time", default="60s", metavar="T", help="how long: 90s, 10m, 2h (60s)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="where chance begins (1)")
    parser.add_argument("--merge", action="store_true",
                        help="instead: keep in the tree what was found and "
                             "reaches more of the code")


def _fuzz(args, program, found):
    """Run it; returns the exit code."""
    command = [program, f"-seed={args.seed}", f"-max_total_time={fuzzing.seconds(args.time)}",
               f"-max_len={LONGEST}", "-timeout=20", "-print_final_stats=1",
               *fuzzing.words(args.target), f"-artifact_prefix={found}/", found,
               *fuzzing.kept(args.target)]
    log = found.with_suffix(".log")
    term.note(f"fuzzing {args.target} for {args.time}; log: {paths.shown(log)}")
    with open(log, "w") as to:
        status = subprocess.call([str(c) for c in command], stdin=subprocess.DEVNULL, stdout=to,
                                 stderr=subprocess.STDOUT, env=fuzzing.environment())
    output = log.read_text(errors="replace")
    if status == 0:
        stats = [line for line in output.splitlines()
                 if line.startswith("stat::number_of_executed")]
        runs = stats[0].split()[-1] if stats else "?"
        term.out(f"{args.target}: {runs} runs, nothing found")
        return OK
    term.error(f"{args.target}: {fuzzing.complaint(output)}")
    return _tell(args, program, fuzzing.artifact(output), found)


def _tell(args, program, artifact, found):
    if artifact is None:
        return FAILED
    term.out(f"again with: {paths.shown(program)} {paths.shown(artifact)}")
    if args.target == "syscalls":
        script = found / "failure.txt"
        programs = fuzzing.Programs(paths.build_tree(args.debug, args.build_dir), ["model"])
        ended = fuzzing.run([paths.shown(programs.path("model")), "--input", artifact,
                             "--save", paths.shown(script)])
        term.out(ended.output.rstrip())
    return FAILED


def _merge(args, program, found):
    """Keep in the tree the seeds with names, and the fewest inputs that reach what they do not."""
    kept = fuzzing.CORPUS / args.target
    kept.mkdir(parents=True, exist_ok=True)
    seeds = [f for f in kept.iterdir() if not fuzzing.is_found(f)]
    with tempfile.TemporaryDirectory(prefix="kozo-merge-") as folder:
        for seed in seeds:
            shutil.copy(seed, folder)
        ended = fuzzing.run([program, "-set_cover_merge=1", "-use_counters=0",
                             f"-max_len={LONGEST}",
                             folder, kept, found])
        if ended.status != 0:
            term.error(f"{args.target}: {fuzzing.complaint(ended.output)}")
            return FAILED
        _replace(kept, [f for f in paths.Path(folder).iterdir() if not (kept / f.name) in seeds])
    inputs = list(kept.iterdir())
    term.out(f"{args.target}: {len(inputs)} inputs, {len(seeds)} of them seeds, "
             f"{sum(f.stat().st_size for f in inputs)} bytes")
    return OK


def _replace(kept, inputs):
    """Let these be the inputs found by fuzzing, named by their hash."""
    contents = [f.read_bytes() for f in inputs]
    for old in filter(fuzzing.is_found, list(kept.iterdir())):
        old.unlink()
    for content in contents:
        (kept / hashlib.sha1(content).hexdigest()[:fuzzing.NAME_DIGITS]).write_bytes(content)


def run(args):
    refuse_extra(args)
    if args.target not in fuzzing.targets():
        raise UsageProblem(f"{args.target} is no target "
                           f"(there are: {', '.join(fuzzing.targets())})")
    fuzzing.seconds(args.time)
    packages.ensure()
    tree = paths.build_tree(args.debug, args.build_dir)
    program = fuzzing.Programs(tree, [args.target]).path(args.target)
    found = tree.root / "fuzz" / args.target
    found.mkdir(parents=True, exist_ok=True)
    return (_merge if args.merge else _fuzz)(args, program, found)
