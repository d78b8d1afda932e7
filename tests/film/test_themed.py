"""Figures carry their theme, and threads take turns with it."""

from threading import Event, Thread

import matplotlib

from render import Film
from render.film.theme import rc_params
from render.film.themed import ThemedFigure


def test_threads_take_turns_with_the_settings_and_leave_them_as_they_were():
    before = dict(matplotlib.rcParams)
    light, dark = (ThemedFigure(rc_params(theme)) for theme in ("light", "dark"))
    inside, over = Event(), Event()

    def enter():
        with dark.theme():
            inside.set()
            over.wait(1)

    thread = Thread(target=enter)
    with light.theme():
        thread.start()
        early = inside.wait(0.1)
    over.set()
    thread.join()
    assert inside.is_set() and not early
    assert dict(matplotlib.rcParams) == before


def test_an_animation_that_a_thread_saves_leaves_the_settings_as_they_were(tmp_path):
    before = dict(matplotlib.rcParams)
    film = Film([lambda ax: lambda step: None], seconds=1, fps=1, size=(100, 100), theme="dark")
    saved = film.animation()
    thread = Thread(target=lambda: saved.save(tmp_path / "a.gif", writer="pillow"))
    with ThemedFigure(rc_params("light")).theme():
        thread.start()
        thread.join(0.3)  # it waits
    thread.join()
    assert (tmp_path / "a.gif").exists() and dict(matplotlib.rcParams) == before


def test_a_film_may_be_drawn_while_another_is(tmp_path):
    def still(ax):
        return lambda step: None

    def draws_another(ax):
        def update(step):
            Film([still], seconds=1, size=(100, 100), theme="dark").save(tmp_path / "inner.png")
            assert matplotlib.rcParams["figure.facecolor"] == "#ffffff"

        return update

    Film([draws_another], seconds=1, fps=1, size=(100, 100)).save(tmp_path / "outer.png")
    assert {path.name for path in tmp_path.iterdir()} == {"inner.png", "outer.png"}
