"""The report: one HTML file that shows what a run came to, and the same as a picture."""

from civlab.report.page import render_report, write_report
from civlab.report.picture import render_picture

__all__ = ["render_picture", "render_report", "write_report"]
