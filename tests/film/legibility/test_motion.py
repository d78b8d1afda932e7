"""Axes that jump and flashes are named; slow zooms and small lamps pass."""

import pytest


def test_an_axis_that_jumps_is_named_unless_its_panel_wants_it(found):
    def panel(ax):
        return lambda step: ax.set_xlim(0, 1 + (step > 4))

    (finding,) = found(panel)
    assert "frame 5: axes" in finding and "jumps by 100% of its axis' length" in finding
    panel.moves_axes = True
    assert found(panel) == []


def test_axes_that_a_panel_adds_move_by_its_leave(found):
    def panel(ax):
        inset, twin = ax.inset_axes((0.1, 0.5, 0.4, 0.4)), ax.twinx()

        def update(step):
            inset.set_xlim(0, 1 + (step > 4))
            twin.set_ylim(0, 1 + (step > 4))

        return update

    findings = found(panel)
    assert [("inset" in each, "jumps by 100%" in each) for each in sorted(findings, key=len)] == [
        (False, True),
        (True, True),
    ]
    panel.moves_axes = True
    assert found(panel) == []


def test_a_slow_zoom_is_no_jump(found):
    def panel(ax):
        return lambda step: ax.set_xlim(0, 1.01**step)

    assert found(panel) == []


def test_an_axes_that_moves_is_named(found):
    def panel(ax):
        return lambda step: ax.set_position((0.1, 0.1 + 0.01 * step, 0.5, 0.5))

    assert any("px on the picture" in finding for finding in found(panel))


@pytest.mark.parametrize(("a_second", "flashes"), [(2, False), (3, False), (4, True), (6, True)])
def test_more_than_three_flashes_a_second_are_named(found, a_second, flashes):
    def panel(ax):
        ax.set_axis_off()
        (patch,) = ax.bar([0], [1], 4)
        ax.set(xlim=(-1, 1), ylim=(0, 1))
        half = 24 // (2 * a_second)
        return lambda step: patch.set_color("white" if step // half % 2 else "black")

    findings = found(panel, fps=24, seconds=2, size=(160, 90), title="")
    assert any("flashes" in finding for finding in findings) == flashes


def test_a_small_flashing_lamp_is_allowed(found):
    def panel(ax):
        ax.set_axis_off()
        ax.set(xlim=(0, 1), ylim=(0, 1))
        (patch,) = ax.bar([0.5], [0.1], 0.1)
        return lambda step: patch.set_color("white" if step % 2 else "black")

    assert found(panel, title="") == []
