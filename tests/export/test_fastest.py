"""The number of processes that draw a film: others pay where drawing dominates, for long enough."""

from fractions import Fraction
from pathlib import Path

import pytest

from render import Film
from render.export import fastest
from render.export.formats import Stream
from render.film.drawing import Drawing

HD = Stream(width=1920, height=1080, fps=Fraction(30))


@pytest.fixture
def choose(monkeypatch):
    """The choice for a film whose frames take so long to draw, on so many cores."""
    drawing = Drawing(Film([lambda ax: lambda step: None], size=(160, 90)))

    def chosen(drawing_s, frames, cores=2, name="film.mp4"):
        monkeypatch.setattr(fastest.workers, "usable_cores", lambda: cores)
        monkeypatch.setattr(fastest, "_drawing_s", lambda *_: drawing_s)
        return fastest.fastest_jobs(drawing, [Path(name)], HD, range(frames))

    return chosen


def test_slow_drawing_is_shared(choose):
    assert choose(0.1, 600) == 2
    assert choose(0.1, 3000, cores=8) == 8


def test_a_film_as_quick_to_draw_as_to_encode_is_not(choose):
    assert choose(0.004, 600) == 1


def test_there_are_no_more_processes_than_parts_of_a_film(choose):
    assert choose(1.0, 150) == 1
    assert choose(1.0, 400, cores=16) == 3


def test_one_core_has_one_process(choose):
    assert choose(1.0, 600, cores=1) == 1


def test_short_films_are_done_before_another_process_has_started(choose):
    assert choose(0.006, 160) == 1


def test_films_that_are_put_together_from_stills_must_take_longer_to_draw(choose):
    assert choose(0.1, 600, name="film.gif") == 1
    assert choose(0.6, 600, name="film.gif") == 2


def test_the_time_of_a_frame_is_measured_once_it_rests(monkeypatch):
    film = Film([lambda ax: lambda step: None], seconds=10, fps=30, size=(160, 90))
    assert 0 < fastest._drawing_s(Drawing(film), range(300)) < 5


def test_frames_whose_step_stays_take_no_time(monkeypatch):
    clock = iter(range(1000))
    monkeypatch.setattr(fastest.time, "perf_counter", lambda: next(clock))
    film = Film([lambda ax: lambda step: None], seconds=10, fps=30, size=(160, 90), steps=99)
    assert fastest._drawing_s(Drawing(film), range(300)) == pytest.approx(100 / 300)
