"""The tables behind the charts of the HTML report: one function per chart, which returns its pivot."""
