"""Test surfaces: functions of two variables that are hard in one way each.

`record(models.Point(*surfaces.rosenbrock.start), surfaces.rosenbrock, optimizer=…, steps=…)`
walks on one: a surface stands for data and loss together.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeGuard

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from render.errors import InputError
from render.problem.checks import is_finite
from render.problem.dataset import Dataset
from render.problem.shown import shown

__all__ = [
    "Surface",
    "SurfaceLoss",
    "beale",
    "camel",
    "himmelblau",
    "of",
    "quadratic",
    "rastrigin",
    "rosenbrock",
    "saddle",
]

Function = Callable[[Tensor, Tensor], Tensor]
Pair = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Surface:
    """A function z = function(x, y) of two tensors of the same shape, element by element.

    formula: in matplotlib's mathtext. domain: ((x low, x high), (y low, y high)), the part worth
    looking at. start: where a film begins. minima: the global minima, none where there are none.
    source: where it was published.
    """

    name: str
    function: Function
    formula: str = ""
    domain: tuple[Pair, Pair] = ((-5.0, 5.0), (-5.0, 5.0))
    start: Pair = (1.0, 1.0)
    minima: tuple[Pair, ...] = ()
    source: str = ""

    def __call__(self, x: npt.ArrayLike, y: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return the heights at x and y, which broadcast, as float64."""
        try:
            at = np.broadcast_arrays(np.asarray(x, dtype=float), np.asarray(y, dtype=float))
        except (TypeError, ValueError, RuntimeError) as exc:
            raise InputError(
                f"{self.name}: x and y ({exc}) are not numbers that broadcast; give two arrays"
            ) from exc
        try:
            heights = self.function(*(torch.tensor(side, device="cpu") for side in at))
        except Exception as exc:  # whatever a user's function raises, such as for `if x > 0`
            reason = (str(exc) or type(exc).__name__).splitlines()[0]
            raise InputError(
                f"{self.name}: the function fails at points of shape {at[0].shape} ({reason}); it "
                "must work element by element, such as torch.where(x > 0, x**2, y**2) for a branch"
            ) from exc
        if heights.shape != at[0].shape:
            raise InputError(
                f"{self.name}: the function gives shape {tuple(heights.shape)} for points of shape "
                f"{at[0].shape}; it must work element by element, such as x**2 + y**4"
            )
        return np.asarray(heights.numpy(), dtype=np.float64)

    def curvatures(self, x: float, y: float) -> npt.NDArray[np.float64]:
        """Return the eigenvalues of the Hessian at a point, (2,), rising."""
        _check_pair("the point", (x, y))
        point = torch.tensor([x, y], dtype=torch.float64, device="cpu")
        differentiate: Any = torch.autograd.functional.hessian  # which has no types
        hessian = differentiate(lambda at: self.function(*at), point)
        return np.asarray(torch.linalg.eigvalsh(hessian).numpy())

    @property
    def loss(self) -> SurfaceLoss:
        """The height at a prediction (x, y) of shape (2,), as `record` and `attach` take it."""
        return SurfaceLoss(function=self.function, name=self.name)

    def data(self, dtype: torch.dtype) -> Dataset:
        """Return the data that a `Point` ignores: one sample, 0, and the target 0."""
        return Dataset(*(torch.zeros(1, dtype=dtype, device="cpu") for _ in "xy"))


@dataclass(frozen=True, kw_only=True)
class SurfaceLoss:
    """A surface as a loss: (prediction of shape (2,), target that is ignored) -> height."""

    function: Function
    name: str

    @property
    def __name__(self) -> str:
        """The surface's name."""
        return self.name

    @property
    def __wrapped__(self) -> Function:
        """The function of two variables."""
        return self.function

    def __call__(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return the height at the predicted point. Raises InputError for another shape."""
        if prediction.shape != (2,):
            raise InputError(
                f"{self.name}: a surface takes a point, shape (2,), not a prediction of shape "
                f"{tuple(prediction.shape)}; use models.Point(x, y)"
            )
        return self.function(prediction[0], prediction[1])


def of(
    function: Callable[[Any, Any], Any],
    *,
    name: str | None = None,
    formula: str = "",
    domain: tuple[Pair, Pair] = ((-5.0, 5.0), (-5.0, 5.0)),
    start: Pair = (1.0, 1.0),
    minima: tuple[Pair, ...] = (),
    source: str = "",
) -> Surface:
    """Return a surface of your own function of two tensors, such as `lambda x, y: x**2 + y**4`.

    The other arguments are the surface's fields. Raises InputError where the function does not
    give one number for two numbers, or loses its slope as `math.sin` does, or where domain, start
    or minima are not such pairs.
    """
    if not callable(function):
        raise InputError(f"surface: function is {shown(function)}; give a callable of x and y")
    texts = {"name": "" if name is None else name, "formula": formula, "source": source}
    for field, text in texts.items():
        if not isinstance(text, str):
            raise InputError(f"surface: {field} is {shown(text)}; give a text")
    if not isinstance(domain, Sequence) or len(domain) != 2:
        raise InputError(
            f"surface: domain is {shown(domain)}; give ((x low, x high), (y low, y high))"
        )
    for side, ends in zip("xy", domain, strict=True):
        _check_pair(f"the domain of {side}", ends)
        if not ends[0] < ends[1]:
            raise InputError(f"surface: the domain of {side} is {shown(ends)}; give low < high")
    _check_pair("start", start)
    if not isinstance(minima, Sequence):
        raise InputError(
            f"surface: minima is {shown(minima)}; give a list of points, such as [(0, 0)]"
        )
    for at in minima:
        _check_pair("a minimum", at)
    _check_height(function, start)
    return Surface(
        name=name or str(getattr(function, "__name__", "surface")).replace("<lambda>", "surface"),
        function=function,
        formula=formula,
        domain=domain,
        start=start,
        minima=minima,
        source=source,
    )


def _is_height(height: object) -> TypeGuard[Tensor]:
    return isinstance(height, Tensor) and height.shape == () and not height.is_complex()


def _check_height(function: Callable[[Any, Any], Any], start: Pair) -> None:
    """Check that a function gives one number for two, and its slope. Raises InputError."""
    point = torch.tensor(start, dtype=torch.float64, device="cpu")
    try:
        height: object = function(*point)
        if _is_height(height):
            slopes = _slopes(function, point)
    except Exception as exc:  # whatever a user's function raises
        reason = (str(exc) or type(exc).__name__).splitlines()[0]
        raise InputError(
            f"surface: the function failed at the start {start} ({reason}); give a function of "
            "two tensors made of torch operations"
        ) from exc
    if not _is_height(height):
        got = repr(height)
        if isinstance(height, Tensor):
            got = "a complex number" if height.is_complex() else f"shape {tuple(height.shape)}"
        raise InputError(
            f"surface: the function gives {got} at two numbers; it must give a tensor of one real "
            "number"
        )
    if slopes is not None:
        raise InputError(
            "surface: the function takes numbers out of its tensors, as math.sin does, and torch "
            f"loses the slope: it finds {slopes[0]} at the start, where differences give "
            f"{slopes[1]}; give torch operations, such as torch.sin"
        )


class _Read(TorchFunctionMode):
    """Notes whether numbers are taken out of tensors, as `math.sin` does: torch cannot follow."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers = False

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Note and run a function."""
        self.numbers = self.numbers or func in _READING
        return func(*args, **(kwargs or {}))


_READING = (Tensor.__float__, Tensor.__array__, Tensor.item, Tensor.tolist, Tensor.numpy)
_STEP = 1e-6
"""Of the differences, relative to the point."""
_ROUGH = 0.01
"""By how much differences and a gradient may differ, relative to the largest."""


def _slopes(function: Callable[[Any, Any], Any], point: Tensor) -> tuple[str, str] | None:
    """Return the gradient that torch finds, and the true one, where the two differ.

    They may in a function that takes numbers out of tensors: what depends on those is lost.
    """
    with torch.inference_mode(False), torch.enable_grad(), _Read() as read:
        at = point.clone().requires_grad_()
        with warnings.catch_warnings():  # torch warns of what is looked for here
            warnings.simplefilter("ignore")
            height = function(*at)
        if height.requires_grad and not read.numbers:
            return None
        slope = torch.zeros_like(point)
        if height.requires_grad:
            (slope,) = torch.autograd.grad(height, at)
    steps = _STEP * point.abs().clamp(min=1.0)
    ends = [[float(function(*(point + side * step))) for side in (1, -1)] for step in steps.diag()]
    heights = torch.tensor(ends, dtype=torch.float64, device="cpu")
    seen = (heights[:, 0] - heights[:, 1]) / (2 * steps)
    if torch.allclose(slope, seen, rtol=_ROUGH, atol=_ROUGH * float(seen.abs().max())):
        return None
    found, true = ("({:.3g}, {:.3g})".format(*pair.tolist()) for pair in (slope, seen))
    return found, true


def _check_pair(name: str, value: Any) -> None:
    try:
        fits = len(value) == 2 and all(math.isfinite(entry) for entry in value)
    except (TypeError, ValueError, RuntimeError, OverflowError):  # text, tensors
        fits = False
    if not fits:
        raise InputError(f"surface: {name} is {shown(value)}; give two finite numbers")


def quadratic(condition: float = 100.0) -> Surface:
    """Return a valley whose curvatures are 1 along x and `condition` along y.

    Gradient descent is stable for rates below 2 / condition, and needs about `condition` steps.
    """
    if not is_finite(condition) or condition < 1:
        raise InputError(f"quadratic: condition is {shown(condition)}; give a number of at least 1")
    return Surface(
        name=f"quadratic, condition {condition:g}",
        function=partial(_quadratic, condition=condition),
        formula=rf"$\frac{{1}}{{2}}\left(x^2 + {condition:g}\,y^2\right)$",
        domain=((-2.5, 2.5), (-1.0, 1.0)),
        start=(-2.0, 0.8),
        minima=((0.0, 0.0),),
        source="Nocedal and Wright, Numerical Optimization, 2nd edition, Springer 2006, "
        "Section 3.3, doi:10.1007/978-0-387-40065-5",
    )


def _quadratic(x: Tensor, y: Tensor, condition: float) -> Tensor:
    return (x**2 + condition * y**2) / 2


def _rosenbrock(x: Tensor, y: Tensor) -> Tensor:
    return (1 - x) ** 2 + 100 * (y - x**2) ** 2


def _rastrigin(x: Tensor, y: Tensor) -> Tensor:
    waves = torch.cos(2 * torch.pi * x) + torch.cos(2 * torch.pi * y)
    return 20 + x**2 + y**2 - 10 * waves


def _beale(x: Tensor, y: Tensor) -> Tensor:
    return (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2


def _camel(x: Tensor, y: Tensor) -> Tensor:
    return (4 - 2.1 * x**2 + x**4 / 3) * x**2 + x * y + (4 * y**2 - 4) * y**2


def _himmelblau(x: Tensor, y: Tensor) -> Tensor:
    return (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2


def _saddle(x: Tensor, y: Tensor) -> Tensor:
    return x**2 - y**2


rosenbrock = Surface(
    name="Rosenbrock",
    function=_rosenbrock,
    formula=r"$(1 - x)^2 + 100\,(y - x^2)^2$",
    domain=((-2.0, 2.0), (-1.0, 3.0)),
    start=(-2.0, 2.0),
    minima=((1.0, 1.0),),
    source="Rosenbrock, The Computer Journal 3(3), 1960, doi:10.1093/comjnl/3.3.175",
)
"""A curved valley with a flat floor."""

rastrigin = Surface(
    name="Rastrigin",
    function=_rastrigin,
    formula=r"$20 + x^2 + y^2 - 10\,(\cos 2\pi x + \cos 2\pi y)$",
    domain=((-4.5, 4.5), (-4.5, 4.5)),
    start=(-2.0, 3.5),
    minima=((0.0, 0.0),),
    source="Rastrigin, Systems of Extremal Control, Mir 1974; in several dimensions: "
    "Mühlenbein et al., Parallel Computing 17, 1991, doi:10.1016/S0167-8191(05)80052-3",
)
"""A bowl full of local minima."""

beale = Surface(
    name="Beale",
    function=_beale,
    formula=r"$(1.5 - x + xy)^2 + (2.25 - x + xy^2)^2 + (2.625 - x + xy^3)^2$",
    domain=((-4.5, 4.5), (-4.5, 4.5)),
    start=(2.0, 1.7),
    minima=((3.0, 0.5),),
    source="Beale 1958; Moré, Garbow and Hillstrom, ACM Transactions on Mathematical Software "
    "7(1), 1981, problem 5, doi:10.1145/355934.355936",
)
"""Flat in the middle, steep at the corners."""

camel = Surface(
    name="six-hump camel",
    function=_camel,
    formula=r"$(4 - 2.1 x^2 + x^4/3)\,x^2 + xy + (4 y^2 - 4)\,y^2$",
    domain=((-3.0, 3.0), (-2.0, 2.0)),
    start=(1.3, -1.5),
    minima=((0.08984201310031806, -0.7126564030207396), (-0.08984201310031806, 0.7126564030207396)),
    source="Dixon and Szegö, Towards Global Optimisation 2, North-Holland 1978; Jamil and Yang, "
    "2013, doi:10.1504/IJMMNO.2013.055204",
)
"""Six minima, two of them global."""

himmelblau = Surface(
    name="Himmelblau",
    function=_himmelblau,
    formula=r"$(x^2 + y - 11)^2 + (x + y^2 - 7)^2$",
    domain=((-5.0, 5.0), (-5.0, 5.0)),
    start=(0.0, 0.0),
    minima=(
        (3.0, 2.0),
        (-2.805118086952745, 3.131312518250573),
        (-3.779310253377747, -3.2831859912861696),
        (3.5844283403304917, -1.8481265269644036),
    ),
    source="Himmelblau, Applied Nonlinear Programming, McGraw-Hill 1972; Jamil and Yang, 2013, "
    "doi:10.1504/IJMMNO.2013.055204",
)
"""Four minima of the same depth."""

saddle = Surface(
    name="saddle",
    function=_saddle,
    formula=r"$x^2 - y^2$",
    domain=((-1.5, 1.5), (-1.5, 1.5)),
    start=(-1.2, 0.001),
    source="Dauphin et al., Identifying and attacking the saddle point problem in "
    "high-dimensional non-convex optimization, 2014, arXiv:1406.2572",
)
"""Flat at (0, 0), from which it falls without end along y."""
