"""Counts by organisation and day: the queries behind the charts and headline figures of the HTML report.

A day is one in UTC. A merged pull request counts on the day of its merge, any other pull request on that of
its creation. Hours are counted in logarithmic bins, which can be added up over organisations and days, and
give the median of any selection to within one bin.
"""
