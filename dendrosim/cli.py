"""The command line: ``dendrosim COMMAND``."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .commands import audit, neuromorpho, reproduce, results, sweep
from .commands import run as run_command
from .commands.checks import natural, positive
from .errors import DendrosimError, MorphologyWarning, ParameterError, StoreWarning

_HERE = Path(__file__).resolve().parent


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments without the program's name; those of the process by default.

    Returns
    -------
    int
        Exit status: 0 done, 1 it failed for a reason that was printed, 2 wrong usage, 3 a run fails ``audit --check``,
        130 interrupted, 141 the reader of the output went away (as in ``| head``), which is what the shell gives
        programs that SIGPIPE ends.
    """
    if argv is None and isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal that knows ASCII alone gets question marks, not an error
    try:
        status = _main(list(sys.argv[1:] if argv is None else argv))
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        # keep Python from complaining when it flushes at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except (DendrosimError, OSError) as error:
        text = str(error)
        if isinstance(error, OSError) and error.filename is not None and error.strerror:
            text = f"{os.fsdecode(error.filename)}: {error.strerror}"
        print(f"dendrosim: error: {text}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("dendrosim: interrupted", file=sys.stderr)
        return 130


def _main(arguments: list[str]) -> int:
    """Parse the arguments and run the command; what asks to exit becomes a status."""
    parser = _parser()
    try:
        options, rest = parser.parse_known_args(arguments)
        if options.command == "bench":
            return _bench(rest)
        if rest:
            parser.error(f"unrecognized arguments: {' '.join(rest)}")
        return _run(options)
    except SystemExit as stop:
        if isinstance(stop.code, str):
            print(stop.code, file=sys.stderr)
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)


def _run(options: argparse.Namespace) -> int:
    """Run a command; warnings about morphologies and stores become lines of their own on standard error."""
    import warnings

    shown = warnings.showwarning

    def show(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
        if issubclass(category, MorphologyWarning | StoreWarning):
            print(f"dendrosim: warning: {message}", file=sys.stderr)
        else:
            shown(message, category, *place, **more)

    with warnings.catch_warnings():
        warnings.simplefilter("always", MorphologyWarning)
        warnings.simplefilter("always", StoreWarning)
        warnings.showwarning = show
        return int(options.run(options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dendrosim", description="Biophysical dendritic neurons that learn with local rules.", allow_abbrev=False
    )
    parser.add_argument("--version", action=_Version)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    demo = commands.add_parser(
        "demo",
        help="one neuron, whole, and a network that learns digits by local rules; about a minute",
        description="Synapses on a shipped pyramidal cell, steady states for a few hundred stimuli, the exact gradient "
        "of its soma voltage; then a network of dendritic neurons that learns handwritten digits, told more or less "
        "about its errors. Figures and HDF5 files.",
    )
    demo.add_argument("--out", type=Path, default=Path("demo-output"), metavar="DIR", help="default: %(default)s")
    demo.add_argument("--morphology", default="pyramidal_l5", metavar="NAME|FILE", help="default: %(default)s")
    demo.add_argument("--stimuli", type=positive, default=300, metavar="N", help="default: %(default)s")
    demo.add_argument("--seed", type=natural, default=0, metavar="N", help="default: %(default)s")
    demo.add_argument("--threads", type=positive, metavar="N", help="default: all processors")
    demo.set_defaults(run=_demo)

    morphology = commands.add_parser("morphology", help="look at a morphology file, or get one from NeuroMorpho.Org")
    actions = morphology.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name, run, text in (
        ("info", _info, "what is in the file: samples, sections, regions, sizes"),
        ("check", _check, "every fault, as `file:line: error|warning code message`; exit status 1 on errors"),
        ("plot", _plot, "draw it into an image file"),
    ):
        action = actions.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        action.add_argument("file", metavar="FILE", help="an SWC file, or the name of a shipped cell")
        action.set_defaults(run=run)
        if name == "plot":
            action.add_argument("--out", type=Path, metavar="IMAGE", help="an image file, or a folder for NAME.png")
    neuromorpho.add(actions)

    run_command.add(commands)
    sweep.add(commands)
    results.add(commands)
    audit.add(commands)
    reproduce.add(commands)
    commands.add_parser("bench", add_help=False, help="measure speed side by side with other simulators; takes --help")
    return parser


class _Version(argparse.Action):
    """Prints the version; looked up only when asked for."""

    def __init__(self, option_strings: Sequence[str], dest: str) -> None:
        super().__init__(option_strings, dest=argparse.SUPPRESS, nargs=0, help="show the version and exit")

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from .about import __version__

        print(f"dendrosim {__version__}")
        parser.exit(0)


def _demo(options: argparse.Namespace) -> int:
    from .plotting.demo import plot_demo
    from .plotting.demo_learning import plot_demo_learning
    from .runs.demo import run_demo
    from .runs.demo_learning import run_demo_learning

    result = run_demo(
        options.out,
        morphology=options.morphology,
        stimuli=options.stimuli,
        seed=options.seed,
        threads=options.threads,
        progress=sys.stderr.isatty(),
    )
    print(result)
    learning = run_demo_learning(options.out, seed=options.seed, threads=options.threads, progress=sys.stderr.isatty())
    print(f"\n{learning}\n")
    for path in (*plot_demo(result, options.out), *plot_demo_learning(learning, options.out)):
        print(path)
    return 0


def _info(options: argparse.Namespace) -> int:
    from .morphology.tree import Morphology

    print(Morphology.load(options.file).summary())
    return 0


def _check(options: argparse.Namespace) -> int:
    from .morphology.checkfile import check_file
    from .morphology.shipped import find_source

    report = check_file(find_source(options.file))
    for line in report.lines(limit=100):
        print(line)
    print(report.summary())
    return 0 if report.ok else 1


def _plot(options: argparse.Namespace) -> int:
    from matplotlib.backend_bases import FigureCanvasBase

    from .morphology.tree import Morphology

    # three of matplotlib's are no pictures that anyone could look at
    formats = set(FigureCanvasBase.get_supported_filetypes()) - {"pgf", "raw", "rgba"}
    out = _image(options.out, Path(options.file).stem, formats)
    figure = Morphology.load(options.file).plot().figure
    figure.savefig(out, dpi=200)
    print(out)
    return 0


def _image(out: Path | None, name: str, formats: set[str]) -> Path:
    """File to draw into: ``NAME.png`` here or in a folder, or the one that was named, with an ending that says how."""
    out = None if out is None else Path(os.path.expanduser(out))
    if out is None or out.is_dir():
        return (out or Path()) / f"{name}.png"
    if not out.suffix:
        return out.with_name(f"{out.name}.png")
    if out.suffix[1:].lower() not in formats:
        known = ", ".join(f".{ending}" for ending in sorted(formats))
        raise ParameterError(f"--out {out}: {out.suffix} is no image format that can be written; valid: {known}")
    return out


def _bench(arguments: Sequence[str]) -> int:
    """Run the benchmarks' own script: those of the wheel, or those of the checkout that this module is in."""
    import runpy

    shipped = _HERE / "_data"
    script = (shipped if shipped.is_dir() else _HERE.parent) / "benchmarks" / "run.py"
    sys.argv = [f"{Path(sys.argv[0]).name} bench", *arguments]
    sys.path.insert(0, str(script.parent))
    runpy.run_path(str(script), run_name="__main__")
    return 0


if __name__ == "__main__":
    sys.exit(main())
