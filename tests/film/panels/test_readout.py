"""The readout writes numbers that stand apart from each other, and are read from afar."""

import itertools
from functools import partial

import numpy as np
import pytest
import torch
from matplotlib.text import Text

from render import Film, datasets, losses, models, panels, record, surfaces, sweep
from render.errors import InputError
from render.film.drawing import Drawing
from render.film.panels import readout


def falls(steps=3, **options):
    return record(
        models.Line(slope=-1.0, intercept=1.0),
        datasets.line(20),
        loss=losses.mse,
        optimizer=partial(torch.optim.SGD, lr=0.1),
        steps=steps,
        **options,
    )


def several(count):
    rates = np.geomspace(1e-4, 1.0, count).round(5).tolist()
    valley = surfaces.rosenbrock
    return sweep(models.Point(-1.5, 2.0), valley, optimizer=torch.optim.SGD, lr=rates, steps=8)


def empty(ax):
    return lambda step: None


def drawn(readout, frame=-1, **layout):
    """The readout's axes in a film with another panel, and the texts that show in them."""
    film = Film({"A": empty, "R": readout}, seconds=0.1, **layout)
    drawing = Drawing(film)
    with drawing.theme():
        drawing.show(frame % film.frames)
        drawing.figure.draw_without_rendering()
    axes = drawing.figure.axes[1]
    return axes, [text for text in axes.texts if text.get_visible() and text.get_text().strip()]


LOW = {"mosaic": "A\nR", "height_ratios": (12, 1)}


@pytest.mark.parametrize(
    ("runs", "layout", "size"),
    [
        (1, {"mosaic": "AR"}, (1080, 1080)),
        (4, {"mosaic": "AR"}, (1920, 1080)),
        (10, {"mosaic": "AR\nA."}, (960, 540)),
        (1, LOW, (960, 540)),
        (3, LOW, (540, 960)),
    ],
)
def test_numbers_stand_apart_and_within_the_picture(runs, layout, size):
    axes, texts = drawn(panels.Readout(several(runs)), size=size, **layout)
    assert len(texts) >= 1 + runs
    boxes = [text.get_window_extent() for text in texts]
    for one, other in itertools.combinations(boxes, 2):
        assert not one.overlaps(other)
    for text, box in zip(texts, boxes, strict=True):
        assert text.get_fontsize() >= 0.025 * 72 * axes.figure.get_size_inches().min()
        assert box.x0 >= 0 and box.y0 >= 0
        assert box.x1 <= axes.figure.bbox.width and box.y1 <= axes.figure.bbox.height


def test_what_is_validated_is_said_in_words():
    run = falls(validation=datasets.line(5, seed=1))
    _, texts = drawn(panels.Readout(run, show=("loss", "val_loss")))
    left, right = (text for text in texts if text.get_position()[1] == 1.0)
    assert (left.get_text(), right.get_text()) == ("loss", "validation loss")
    assert left.get_window_extent().x1 < right.get_window_extent().x0


@pytest.mark.parametrize("runs", [1, 3])
def test_rows_stay_near_their_headings_in_a_high_panel(runs):
    axes, texts = drawn(panels.Readout(several(runs)), mosaic="AR")
    boxes = [text.get_window_extent() for text in texts]
    line = 1.3 * max(text.get_fontsize() for text in texts) * axes.figure.dpi / 72
    assert max(box.y1 for box in boxes) - min(box.y0 for box in boxes) <= 2 * line * (1 + runs)


def test_what_does_not_fit_is_left_out_from_the_last():
    readout = panels.Readout(several(4))
    _, wide = drawn(readout, mosaic="A\nR")
    _, narrow = drawn(readout, mosaic="AR", width_ratios=(2, 1))
    headings = ["step", "rate", "loss", "x", "y"]
    assert [text.get_text() for text in wide if text.get_text() in headings] == headings
    left = [text.get_text() for text in narrow if text.get_text() in headings]
    assert 1 <= len(left) < 5 and left == headings[: len(left)]


def test_a_label_that_is_too_long_for_the_numbers_is_cut_short():
    run = falls()
    runs = {"": run, "gradient descent with momentum, and a name that does not end": run}
    axes, texts = drawn(panels.Readout(runs, show=("step", "loss")), mosaic="AR", size=(640, 360))
    written = [text.get_text() for text in texts]
    assert any(words.startswith("gradient") and words.endswith("…") for words in written)
    assert {"step", "loss"} < set(written)
    assert all(text.get_window_extent().x1 <= axes.figure.bbox.width for text in texts)
    wide = [
        text.get_text() for text in drawn(panels.Readout(runs, show=("step",)), mosaic="A\nR")[1]
    ]
    assert set(runs) - {""} < set(wide)


def test_a_formula_in_a_label_that_is_cut_short_stays_whole_or_goes():
    text = Text(text="x")
    words = r"rate 0.5, from $(-1, 1)$ without momentum"
    wide = readout._width_of_1(words, text)
    for share in np.linspace(0.05, 0.95, 19):
        short = readout._shortened(words, share * wide, text)
        assert short.endswith("…") and short.count("$") in (0, 2)
        assert readout._width_of_1(short, text) <= share * wide
    assert readout._shortened(words, wide, text) == words


def test_columns_stay_where_they_are_while_numbers_grow():
    readout = panels.Readout(several(3))
    places = [
        [text.get_position() for text in drawn(readout, frame, mosaic="AR")[1]] for frame in (0, -1)
    ]
    assert places[0] == places[1]


def test_numbers_are_those_of_the_step(ax):
    run = falls()
    update = panels.Readout(run, show=("step", "loss", "slope"))(ax)
    for step in (3, 1):
        update(step)
        written = {text.get_text() for text in ax.texts}
        slope = f"{run.params[step, 0]:.4f}".replace("-", "\N{MINUS SIGN}")
        assert {str(step), f"{run.data_loss[step]:.4f}", slope} <= written


def test_a_number_that_is_not_there_and_rows_without_room_are_refused(ax):
    run = falls()
    with pytest.raises(InputError, match="Readout: nothing is called 'speed'"):
        panels.Readout(run, show=("speed",))
    with pytest.raises(InputError, match="60 rows do not fit in the picture; show fewer runs"):
        panels.Readout({str(number): run for number in range(60)})(ax)


def test_numbers_have_one_kind_of_minus_and_no_sign_where_they_round_to_zero(ax):
    flat = surfaces.of(lambda x, y: -1e6 * x + 0 * y, start=(-1e-6, -123456.0))
    for rate, shown in ((6000, "6000"), (1e-5, "1e\N{MINUS SIGN}05"), (0.123, "0.123")):
        run = record(
            models.Point(*flat.start), flat, optimizer=partial(torch.optim.SGD, lr=rate), steps=1
        )
        before = len(ax.texts)
        panels.Readout(run, show=("rate", "x", "y"))(ax)(0)
        written = {text.get_text() for text in ax.texts[before:]}
        assert {shown, "0.0000", "\N{MINUS SIGN}1.235e+05"} <= written


def test_a_small_loss_keeps_two_digits_and_a_small_parameter_its_decimals(ax):
    valley = surfaces.of(lambda x, y: x**2 + y**2, start=(1.0, 1e-3))
    optimizer = partial(torch.optim.SGD, lr=0.25)
    run = record(models.Point(*valley.start), valley, optimizer=optimizer, steps=60)
    update = panels.Readout(run, show=("loss", "y"))(ax)
    for step, loss in ((0, "1.0000"), (6, "0.0002"), (8, "1.5e\N{MINUS SIGN}05"), (60, "7.5e")):
        update(step)
        shown = [text.get_text() for text in ax.texts if text.get_text().strip()]
        assert shown[1].startswith(loss) and shown[3] == ("0.0000" if step else "0.0010")


def test_a_parameter_that_is_small_in_the_whole_film_keeps_two_digits(ax):
    valley = surfaces.of(lambda x, y: x**2 + y**2, start=(-4e-5, 6e-5))
    optimizer = partial(torch.optim.SGD, lr=0.25)
    run = record(models.Point(*valley.start), valley, optimizer=optimizer, steps=60)
    update = panels.Readout(run, show=("x", "y"))(ax)
    for step, x, y in (
        (0, "4.0e\N{MINUS SIGN}05", "0.0001"),
        (2, "1.0e\N{MINUS SIGN}05", "0.0000"),
    ):
        update(step)
        shown = [text.get_text() for text in ax.texts if text.get_text().strip()]
        assert shown[1::2] == ["\N{MINUS SIGN}" + x, y]


class Rateless(torch.optim.SGD):
    """Gradient descent that keeps no rate in its groups."""

    def __init__(self, params):
        super().__init__(params, lr=0.1)
        del self.param_groups[0]["lr"]

    def step(self, closure=None):
        with torch.no_grad():
            for param in self.param_groups[0]["params"]:
                param -= 0.1 * param.grad


def test_only_a_run_that_diverged_is_said_to_have(ax):
    def share(prediction, target):
        return (prediction - target).sum() * 0 / 0

    def far(prediction, target):
        return torch.tensor(-float("inf"))

    run = record(
        models.Line(slope=-1.0, intercept=1.0),
        datasets.line(20),
        loss=losses.mse,
        optimizer=Rateless,
        steps=3,
        metrics=[share, far],
    )
    panels.Readout(run, show=("rate", "share", "far", "loss"))(ax)(2)
    shown = [text.get_text() for text in ax.texts if text.get_text().strip()]
    assert shown[1:6:2] == ["\N{EN DASH}", "\N{EN DASH}", "\N{MINUS SIGN}\N{INFINITY}"]


def test_of_a_run_that_diverged_what_is_no_number_is_said_to_have(ax):
    wild = record(
        models.Line(slope=-1.0, intercept=1.0),
        datasets.line(20),
        loss=losses.mse,
        optimizer=partial(torch.optim.SGD, lr=50.0),
        steps=60,
    )
    update = panels.Readout(wild, show=("loss",))(ax)
    for step in (wild.diverged_at - 1, wild.diverged_at):
        update(step)
        shown = [text.get_text() for text in ax.texts if text.get_text().strip()]
        assert (shown[1] == "diverged") == (step == wild.diverged_at)
