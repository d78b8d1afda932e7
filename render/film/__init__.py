"""From a recording to frames: the film, its panels, its timeline, its theme, the layered canvas."""
