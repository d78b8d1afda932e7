"""What this relies on in matplotlib that is not public, and may be gone in another version."""

from __future__ import annotations

import matplotlib.image
from matplotlib.axes import Axes
from matplotlib.backend_bases import GraphicsContextBase, RendererBase
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.figure import Figure


def is_as_known(figure: Figure) -> bool:
    """Whether all of it is there."""
    gc = GraphicsContextBase()
    needed: list[tuple[object, tuple[str, ...]]] = [
        (matplotlib.image, ("_draw_list_compositing_images",)),
        (Axes, ("_shared_axes", "_twinned_axes", "_unstale_viewLim", "_update_title_position")),
        (RendererBase, ("_draw_disabled",)),
        (RendererAgg, ("_update_methods",)),
        (figure, ("_align_label_groups", "_animated", "_layout_engine", "_stale")),
        (gc, ("_cliprect", "_clippath", "_dashes", "_rgb")),
    ]
    return all(hasattr(owner, name) for owner, names in needed for name in names)
