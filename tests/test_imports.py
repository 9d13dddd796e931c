"""The shape of the code: who may import whom, and who may touch the outside."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

REPO = Path(__file__).parent.parent
FILES = sorted(
    path.relative_to(REPO).as_posix() for top in ("receiver", "enrichers") for path in REPO.glob(f"{top}/**/*.py")
)


def imported(file: str) -> Iterator[str]:
    """Every module that the file imports, `from a import b` both as `a` and `a.b`."""
    for node in ast.walk(ast.parse((REPO / file).read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}:{node.lineno}: relative imports hide the direction of imports"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def names(file: str) -> Iterator[str]:
    """Every dotted name that the file reads, `os.environ` for one."""
    for node in ast.walk(ast.parse((REPO / file).read_text())):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield f"{node.value.id}.{node.attr}"


def test_imports_go_one_way() -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([lint, "--no-cache", "--no-logo"], cwd=REPO, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("file", FILES)
def test_only_the_web_knows_the_web_framework(file: str) -> None:
    if not file.startswith(("receiver/web/", "receiver/app.py")):
        assert not {name for name in imported(file) if name == "aiohttp.web" or name.startswith("aiohttp.web.")}
        assert "aiohttp.web" not in set(names(file))


@pytest.mark.parametrize("file", FILES)
def test_only_the_settings_read_the_environment(file: str) -> None:
    if not file.startswith(("receiver/settings/", "receiver/commands/surroundings.py", "receiver/client.py")):
        environment = {"os.environ", "os.environb", "os.getenv", "os.getenvb"}
        assert not environment & {*names(file), *imported(file)}


@pytest.mark.parametrize("file", [name for name in FILES if name.startswith("receiver/domain/")])
def test_the_domain_stands_on_the_standard_library_alone(file: str) -> None:
    outside = {name for name in imported(file) if name.split(".")[0] not in sys.stdlib_module_names}
    assert all(name == "receiver.domain" or name.startswith("receiver.domain.") for name in outside)
