"""What the scenes on surfaces show is true."""

import itertools
import re

import numpy as np
import pytest
import torch

from render import surfaces
from render.errors import InputError
from render.film.drawing import Drawing

NUMBER = r"(-?\d+(?:\.\d+)?(?:e-?\d+)?)"


DRAWINGS = {}


def axes_of(film, frame=-1):
    """The axes of a frame, on one figure for each film."""
    _, kept = DRAWINGS.setdefault(id(film), (film, None))
    if kept is None:
        kept = Drawing(film.resized(960, 540))
        DRAWINGS[id(film)] = film, kept
    with kept.theme():
        kept.show(film.frame_number(frame))
    return kept.figure.axes


def texts(film, frame=-1):
    """Every text of the panels in a frame: titles, captions, words above the axes."""
    axes = axes_of(film, frame)
    return [ax.get_title(loc="left") for ax in axes] + [
        t.get_text() for ax in axes for t in ax.texts
    ]


def told(film, pattern, frame=-1):
    """The numbers that a frame's texts state, as a pattern finds them."""
    found = re.search(pattern, "\n".join(texts(film, frame)))
    assert found, texts(film, frame)
    return [float(group) for group in found.groups()]


def frame_at(film, step):
    """The first frame that shows a step, or a later one."""
    return int(np.argmax(film.shown_steps >= step))


def by_label(film, panel):
    return film.panels_by_name[panel].runs


def stars(ax):
    (line,) = (line for line in ax.lines if line.get_marker() == "*")
    return line.get_xydata()


def torch_loop(surface, optimizer, steps, start=None):
    """The path that torch's own loop takes, shape (steps + 1, 2), and the heights."""
    point = torch.tensor(start or surface.start, requires_grad=True)
    moved, path, heights = optimizer([point]), [], []

    def closure():
        moved.zero_grad()
        height = surface.function(*point)
        height.backward()
        return height

    for _ in range(steps):
        path.append(point.detach().numpy().copy())
        heights.append(moved.step(closure).item())
    path.append(point.detach().numpy().copy())
    return np.array(path), np.array([*heights, surface.function(*point).item()])


# Learning rates


@pytest.mark.parametrize("condition", [10.0, 25.0])
def test_the_edge_of_stability_is_two_over_the_largest_curvature(shipped_film, condition):
    film = shipped_film("learning_rates", condition=condition)
    largest, edge = told(film, rf"\$L\$ = {NUMBER} is .* \$2/L\$ = {NUMBER}")
    assert largest == pytest.approx(np.linalg.eigvalsh(np.diag([1.0, condition]))[-1])
    assert edge == pytest.approx(2 / largest, rel=1e-3)


def test_rates_below_the_edge_come_to_rest_and_the_one_beyond_never_does(shipped_film):
    film = shipped_film("learning_rates")
    rates = {label: float(label.split("(")[1][:-1]) for label in by_label(film, "S")}
    assert list(rates.values()) == pytest.approx([0.02, 0.1, 0.194, 0.206])
    steps = np.arange(61)[:, None]
    for label, run in by_label(film, "S").items():
        factors = 1 - rates[label] * np.array([1.0, 10.0])
        assert run.params == pytest.approx([-2.0, 0.8] * factors**steps, rel=1e-3, abs=1e-4)
        assert (abs(factors).max() < 1) == (rates[label] < 0.2) == ("beyond" not in label)


def test_the_diverging_run_leaves_at_the_step_that_is_told(shipped_film):
    film = shipped_film("learning_rates")
    low, high = axes_of(film)[0].get_ylim()
    heights = 0.8 * (1 - 10 * 2 / 10 * 1.03) ** np.arange(61)
    step = int(np.flatnonzero((low <= heights) & (heights <= high))[-1]) + 1
    words = f"beyond 2/L (0.206): left the picture at step {step}"
    assert words in texts(film) and words in texts(film, frame_at(film, step))
    assert words not in texts(film, frame_at(film, step) - 1)


# Momentum


def shrinkage(curvature, rate, momentum, nesterov):
    """The spectral radius of one update: what is left of the distance, in the long run."""
    kept = 1 - rate * curvature
    back = momentum * (kept if nesterov else 1)
    update = [[kept + back, -back], [1, 0]]
    return max(abs(np.linalg.eigvals(update)))


def momentum_runs(film):
    """For each run: rate, momentum, whether it is Nesterov's, and what a step leaves, as told."""
    plain = told(film, rf"gradient descent: rate .*? = {NUMBER};.*? {NUMBER}% a step in the")
    ball, nesterov = (
        told(film, rf"{name}: rate .*? = {NUMBER},.*? = {NUMBER};.* {NUMBER}%(?:\n|$)")
        for name in ("heavy ball", "Nesterov")
    )
    stated = {
        "gradient descent": [plain[0], 0.0, plain[1]],
        "heavy ball": ball,
        "Nesterov": nesterov,
    }
    for name, run in by_label(film, "S").items():
        rate, momentum = run.lr[0], run.meta["optimizer.momentum"]
        assert [rate, momentum] == pytest.approx(stated[name][:2], rel=5e-3)
        yield run, rate, momentum, name == "Nesterov", 1 - stated[name][2] / 100


def test_momentum_shrinks_the_distance_as_told(shipped_film):
    for _, rate, momentum, nesterov, factor in momentum_runs(shipped_film("momentum")):
        curvatures = np.linspace(1, 40, 40)
        slowest = max(shrinkage(at, rate, momentum, nesterov) for at in curvatures)
        assert slowest == pytest.approx(factor, abs=1e-3)


def test_no_other_rate_and_momentum_shrink_it_faster(shipped_film):
    """Not claimed of Nesterov's, whose momentum is chosen for more than quadratics."""
    for _, rate, momentum, nesterov, factor in momentum_runs(shipped_film("momentum")):
        others = [(0.97, 1), (1.03, 1), (1, 0.97), (1, 1.03), (0.97, 0.97), (1.03, 1.03)]
        for a, b in others if not nesterov else []:
            if (a, momentum * b) != (1, momentum):
                ends = (shrinkage(at, rate * a, momentum * b, False) for at in (1, 40))
                assert max(ends) > factor


def test_momentum_runs_are_the_two_classic_recurrences(shipped_film):
    curvatures = np.array([1.0, 40.0])
    for run, rate, momentum, nesterov, _ in momentum_runs(shipped_film("momentum")):
        now = before = ahead = np.array([-2.0, 0.3])
        for params in run.params[1:]:
            if nesterov:  # torch keeps the point that is looked ahead to
                new = ahead - rate * curvatures * ahead
                now, ahead = new, new + momentum * (new - now)
            else:
                new = now - rate * curvatures * now + momentum * (now - before)
                now, before, ahead = new, now, new
            assert params == pytest.approx(ahead, abs=1e-5)


def test_momentum_is_far_ahead_in_the_end(shipped_film):
    plain, ball, nesterov = by_label(shipped_film("momentum"), "S").values()
    assert plain.loss[-1] > 1e3 * nesterov.loss[-1] > 1e6 * ball.loss[-1]


# Optimizer race

RACERS = {
    "SGD": lambda p, lr: torch.optim.SGD(p, lr=lr),
    "momentum 0.9": lambda p, lr: torch.optim.SGD(p, lr=lr, momentum=0.9),
    "RMSprop": lambda p, lr: torch.optim.RMSprop(p, lr=lr),
    "Adam": lambda p, lr: torch.optim.Adam(p, lr=lr),
    "AdamW": lambda p, lr: torch.optim.AdamW(p, lr=lr),
    "L-BFGS": lambda p, lr: torch.optim.LBFGS(p, lr=lr, max_iter=1),
}
RATES = (3e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1, 0.3, 1.0)


@pytest.mark.parametrize("name", RACERS)
def test_each_racer_has_the_rate_that_a_plain_loop_finds_best(shipped_film, name):
    film = shipped_film("optimizer_race", surface="beale", steps=30)
    assert told(film, rf"Best of {NUMBER} rates,\s{NUMBER}\sto\s{NUMBER}:") == [8, 3e-4, 1]
    lowest = {}
    for rate in RATES:
        _, heights = torch_loop(surfaces.beale, lambda p, lr=rate: RACERS[name](p, lr), 30)
        stays = np.isfinite(heights).all() and heights.max() <= heights[0] * (1 + 1e-6)
        lowest[rate] = heights[-1] if stays else np.inf
    words = re.escape(name.replace(" ", "\N{NO-BREAK SPACE}"))
    (rate,) = told(film, rf"(?:^|\s){words}:\s{NUMBER}")
    assert rate == min(lowest, key=lowest.get)
    assert by_label(film, "S")[name].loss[-1] == pytest.approx(lowest[rate], rel=1e-2)


def test_no_racer_on_rosenbrock_climbs_above_its_start(shipped_film):
    film = shipped_film("optimizer_race")
    assert "never higher than the start" in " ".join(" ".join(texts(film)).split())
    for run in by_label(film, "S").values():
        x, y = run.params.T.astype(float)
        heights = (1 - x) ** 2 + 100 * (y - x**2) ** 2
        assert heights.max() <= heights[0] * (1 + 1e-5)


@pytest.mark.parametrize("surface", ["rosenbrock", "himmelblau", "camel", "rastrigin"])
def test_the_number_that_arrives_is_told_and_the_minima_are_marked(shipped_film, surface):
    settings = {} if surface == "rosenbrock" else {"surface": surface, "steps": 15}
    film = shipped_film("optimizer_race", **settings)
    minima = np.array(getattr(surfaces, surface).minima)
    ends = np.array([run.params[-1] for run in by_label(film, "S").values()])
    near = np.linalg.norm(ends[:, None] - minima, axis=2).min(axis=1) < 0.01
    assert told(film, rf"Within\s0.01\sof\sa\sminimum:\s{NUMBER}\sof\s{NUMBER}") == [near.sum(), 6]
    assert stars(axes_of(film)[0]) == pytest.approx(minima)
    assert any(getattr(surfaces, surface).formula in text for text in texts(film))


def test_where_nothing_is_lowest_the_race_shows_heights(shipped_film):
    film = shipped_film("optimizer_race", surface="saddle", steps=5)
    assert axes_of(film)[1].get_ylabel() == "height"


def test_an_unknown_surface_is_named(shipped_film):
    with pytest.raises(InputError, match="surface='himalaya' is not one of rosenbrock, beale"):
        shipped_film("optimizer_race", surface="himalaya")


# Saddle point


def test_each_optimizer_escapes_the_saddle_when_told_and_not_before(shipped_film):
    film = shipped_film("saddle_point")
    made = {
        "gradient descent": lambda p: torch.optim.SGD(p, lr=0.02),
        "momentum 0.9": lambda p: torch.optim.SGD(p, lr=0.02, momentum=0.9),
        "RMSprop": lambda p: torch.optim.RMSprop(p, lr=0.02),
        "Adam": lambda p: torch.optim.Adam(p, lr=0.02),
    }
    assert list(made) == list(by_label(film, "S"))
    for name, optimizer in made.items():
        path, _ = torch_loop(surfaces.saddle, optimizer, 200)
        step = int(np.argmax(abs(path[:, 1]) > 1))
        assert told(film, rf"{name}: {NUMBER}") == [step]
        words = f"{name}: {step}"
        assert words in "\n".join(texts(film, frame_at(film, step)))
        assert words not in "\n".join(texts(film, frame_at(film, step) - 1))


def test_gradient_descent_leaves_the_saddle_exponentially(shipped_film):
    film = shipped_film("saddle_point")
    (step,) = told(film, rf"gradient descent: {NUMBER}")
    assert step == np.ceil(np.log(1 / 0.001) / np.log(1 + 2 * 0.02))


# Newton's method


@pytest.mark.parametrize("condition", [25.0, 1000.0])
def test_newton_lands_on_the_minimum_of_a_quadratic_in_one_step(shipped_film, condition):
    film = shipped_film("newton_vs_gradient", condition=condition)
    assert by_label(film, "Q")["Newton"].params[1] == pytest.approx([0, 0], abs=1e-6)
    assert "Quadratic: Newton needs 1 step" in texts(film)


def rosenbrock_slope(x, y):
    return np.array([-2 * (1 - x) - 400 * x * (y - x**2), 200 * (y - x**2)])


def rosenbrock_hessian(x, y):
    return np.array([[2 - 400 * (y - 3 * x**2), -400 * x], [-400 * x, 200.0]])


def test_newton_on_rosenbrock_solves_for_the_step_and_halves_it_where_it_climbs(shipped_film):
    run = by_label(shipped_film("newton_vs_gradient"), "R")["Newton"]
    points = run.params.astype(float)
    assert (np.diff(run.loss[:20]) < 0).all()
    for now, then in itertools.pairwise(points[:16]):
        hessian = rosenbrock_hessian(*now)
        assert np.linalg.eigvalsh(hessian)[0] > 0
        full = -np.linalg.solve(hessian, rosenbrock_slope(*now))
        halvings = np.log2(np.linalg.norm(full) / np.linalg.norm(then - now))
        assert halvings == pytest.approx(round(halvings), abs=0.02)
        assert then == pytest.approx(now + full / 2 ** round(halvings), abs=1e-4)


def test_the_steps_that_newton_needs_are_told(shipped_film):
    film = shipped_film("newton_vs_gradient")
    run = by_label(film, "R")["Newton"]
    near = np.linalg.norm(run.params - [1.0, 1.0], axis=1) <= 1e-5
    assert told(film, rf"Rosenbrock: Newton needs {NUMBER} steps") == [np.argmax(near)]


def test_gradient_descent_takes_one_over_the_largest_curvature(shipped_film):
    film = shipped_film("newton_vs_gradient")
    (label, _), on_rosenbrock = by_label(film, "Q"), by_label(film, "R")
    largest = np.linalg.eigvalsh(rosenbrock_hessian(-2.0, 2.0))[-1]
    assert on_rosenbrock[label].lr == pytest.approx(1 / largest)
    assert by_label(film, "Q")[label].lr == pytest.approx(1 / 25)


# Regularisation


def ridge_by_rows(run, surface_at, decay):
    """The ridge solution, from heights of the surface alone: its slope and curvatures at zero."""
    step = 1e-3
    x, y = np.eye(2) * step
    zero = np.zeros(2)
    slope = [(surface_at(e) - surface_at(-e)) / (2 * step) for e in (x, y)]
    second = [(surface_at(e) - 2 * surface_at(zero) + surface_at(-e)) / step**2 for e in (x, y)]
    mixed = (surface_at(x + y) - surface_at(x - y) - surface_at(y - x) + surface_at(-x - y)) / (
        4 * step**2
    )
    curvatures = np.array([[second[0], mixed], [mixed, second[1]]])
    return np.linalg.solve(curvatures + decay * np.eye(2), -np.array(slope))


@pytest.mark.parametrize(("panel", "decay"), [("a", 0.0), ("b", 0.5), ("c", 2.0)])
def test_weight_decay_walks_to_the_ridge_solution_that_is_marked(shipped_film, panel, decay):
    film = shipped_film("regularisation")
    (plain,) = by_label(film, "a").values()
    (run,) = by_label(film, panel).values()
    ridge = ridge_by_rows(run, lambda w: float(plain.loss_at(w[None])[0]), decay)
    ax = axes_of(film)["abc".index(panel)]
    labels = [text.get_text() for text in ax.texts]
    assert stars(ax)[labels.index("minimum")] == pytest.approx(ridge, abs=1e-5)
    assert run.params[-1] == pytest.approx(ridge, abs=0.02)
    assert next(iter(by_label(film, panel))) == rf"$\lambda$ = {decay:g}"


@pytest.mark.parametrize("panel", ["a", "b", "c"])
def test_the_lowest_point_of_each_drawn_surface_is_its_mark(shipped_film, panel):
    film = shipped_film("regularisation")
    map_ = film.panels_by_name[panel]
    axes_of(film)
    heights = map_._computed["loss"]
    xs, ys = map_._axes()
    row, column = np.unravel_index(heights.argmin(), heights.shape)
    assert [xs[column], ys[row]] == pytest.approx(map_.minima["minimum"], abs=0.04)


def test_more_decay_makes_shorter_weights(shipped_film):
    film = shipped_film("regularisation")
    maps = [film.panels_by_name[panel].minima["minimum"] for panel in "abc"]
    lengths = [float(np.hypot(*point)) for point in maps]
    assert lengths[0] > lengths[1] > lengths[2] > 0
    drawn = {line.get_label(): line.get_ydata()[-1] for line in axes_of(film)[3].lines}
    shown = [drawn[label] for label in by_label(film, "L")]
    assert shown == pytest.approx(lengths, abs=0.02)


# Every one of them


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("learning_rates", {"beyond": 0.9}, "beyond=0.9"),
        ("learning_rates", {"condition": 0.5}, "condition is 0.5"),
        ("momentum", {"condition": 1.0}, "condition=1.0"),
        ("saddle_point", {"offset": 0.0}, "offset=0.0"),
        ("regularisation", {"n": 1}, "n=1"),
        ("regularisation", {"decay": 0.0}, "decay=0.0"),
        ("regularisation", {"lr": 1.0}, "lr=1.0: give a rate above 0 and below 0."),
        ("regularisation", {"decay": 10.0}, "lr=0.1: .* strongest decay, 40; less decay"),
        ("saddle_point", {"offset": -1.0}, "give a number between -1 and 1"),
        ("minibatch_sgd", {"n": 65}, "n=65: give at least 512 points"),
        ("batch_sizes", {"n": 300}, "n=300: give at least 8 times as many points"),
        ("batch_sizes", {"steps": 1}, "last=100, steps=1: give at least 2 of each"),
        ("schedules", {"steps": 1}, "steps=1: give at least 2"),
        ("gradient_field", {"apart": 0.01}, "apart=0.01: give at least 0.02"),
        ("coordinate_scaling", {"offset": 1e5}, "offset=100000.0: give -1000 to 1000"),
    ],
)
def test_settings_that_cannot_be_are_named(shipped_film, name, settings, message):
    with pytest.raises(InputError, match=message):
        shipped_film(name, **settings)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("learning_rates", {"steps": 3, "beyond": 4.0}),
        ("learning_rates", {"condition": 1.0}),
        ("momentum", {"steps": 10, "condition": 300.0}),
        ("saddle_point", {"steps": 10, "offset": -0.01}),
        ("newton_vs_gradient", {"steps": 1}),
        ("regularisation", {"n": 8, "seed": 7, "lr": 0.2}),
    ],
)
def test_other_settings_make_films_too(shipped_film, name, settings):
    film = shipped_film(name, **settings)
    for frame in (0, film.frames // 2, -1):
        axes_of(film, frame)
