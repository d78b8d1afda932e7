"""Names of attributes that no drawing reads, or that follow from others: they are not watched."""

from __future__ import annotations

# Of artists, and of what they hold.
UNREAD = {
    "_callbacks",
    "_label",
    "_mouseover",
    "_mouseover_set",
    "_parent_figure",
    "_picker",
    "_pickradius",
    "_remove_method",
    "_renderer",
    "_url",
    "_xorig",
    "_yorig",
    "callbacks",
    "hitlist",
    "stale_callback",
}
# Of axes, whose artists are watched by themselves.
AXES_UNREAD = {
    "_axstack",
    "_get_lines",
    "_get_patches_for_fill",
    "_stale",
    "fmt_xdata",
    "fmt_ydata",
    "ignore_existing_data_limits",
}
# What transforms compute from their children and keep.
DERIVED = {
    "_affine",
    "_invalid",
    "_inverted",
    "_parents",
    "_shorthand_name",
    "_transformed_path",
    "_transformed_points",
    "_ignore",
    "_minpos",
    "_points_orig",
}
# Of a tick's lines what they compute from their data, anew when that is set to what it is, but not
# the data: whoever sets them leaves a trace in nothing else.
LINE_UNREAD = UNREAD - {"_xorig", "_yorig"} | {
    "_invalidx",
    "_invalidy",
    "_path",
    "_stale",
    "_subslice",
    "_transformed_path",
    "_x",
    "_x_filled",
    "_y",
    "ind_offset",
}
