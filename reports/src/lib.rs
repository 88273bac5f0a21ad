//! Reports of a run: HTML, SVG, CSV, HDR histograms.
