"""What a container or a service may use counts, not what its host has."""

from __future__ import annotations

from pathlib import Path

import pytest

from inzwa_rtc.machine.cgroup import Cgroup, cgroups
from inzwa_rtc.machine.processors import affinity, usable_processors


@pytest.fixture
def group(tmp_path: Path) -> Cgroup:
    return Cgroup(tmp_path)


def write(group: Cgroup, **files: str) -> None:
    for name, text in files.items():
        (group.folder / name.replace("_", ".", 1)).write_text(f"{text}\n")


def test_a_group_without_files_has_no_limits(group: Cgroup) -> None:
    assert group.processors() is None
    assert group.memory_percent() is None
    assert group.cpu_seconds() == 0


def test_no_limit_is_no_limit(group: Cgroup) -> None:
    write(group, cpu_max="max 100000", memory_max="max", memory_current="1000")
    assert group.processors() is None
    assert group.memory_percent() is None


def test_limits_are_read(group: Cgroup) -> None:
    write(
        group,
        cpu_max="150000 100000",
        cpu_stat="usage_usec 2500000\nuser_usec 1",
        memory_max="1000",
        memory_current="700",
        memory_stat="anon 400\ninactive_file 200",
    )
    assert group.processors() == 1.5
    assert group.cpu_seconds() == 2.5
    assert group.memory_percent() == 50, "what the kernel would drop first is not used"


def test_the_groups_around_a_process_count_too(tmp_path: Path) -> None:
    root, membership = tmp_path / "root", tmp_path / "membership"
    (root / "system.slice/inzwa.service").mkdir(parents=True)
    membership.write_text("4:memory:/elsewhere\n0::/system.slice/inzwa.service\n")
    folders = [group.folder for group in cgroups(root, membership)]
    assert folders == [root / "system.slice/inzwa.service", root / "system.slice", root]


def test_in_a_container_that_sees_only_its_own_group_it_is_the_root(tmp_path: Path) -> None:
    membership = tmp_path / "membership"
    membership.write_text("0::/\n")
    assert cgroups(tmp_path, membership) == (Cgroup(tmp_path),)
    membership.write_text("0::/the/hosts/name/of/it\n")
    assert cgroups(tmp_path, membership) == (Cgroup(tmp_path),)


def test_where_there_are_no_groups_nothing_is_limited(tmp_path: Path) -> None:
    assert cgroups(tmp_path, tmp_path / "missing") == ()
    version_1 = tmp_path / "version_1"
    version_1.write_text("1:cpu:/\n")
    assert cgroups(tmp_path, version_1) == ()
    assert usable_processors([]) == len(affinity())


def test_the_tightest_quota_is_what_may_be_used(group: Cgroup, tmp_path: Path) -> None:
    outer = Cgroup(tmp_path / "outer")
    outer.folder.mkdir()
    write(group, cpu_max="75000 100000")
    write(outer, cpu_max="50000 100000")
    assert usable_processors([group, outer]) == 0.5
