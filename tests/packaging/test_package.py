# SPDX-License-Identifier: BSD-3-Clause
"""The source distribution, and the wheel that is built from it: what is inside, and that it works away from the checkout.

``PYHARNESS_DIST`` names a folder with both, as ``make package`` leaves them; else they are built here.
"""

import ast
import email
import json
import os
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

NEEDS = ("iverilog", "libngspice0")
# on one worker: the building takes most of the time
pytestmark = pytest.mark.xdist_group("packaging")

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
TRAVELS = ("configs", "hdl", "veriloga")
SOURCE = ("pyharness", *TRAVELS)
ALONE = {"CHANGELOG.md", "LICENSE", "MANIFEST.in", "PKG-INFO", "README.md", "pyproject.toml", "setup.cfg", "setup.py"}
JOB: dict[str, Any] = {
    "images": [[["#."]], [[".#"]]],
    "training": {"hidden": 1, "targets_siemens": [2e-4, 2.5e-4, 1.5e-4]},
    "test": {"count": 2},
}
SNIPPET = """\
from pyharness.config import SimConfig, load_config
from pyharness.cosim import E2L, L2E, AnalogBlock, SolverOptions
from pyharness.record import Record
from pyharness.veriloga import compile_numpy, load_card, load_module

config: SimConfig = load_config("smoke")
pixels: float = config.test.pixel_noise
pins = [L2E("drive", rise_s=1e-9), E2L("sense", threshold_v=0.5)]


def devices(record: Record) -> list[float]:
    return [device.final_siemens for device in record.devices]
"""


def known() -> set[str]:
    """Return the files that are the project's: what git does not ignore."""
    command = ["git", "-c", "safe.directory=*", "ls-files", "-co", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return {name for name in listed.split("\0") if name and (ROOT / name).is_file()}


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the two files, built from a copy: nothing is written into the checkout."""
    if given := os.environ.get("PYHARNESS_DIST"):
        return Path(given)
    folder = tmp_path_factory.mktemp("package")
    for name in known():
        copy = folder / "checkout" / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes((ROOT / name).read_bytes())
    # what an earlier build may have left is not to be packed
    for junk in ("hdl/__pycache__/x.cpython-311.pyc", "pyharness/cosim/_engine.junk.so", "build/lib/pyharness/old.py"):
        (folder / "checkout" / junk).parent.mkdir(parents=True, exist_ok=True)
        (folder / "checkout" / junk).touch()
    command = [sys.executable, "-m", "build", "--outdir", str(folder / "dist"), str(folder / "checkout")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    return folder / "dist"


def wheel_of(dist: Path) -> Path:
    (wheel,) = dist.glob("*.whl")
    return wheel


def test_the_source_distribution_is_whole(dist: Path) -> None:
    """All that the package is built from, and nothing else."""
    (archive,) = dist.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        inside = {name.partition("/")[2] for name in (m.name for m in opened.getmembers() if m.isfile())}
    inside = {name for name in inside if not name.startswith("pyharness.egg-info/")}
    assert inside == {name for name in known() if name.split("/")[0] in SOURCE} | ALONE


def test_the_wheel_is_whole(dist: Path) -> None:
    """The package, the compiled engine, and RTL, models, data, configurations, licence and changelog as pyharness/share."""
    with zipfile.ZipFile(wheel_of(dist)) as opened:
        inside = {name for name in opened.namelist() if ".dist-info/" not in name}
    engine = f"pyharness/cosim/_engine{sysconfig.get_config_var('EXT_SUFFIX')}"
    expected = {name for name in known() if name.startswith("pyharness/")} | {engine}
    # licence and changelog go into the hand-off archive, which an installation builds, too
    shared = {name for name in known() if name.split("/")[0] in TRAVELS} | {"CHANGELOG.md", "LICENSE"}
    expected |= {f"pyharness/share/{name}" for name in shared}
    assert inside == expected
    assert "pyharness/py.typed" in inside


def test_the_metadata(dist: Path) -> None:
    """Version, licence, entry, requirements; PyPI would take both files."""
    with zipfile.ZipFile(wheel_of(dist)) as opened:
        (name,) = [n for n in opened.namelist() if n.endswith(".dist-info/METADATA")]
        metadata = email.message_from_bytes(opened.read(name))
        assert any(n.endswith(".dist-info/licenses/LICENSE") for n in opened.namelist())
    assert (metadata["Version"], metadata["License-Expression"]) == (PROJECT["version"], "BSD-3-Clause")
    assert metadata["Requires-Python"] == ">=3.11"
    assert "Typing :: Typed" in metadata.get_all("Classifier", [])
    files = sorted(map(str, dist.glob("pyharness-*")))
    told = subprocess.run(
        [sys.executable, "-m", "twine", "check", "--strict", *files], capture_output=True, text=True, check=False
    )
    assert told.returncode == 0, told.stdout + told.stderr


def test_what_is_imported_is_required() -> None:
    """Every module of another project that the package imports belongs to a stated requirement."""
    stated = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["cluster"]]
    required = {canonicalize_name(Requirement(text).name) for text in stated}
    owners = packages_distributions()
    for path in (ROOT / "pyharness").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) and node.module and not node.level else []
            for top in {name.split(".")[0] for name in names} - sys.stdlib_module_names - {"pyharness"}:
                found = {canonicalize_name(name) for name in owners.get(top, [top])}
                assert found & required, f"{path.relative_to(ROOT)} imports {top}, of {', '.join(found)}"


@pytest.fixture(scope="module")
def installed(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the programs of a new environment with the wheel; requirements alone come from this one."""
    folder = tmp_path_factory.mktemp("installed")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    python = folder / "bin" / "python"
    (site,) = folder.glob("lib/python3*/site-packages")
    # a folder that a .pth file names has no .pth files of its own, such as the one of an editable installation
    (site / "requirements.pth").write_text(sysconfig.get_path("purelib") + "\n")
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*command, "--ignore-installed", str(wheel_of(dist))], check=True)
    return folder / "bin"


def run(installed: Path, folder: Path, *words: str) -> str:
    """Run a program of the new environment in a folder of its own, and return what it printed."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        [str(installed / words[0]), *words[1:]],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_installation_is_the_wheel(installed: Path, tmp_path: Path) -> None:
    """Package, folders and version are those of the new environment, not of the checkout."""
    code = (
        "import pyharness, pyharness.resources as r\n"
        "from importlib.util import find_spec\n"
        "engine = find_spec('pyharness.cosim._engine').origin\n"  # a library that the simulator loads
        "print(pyharness.__file__, engine, r.hdl_dir(), r.model_dir(), r.config_dir(), sep='\\n')"
    )
    for place in run(installed, tmp_path, "python", "-c", code).splitlines():
        assert Path(place).is_relative_to(installed.parent), place
    assert run(installed, tmp_path, "pyharness", "--version") == f"{PROJECT['version']}\n"


def test_commands_away_from_the_checkout(installed: Path, tmp_path: Path) -> None:
    """Cards, models, configurations and studies are found."""
    assert "function real device_current_v" in run(
        installed, tmp_path, "pyharness", "compile", "chromium", "--target", "verilog"
    )
    assert "module msdc" in run(installed, tmp_path, "pyharness", "lint")
    assert "pixel noise" in run(installed, tmp_path, "pyharness", "classify", "smoke")
    assert "to do" in run(installed, tmp_path, "pyharness", "study", "paper", "--dry-run")


@pytest.mark.parametrize("engine", ["numpy", "ngspice"])
def test_a_job_away_from_the_checkout(installed: Path, tmp_path: Path, engine: str) -> None:
    """With and without simulators: RTL, testbench and coupling of the wheel."""
    (tmp_path / "job.yaml").write_text(yaml.safe_dump({"engine": engine, **JOB}))
    run(installed, tmp_path, "pyharness", "sim", "job.yaml", "--out", "out")
    record = json.loads((tmp_path / "out/latest/results.json").read_text())
    assert record["status"] == "complete"
    assert [device["status"] for device in record["devices"]] == ["reached"] * 3
    assert (tmp_path / "out/latest/report.html").is_file()


def test_types_of_the_installation(installed: Path, tmp_path: Path) -> None:
    """A user's code passes mypy in strict mode; what is wrong in it is found."""
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--config-file=",
        "--python-executable",
        str(installed / "python"),
    ]
    for text, status in ((SNIPPET, 0), (SNIPPET.replace("pixels: float", "pixels: str"), 1)):
        (tmp_path / "mine.py").write_text(text)
        environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "MYPYPATH")}
        done = subprocess.run(
            [*command, "mine.py"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == status, done.stdout + done.stderr
    assert 'expression has type "float", variable has type "str"' in done.stdout


def test_the_wheel_does_not_tell_where_it_was_built(dist: Path) -> None:
    """The compiled engine names no folder of the machine: with SOURCE_DATE_EPOCH the same sources give the same wheel."""
    with zipfile.ZipFile(wheel_of(dist)) as opened:
        (engine,) = [name for name in opened.namelist() if name.endswith(".so")]
        assert f"pyharness-{PROJECT['version']}".encode() not in opened.read(engine)
        assert b"pyharness/cosim/engine/api.c" in opened.read(engine)
