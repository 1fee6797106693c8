"""Sample: whose noise, which prior, and what stands beside the samples."""

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages import open_page, page_html


@pytest.fixture
def sample(root, monkeypatch) -> AppTest:
    """The page over a finished workspace."""
    return open_page(monkeypatch, root, "sample.py")


def test_sample_gives_models_of_one_size_the_same_noise(sample):
    html = page_html(sample)
    pictures = [part.split('"')[0] for part in html.split('src="')[1:]]
    assert len(pictures) == 2
    assert pictures[0] == pictures[1]  # both models are the same PCA here


def test_sample_follows_prior_seed_and_temperature(sample):
    seen = {page_html(sample)}
    sample.sidebar.segmented_control(key="prior").set_value("gaussian").run()
    seen.add(page_html(sample))
    sample.sidebar.number_input(key="seed").set_value(5).run()
    seen.add(page_html(sample))
    sample.sidebar.slider(key="temperature").set_value(0.5).run()
    seen.add(page_html(sample))
    assert len(seen) == 4


def test_sample_shows_the_measured_share_beside_what_was_drawn_as_it_was_measured(sample, root):
    (root / "details").mkdir()
    figures = root / "details" / "vae.json"
    figures.write_text('{"prior_acceptance_normal": 0.56}')
    assert "over many draws: 56%</small>" in page_html(sample.run())
    figures.write_text('{"prior_acceptance_normal": 0.56, "digits_drawn_normal": 8.44}')
    assert "over many draws: 56%, 8.4 digits</small>" in page_html(sample.run())
    assert "over many draws" in sample.main.caption[-1].value
    sample.sidebar.slider(key="temperature").set_value(0.5).run()
    assert "over many draws" not in page_html(sample)
    assert sample.main.caption[-1].value == "Of how many the classifier is sure."
    sample.sidebar.slider(key="temperature").set_value(1).run()
    assert "over many draws: 56%" in page_html(sample)
    sample.sidebar.pills(key="only").set_value(3).run()
    assert "over many draws" not in page_html(sample)


def test_of_no_sample_nothing_is_said_but_how_many_were_drawn(sample):
    sample.sidebar.slider(key="temperature").set_value(0.0).run()  # all alike: of most digits there is none
    seen = ""
    for digit in range(3):
        sample.sidebar.pills(key="only").set_value(digit).run()
        seen += page_html(sample)
    assert "None of the draws reads as this digit." in seen
    assert "0 of 0" not in seen
