"""Drives calendar, whose body is executed again with its enums and classes."""

import sys

sys.modules.pop("calendar")
import calendar

print(calendar.TextCalendar(calendar.SUNDAY).formatmonth(2024, 2))
print(calendar.calendar(2023, w=2, l=1, c=3, m=4)[:600])
print(calendar.HTMLCalendar().formatmonth(2025, 12)[:400])
print([day for day in calendar.Calendar(2).itermonthdays4(2026, 3)][:5])
print(calendar.monthrange(2100, 2), calendar.isleap(2000), calendar.leapdays(1900, 2030))
try:
    calendar.monthrange(2024, 13)
except calendar.IllegalMonthError as error:
    print(error)
print(calendar.timegm((2026, 1, 2, 3, 4, 5)))
print(calendar.Month.MAY, calendar.day_abbr[1])
