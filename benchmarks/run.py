"""Benchmarks of dendrosim side by side with other programs; `dendrosim bench` runs this file."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Sequence
from pathlib import Path

# One thread for every library, unless a benchmark starts more itself; set before numpy and JAX are imported.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[_name] = "1"
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} --xla_cpu_multi_thread_eigen=false".strip()
os.environ.setdefault("NEURON_MODULE_OPTIONS", "-nogui")


sys.path.insert(0, str(Path(__file__).resolve().parent))

NAMES = (
    "limits",
    "startup",
    "memory",
    "scaling",
    "steady",
    "transient",
    "layers",
    "rules",
    "teaching",
    "residual",
    "sweeps",
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run what was asked for and print its tables."""
    program = Path(sys.argv[0]).name if sys.argv[0].endswith("bench") else "run.py"
    parser = argparse.ArgumentParser(
        prog="dendrosim bench" if program != "run.py" else program,
        description="Measure speed side by side with scipy and, where installed, NEURON, Jaxley, PyTorch and JAX.",
        epilog="Keep the machine otherwise idle. The full run takes about twenty minutes.",
    )
    parser.add_argument("--quick", action="store_true", help="small sizes and few repetitions: about five minutes")
    parser.add_argument("--only", choices=NAMES, action="append", metavar="NAME", help=f"any of {', '.join(NAMES)}")
    parser.add_argument("--out", type=Path, metavar="DIR", help="also write every table to DIR/NAME.csv")
    options = parser.parse_args(argv)

    import layers
    import limits
    import memory
    import populations
    import residual
    import rules
    import scaling
    import startup
    import steady
    import sweeps
    import teaching
    import transient
    from timing import Progress, Table, load

    import dendrosim

    chosen = options.only or NAMES
    progress = Progress()
    print(
        f"dendrosim {dendrosim.__version__}, Python {platform.python_version()}, {platform.platform()}; {load()}",
        flush=True,
    )

    def show(*tables: Table) -> None:
        progress.clear()
        for table in tables:
            print(f"\n{table}", flush=True)
            if options.out is not None:
                table.write(options.out)

    machine = None
    if {"limits", "steady"} & set(chosen):
        machine, table = limits.measure(options.quick, progress)
        show(table)
    if "startup" in chosen:
        show(startup.run(options.quick, progress))
    if "memory" in chosen:
        show(memory.run(options.quick, progress))
    if "scaling" in chosen:
        show(*scaling.run(options.quick, progress))
    if "steady" in chosen and machine is not None:
        show(*steady.run(options.quick, progress, machine))
    if "transient" in chosen:
        show(*transient.run(options.quick, progress), populations.run(options.quick, progress))
    if "layers" in chosen:
        layers.run(options.quick, options.out)
    if "residual" in chosen:
        residual.run(options.quick, options.out)
    if "rules" in chosen:
        show(rules.run(options.quick, progress))
    if "teaching" in chosen:
        show(*teaching.run(options.quick, progress))
    if "sweeps" in chosen:
        show(sweeps.run(options.quick, progress))
    return 0


if __name__ == "__main__":
    sys.exit(main())
