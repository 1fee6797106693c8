"""Models side by side: what is shown of several values, and which is the best."""

import pytest

from autoencoder.comparison import Rows, metrics_table, shown, table

ROWS: Rows = {
    "pca": {"reconstruction_mse": [0.022]},
    "ae": {"reconstruction_mse": [0.006], "active_units": [20], "coverage_gmm": [0.9, 0.7], "coverage_normal": [0.06]},
    "vae": {
        "reconstruction_mse": [0.009],
        "active_units": [11],
        "coverage_gmm": [0.81, 0.83],
        "coverage_normal": [0.59],
    },
    "real": {"coverage_normal": [0.93]},
}


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([0.0085028], "0.0085028"),
        ([14], "14"),
        ([1_875_748, 1_875_748], "1,875,748"),
        ([0.5, 0.5, 0.5], "0.5"),
        ([0.0085, 0.0086, 0.0084], "0.00850 ± 0.00010"),
        ([90.66, 90.7, 90.5], "90.62 ± 0.11"),
        ([13, 14, 14], "13.7 ± 0.6"),
        ([0.0, 0.0035 * 2**0.5], "0.0025 ± 0.0035"),
        ([0.0, 0.0036 * 2**0.5], "0.003 ± 0.004"),
        ([0.0, 0.96 * 2**0.5], "0.7 ± 1.0"),
        ([100, 200, 300], "200 ± 100"),
    ],
)
def test_several_values_are_shown_by_mean_and_standard_deviation(values, text):
    assert shown(values) == text.replace("± ", "±\N{NO-BREAK SPACE}")


def test_the_best_value_is_bold_and_real_images_do_not_compete():
    header, _, *lines = metrics_table(ROWS).splitlines()
    assert header == "|  | `pca` | `ae` | `vae` | real images |"
    cells = {
        line.split(" | ")[0].strip("| "): [cell.strip() for cell in line.strip("|").split("|")[1:]] for line in lines
    }
    assert cells["reconstruction_mse ↓"] == ["0.022", "**0.006**", "0.009", ""]
    assert cells["coverage_normal ↑"] == ["", "0.06", "**0.59**", "0.93"]
    assert cells["active_units"] == ["", "20", "11", ""]  # of which neither more nor fewer is better


def test_bold_follows_the_mean():
    assert "**0.820 ±\N{NO-BREAK SPACE}0.014**" in metrics_table(ROWS)


def test_a_table_is_markdown():
    assert table(["a", "b"], [["x", "1"]]) == "| a | b |\n| --- | ---: |\n| x | 1 |"
    assert table(["a"], [["p(z|x)"]]).endswith(r"| p(z\|x) |")  # not the border of a cell
    assert table(["a", "b"], [["x", "y"]], numbers=False).splitlines()[1] == "| --- | --- |"
