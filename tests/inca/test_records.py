# SPDX-License-Identifier: MIT
import io
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console

from inca import plots, records, summary
from inca.cli import main
from tests.inca.sample import training_record


def test_a_record_reads_back_with_its_schema(tmp_path: Path) -> None:
    records.write(tmp_path, training_record())
    assert records.read(tmp_path) == {"schema": "inca-record/1", **training_record()}
    assert records.read(tmp_path / "record.json") == records.read(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["record.json"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "No such file"),
        ("{", "not JSON"),
        ('{"schema": "inca-record/0"}', "schema 'inca-record/0', expected 'inca-record/1'"),
        ("[]", "schema None"),
    ],
)
def test_what_is_no_record_is_refused_in_one_line(
    tmp_path: Path, text: str | None, words: str
) -> None:
    if text is not None:
        (tmp_path / "record.json").write_text(text)
    with pytest.raises(records.RecordError) as caught:
        records.read(tmp_path)
    assert words in str(caught.value)
    assert str(tmp_path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_two_runs_in_one_second_get_folders_of_their_own(tmp_path: Path) -> None:
    when = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    made = [records.new_folder(tmp_path / "results", "training", when) for _ in range(2)]
    assert [f.name for f in made] == ["20260102-030405-training", "20260102-030405-training-2"]


def test_tables_show_what_the_record_says() -> None:
    out = Console(file=io.StringIO(), width=120)
    out.print(*summary.tables(training_record()))
    assert isinstance(out.file, io.StringIO)
    lines = [" ".join(line.split()) for line in out.file.getvalue().splitlines()]
    for expected in (
        "test accuracy 0.9625",
        "sums exact on all workers at all 3 steps",
        "job completion time 3.25 s",
        "mean all-reduce 2.00 ms for 0 KiB",
        "all-reduce goodput 12.5 Mbit/s per worker",
        "completed in the switch 83.33 %",
        "completed by the PS 16.67 %",
        "h1 - s1-p1 7 3.00 7 2.00",
        "h2 - s1-p2 7 1.00 7 0.00",
    ):
        assert expected in lines


def test_an_inexact_run_says_so() -> None:
    record = training_record()
    record["jobs"][0] |= {"exact": False, "mismatched_steps": [2]}
    out = Console(file=io.StringIO(), width=120)
    out.print(*summary.tables(record))
    assert isinstance(out.file, io.StringIO)
    assert "NO: steps [2]" in out.file.getvalue()


def test_plots_are_made_again_from_the_record_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    records.write(tmp_path, training_record())
    with pytest.raises(SystemExit) as caught:
        main(["plot", str(tmp_path)])
    assert caught.value.code == 0
    picture = tmp_path / "training.png"
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert capsys.readouterr().out.strip().endswith("training.png")


def test_the_plot_has_labelled_axes_with_units(tmp_path: Path) -> None:
    figure = plots._figure(2)
    plots._loss_curve(figure.axes[0], training_record()["jobs"][0])
    plots._bytes_per_link(figure.axes[1], training_record()["links"])
    labels = {text for axes in figure.axes for text in (axes.get_xlabel(), axes.get_ylabel())}
    assert {"step", "training loss (cross entropy)", "test accuracy", "MiB on the wire"} <= labels
    widths = [bar.get_width() for bar in figure.axes[1].patches]
    assert widths == [3.0, 1.0, 2.0, 0.0]
