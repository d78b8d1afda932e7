"""What this relies on in matplotlib that is not public, and may be gone in another version."""

from __future__ import annotations

import matplotlib.image
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backend_bases import GraphicsContextBase, RendererBase
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine


def is_as_known(figure: Figure) -> bool:
    """Whether all of it is there."""
    gc = GraphicsContextBase()
    needed: list[tuple[object, tuple[str, ...]]] = [
        (matplotlib.image, ("_draw_list_compositing_images",)),
        (Artist, ("_fully_clipped_to_axes",)),
        (Axes, ("_set_position", "_shared_axes", "_twinned_axes")),
        (Axes, ("_unstale_viewLim", "_update_title_position")),
        (ConstrainedLayoutEngine(), ("_params",)),
        (RendererBase, ("_draw_disabled",)),
        (RendererAgg, ("_update_methods",)),
        (figure, ("_align_label_groups", "_animated", "_layout_engine", "_stale")),
        (figure, ("_suptitle", "_supxlabel", "_supylabel", "subfigs")),
        (gc, ("_cliprect", "_clippath", "_dashes", "_rgb")),
    ]
    return all(hasattr(owner, name) for owner, names in needed for name in names)
