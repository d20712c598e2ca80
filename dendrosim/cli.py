"""The command line: ``dendrosim COMMAND``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .errors import DendrosimError, MorphologyWarning

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
        Exit status: 0 done, 1 it failed for a reason that was printed, 2 wrong usage, 130 interrupted.
    """
    parser = _parser()
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        options, rest = parser.parse_known_args(arguments)
        if options.command == "bench":
            return _bench(rest)
        if rest:
            parser.error(f"unrecognized arguments: {' '.join(rest)}")
        status = _run(options)
        sys.stdout.flush()
        return status
    except SystemExit as stop:
        if isinstance(stop.code, str):
            print(stop.code, file=sys.stderr)
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except (DendrosimError, OSError) as error:
        if isinstance(error, BrokenPipeError):
            # the reader of our output has gone, as in `| head`; keep Python from complaining when it flushes at exit
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 1
        print(f"dendrosim: error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("dendrosim: interrupted", file=sys.stderr)
        return 130


def _run(options: argparse.Namespace) -> int:
    """Run a command; warnings about morphologies become lines of their own on standard error."""
    import warnings

    shown = warnings.showwarning

    def show(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
        if issubclass(category, MorphologyWarning):
            print(f"dendrosim: warning: {message}", file=sys.stderr)
        else:
            shown(message, category, *place, **more)

    with warnings.catch_warnings():
        warnings.simplefilter("always", MorphologyWarning)
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
        help="one neuron, whole: voltages, exact gradients and figures, in about a minute",
        description="Synapses on a shipped pyramidal cell, steady states for a few hundred stimuli, the exact gradient "
        "of its soma voltage, figures and one HDF5 file.",
    )
    demo.add_argument("--out", type=Path, default=Path("demo-output"), metavar="DIR", help="default: %(default)s")
    demo.add_argument("--morphology", default="pyramidal_l5", metavar="NAME|FILE", help="default: %(default)s")
    demo.add_argument("--stimuli", type=_positive, default=300, metavar="N", help="default: %(default)s")
    demo.add_argument("--seed", type=_natural, default=0, metavar="N", help="default: %(default)s")
    demo.add_argument("--threads", type=_positive, metavar="N", help="default: all processors")
    demo.set_defaults(run=_demo)

    morphology = commands.add_parser("morphology", help="look at a morphology file")
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
            action.add_argument("--out", type=Path, metavar="IMAGE", help="default: the name of FILE, .png, here")

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


def _positive(text: str) -> int:
    return _integer(text, least=1)


def _natural(text: str) -> int:
    return _integer(text, least=0)


def _integer(text: str, least: int) -> int:
    try:
        value = int(text)
    except ValueError:
        value = least - 1
    if value < least:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least {least}")
    return value


def _demo(options: argparse.Namespace) -> int:
    from .plotting.demo import plot_demo
    from .runs.demo import run_demo

    result = run_demo(
        options.out,
        morphology=options.morphology,
        stimuli=options.stimuli,
        seed=options.seed,
        threads=options.threads,
        progress=sys.stderr.isatty(),
    )
    print(result)
    for path in plot_demo(result, options.out):
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
    from .morphology.tree import Morphology

    morphology = Morphology.load(options.file)
    out = options.out or Path(Path(options.file).stem + ".png")
    morphology.plot().figure.savefig(out, dpi=200)
    print(out)
    return 0


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
