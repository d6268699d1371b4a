from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flamenco_core.domain.variables import Resolved, VariableTable
from flamenco_core.offers.variable import Variable, VariableValue


def oneway(name: str, value: str, *, audience: str = "all", platform: str = "all") -> Variable:
    return Variable(
        name=name, values=(VariableValue(value=value, audience=audience, platform=platform),)
    )


def twoway(name: str, **by_platform: str) -> Variable:
    values = tuple(VariableValue(value=v, platform=p) for p, v in by_platform.items())
    return Variable(name=name, values=values, is_twoway=True)


BLENDER = Variable(
    name="blender",
    values=(
        VariableValue(value="blender", platform="linux"),
        VariableValue(value=r"C:\Blender\blender.exe", platform="windows", audience="workers"),
        VariableValue(value=r"D:\blender.exe", platform="windows", audience="users"),
    ),
)
RENDER = twoway("render", linux="/mnt/render/", windows="R:\\", darwin="/Volumes/render")
SHARED = twoway("shared", linux="/mnt", windows=r"\\nas\share", darwin="/Volumes/shared")
JOBS = oneway("jobs", "/mnt/render/jobs")


@pytest.fixture
def table() -> VariableTable:
    args = oneway("blenderArgs", "-b -y")
    return VariableTable([args, BLENDER, RENDER, SHARED, JOBS], platform="linux")


@pytest.mark.parametrize(
    ("platform", "text", "expected"),
    [
        ("linux", "{blender}", "blender"),
        ("windows", "{blender}", r"C:\Blender\blender.exe"),
        ("linux", "{blender} {blenderArgs} {blender}", "blender -b -y blender"),
        ("linux", "{unknown}/x {}", "{unknown}/x {}"),
        ("linux", "{{blender}}", "{blender}"),
        ("darwin", "{blender}", "{blender}"),
        ("linux", "{render}/shot//a.blend", "/mnt/render/shot/a.blend"),
        ("windows", "{render}/shot/a.blend", r"R:\shot\a.blend"),
        ("windows", "{render}", "R:\\"),
        ("windows", "{render}shot", r"R:\shot"),
        ("darwin", r"{render}\shot\a.blend", "/Volumes/render/shot/a.blend"),
        ("windows", "{jobs}/a.blend", r"R:\jobs\a.blend"),
        ("linux", "{jobs}/a.blend", "/mnt/render/jobs/a.blend"),
        ("windows", "/mnt/render/a", r"R:\a"),
        ("windows", "/mnt/render", "R:\\"),
        ("windows", "/mnt/render/", "R:\\"),
        ("windows", "\\mnt\\render\\a", r"R:\a"),
        ("windows", "/mnt/other/a", r"\\nas\share\other\a"),
        ("windows", "/mnt/render-old/a", r"\\nas\share\render-old\a"),
        ("darwin", "/mnt/render/a/", "/Volumes/render/a"),
        ("linux", "/mnt/render//a/", "/mnt/render/a"),
        ("windows", "/MNT/render/a", "/MNT/render/a"),
        ("windows", "//mnt/render/a", "//mnt/render/a"),
        ("windows", "see /mnt/render/a", "see /mnt/render/a"),
        ("windows", "-o {render}/out", r"-o R:\out"),
        ("plan9", "/mnt/render/a", "/mnt/render/a"),
        ("linux", "", ""),
    ],
)
def test_a_text_is_expanded_for_a_worker(
    table: VariableTable, platform: str, text: str, expected: str
) -> None:
    assert table.expand_text(text, "workers", platform) == expected


def test_each_audience_gets_its_own_value(table: VariableTable) -> None:
    assert table.expand_text("{blender}", "users", "windows") == r"D:\blender.exe"


def test_values_for_lists_what_there_is_for_a_platform(table: VariableTable) -> None:
    values = table.values_for("workers", "linux")
    assert values["blender"] == Resolved("blender", False)
    assert values["render"] == ("/mnt/render", True)
    assert set(table.values_for("users", "plan9")) == {"blenderArgs", "jobs"}


def test_the_platform_wins_over_all_and_the_last_value_over_the_first() -> None:
    values = (
        VariableValue(value="first", platform="linux"),
        VariableValue(value="any"),
        VariableValue(value="last", platform="linux"),
    )
    table = VariableTable([Variable(name="v", values=values)], "linux")
    assert table.values_for("users", "linux")["v"].value == "last"
    assert table.values_for("users", "darwin")["v"].value == "any"


def test_an_empty_audience_means_all_and_an_unknown_one_nobody() -> None:
    values = (VariableValue(value="x", audience="robots"), VariableValue(value="y", audience=""))
    table = VariableTable([Variable(name="v", values=values)], "linux")
    assert table.expand_text("{v}", "workers", "linux") == "y"


def test_of_two_variables_with_one_name_the_last_counts() -> None:
    table = VariableTable([oneway("v", "a"), oneway("v", "b")], "linux")
    assert table.expand_text("{v}", "workers", "linux") == "b"


def test_names_inside_values_are_replaced_whatever_the_order() -> None:
    variables = [oneway("exe", "{dir}/blender"), oneway("dir", "{root}/3.6"), oneway("root", "/o")]
    for order in (variables, variables[::-1]):
        table = VariableTable(order, "linux")
        assert table.expand_text("{exe}", "workers", "linux") == "/o/3.6/blender"
        assert table.values_for("workers", "linux")["exe"].value == "/o/3.6/blender"


def test_a_oneway_value_may_start_with_a_twoway_name() -> None:
    variables = [oneway("exe", "{tools}/b.exe"), twoway("tools", linux="/t", windows="T:")]
    table = VariableTable(variables, "linux")
    assert table.expand_text("{exe}", "workers", "windows") == r"T:\b.exe"


def test_a_variable_that_names_itself_is_left_as_it_is() -> None:
    table = VariableTable([oneway("a", "{b}!"), oneway("b", "{a}?"), oneway("c", "{c}")], "linux")
    assert table.expand_text("{a}", "workers", "linux") == "{a}?!"
    assert table.expand_text("{c}", "workers", "linux") == "{c}"


def test_a_path_is_translated_once_only() -> None:
    variables = [twoway("a", linux="/a", darwin="/b"), twoway("b", linux="/b", darwin="/c")]
    table = VariableTable(variables, "linux")
    assert table.expand_text("/a/x", "workers", "darwin") == "/b/x"
    assert table.expand_text("{a}/x", "workers", "darwin") == "/b/x"


def test_a_twoway_root_makes_no_doubled_separator() -> None:
    table = VariableTable([twoway("root", linux="/", darwin="/data", windows="Z:\\")], "linux")
    assert table.recognize("/mnt/x", "linux") == "{root}/mnt/x"
    assert table.expand_text("{root}/mnt/x", "workers", "linux") == "/mnt/x"
    assert table.expand_text("/mnt/x", "workers", "linux") == "/mnt/x"
    assert table.expand_text("/mnt/x", "workers", "darwin") == "/data/mnt/x"
    assert table.expand_text("/mnt/x", "workers", "windows") == r"Z:\mnt\x"
    assert table.expand_text("//textures/x", "workers", "darwin") == "//textures/x"


def test_empty_values_of_paths_match_nothing() -> None:
    table = VariableTable([twoway("v", linux=" ", darwin="/v"), twoway("w", linux="/w")], "linux")
    assert table.recognize("x", "linux") == "x"
    assert table.expand_text("x", "workers", "darwin") == "x"
    assert table.expand_text("/w/x", "workers", "darwin") == "/w/x"


def test_a_windows_manager_compares_paths_in_any_case() -> None:
    table = VariableTable([RENDER], "windows")
    assert table.expand_text(r"r:\shot", "workers", "linux") == "/mnt/render/shot"
    assert table.expand_text("R:/shot", "workers", "windows") == r"R:\shot"
    assert table.expand_text("R:shot", "workers", "linux") == "R:shot"


def test_a_share_keeps_its_leading_separators(table: VariableTable) -> None:
    assert table.expand_text("{shared}/x", "workers", "windows") == r"\\nas\share\x"


def test_texts_at_any_depth_are_expanded(table: VariableTable) -> None:
    parameters = {"args": ["{render}/a", ["{blender}", 3, None]], "env": {"P": "{jobs}"}, "n": 1.5}
    assert table.expand(parameters, "workers", "darwin") == {
        "args": ["/Volumes/render/a", ["{blender}", 3, None]],
        "env": {"P": "/Volumes/render/jobs"},
        "n": 1.5,
    }


def test_what_does_not_change_is_the_same_object(table: VariableTable) -> None:
    parameters = {"args": ["--", "x"], "deep": {"a": [1, True, "/tmp/{nothing}"]}, "n": None}
    assert table.expand(parameters, "workers", "windows") is parameters


def test_keys_are_never_expanded(table: VariableTable) -> None:
    assert table.expand({"{jobs}": 1}, "workers", "linux") == {"{jobs}": 1}


def test_endless_nesting_is_left_as_it_is(table: VariableTable) -> None:
    nested: list[object] = ["{blender}"]
    for _ in range(5000):
        nested = [nested]
    assert table.expand(nested, "workers", "linux") is nested


def test_any_number_of_platform_words_is_served(table: VariableTable) -> None:
    for number in range(200):
        assert table.expand_text("{blenderArgs}", "workers", f"os{number}") == "-b -y"
        assert table.recognize("/mnt/x", f"os{number}") == "/mnt/x"


@pytest.mark.parametrize(
    ("platform", "text", "expected"),
    [
        ("linux", "/mnt/render/a.blend", "{render}/a.blend"),
        ("linux", "/MNT/Render/A.blend", "{render}/A.blend"),
        ("linux", "/mnt/render", "{render}"),
        ("linux", "/mnt/render/", "{render}/"),
        ("linux", "/mnt/render2/a", "{shared}/render2/a"),
        ("linux", "/mnt2/render", "/mnt2/render"),
        ("windows", r"r:\shot\a.blend", r"{render}\shot\a.blend"),
        ("windows", "R:/shot/a.blend", "{render}/shot/a.blend"),
        ("windows", "R:", "{render}"),
        ("windows", "R:shot", "R:shot"),
        ("windows", "//NAS/share/a", "{shared}/a"),
        ("darwin", "/Volumes/render/a", "{render}/a"),
        ("plan9", "/mnt/render/a", "/mnt/render/a"),
        ("linux", "{render}/a", "{render}/a"),
        ("linux", "", ""),
        ("linux", "a /mnt/render", "a /mnt/render"),
    ],
)
def test_a_path_is_recognized(
    table: VariableTable, platform: str, text: str, expected: str
) -> None:
    assert table.recognize(text, platform) == expected


def test_of_equal_values_the_first_name_in_the_alphabet_wins() -> None:
    for names in ("ab", "ba"):
        table = VariableTable([twoway(name, linux="/x") for name in names], "linux")
        assert table.recognize("/x/y", "linux") == "{a}/y"


def test_the_workers_value_is_what_is_recognized() -> None:
    values = (
        VariableValue(value="/w", audience="workers"),
        VariableValue(value="/u", audience="users"),
    )
    table = VariableTable([Variable(name="v", values=values, is_twoway=True)], "linux")
    assert table.recognize("/w/x", "linux") == "{v}/x"
    assert table.recognize("/u/x", "linux") == "/u/x"


parts = st.lists(st.text("abcXY.- _", min_size=1).map(str.strip).filter(bool), max_size=5)


@given(parts)
def test_a_recognized_path_comes_back_on_the_same_platform(rest: list[str]) -> None:
    table = VariableTable([RENDER, SHARED], "linux")
    path = "/".join(["/mnt/render", *rest])
    there = table.recognize(path, "linux")
    assert there.startswith("{render}")
    assert table.expand_text(there, "workers", "linux") == path


@given(parts)
def test_both_ways_to_name_a_path_reach_the_same_file(rest: list[str]) -> None:
    table = VariableTable([RENDER, SHARED], "linux")
    tail = "".join(f"/{part}" for part in rest)
    by_name = table.expand_text("{render}" + tail, "workers", "windows")
    assert by_name == table.expand_text("/mnt/render" + tail, "workers", "windows")
    assert table.recognize(by_name, "windows").replace("\\", "/").rstrip("/") == "{render}" + tail


@given(st.text("/\\{}abrendsh:.RC ", max_size=40), st.sampled_from(["linux", "windows", "os"]))
def test_no_text_breaks_it_and_a_second_time_changes_nothing(text: str, platform: str) -> None:
    table = VariableTable([RENDER, SHARED, JOBS], "linux")
    once = table.expand_text(text, "workers", platform)
    assert isinstance(table.recognize(text, platform), str)
    if "{" not in once:
        assert table.expand_text(once, "workers", "linux").count("{") == 0
