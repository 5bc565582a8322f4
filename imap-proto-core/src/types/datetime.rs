use core::fmt;

use crate::wire::grammar::date::parse_date_time;

const SECONDS_PER_DAY: i64 = 86_400;
/// Days from 0000-03-01 to 1970-01-01.
const EPOCH: i64 = 719_468;
const DAYS_PER_ERA: i64 = 146_097;
const YEARS_PER_ERA: i64 = 400;

pub(crate) const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Names a day of the Gregorian calendar, from year 0 to 9999.
///
/// `Display` is the wire form of SEARCH, `1-Feb-1994`. RFC 9051 §9, `date`
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

impl Date {
    /// Returns the day, or `None` when the calendar has no such day. Months and days count from 1.
    pub const fn new(year: u16, month: u8, day: u8) -> Option<Self> {
        if year > 9999 || month == 0 || month > 12 || day == 0 || day > days_in_month(year, month) {
            return None;
        }
        Some(Date { year, month, day })
    }

    /// The year, 0 to 9999.
    pub const fn year(self) -> u16 {
        self.year
    }

    /// The month, 1 to 12.
    pub const fn month(self) -> u8 {
        self.month
    }

    /// The day of the month, 1 to 31.
    pub const fn day(self) -> u8 {
        self.day
    }

    /// Days since 1970-01-01.
    ///
    /// Years are counted from March, so that the leap day is the last of its year.
    fn days_since_epoch(self) -> i64 {
        let (year, month, day) = (i64::from(self.year), i64::from(self.month), i64::from(self.day));
        let year = if month <= 2 { year - 1 } else { year };
        let era = year.div_euclid(YEARS_PER_ERA);
        let year_of_era = year.rem_euclid(YEARS_PER_ERA);
        let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        era * DAYS_PER_ERA + day_of_era - EPOCH
    }

    fn from_days_since_epoch(days: i64) -> Option<Self> {
        let days = days.checked_add(EPOCH)?;
        let era = days.div_euclid(DAYS_PER_ERA);
        let day_of_era = days.rem_euclid(DAYS_PER_ERA);
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        let year = year_of_era + era * YEARS_PER_ERA + i64::from(month <= 2);
        Date::new(u16::try_from(year).ok()?, month as u8, day as u8)
    }
}

const fn days_in_month(year: u16, month: u8) -> u8 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        _ => 31,
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{:04}", self.day, month_name(self.month), self.year)
    }
}

impl fmt::Debug for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Names a moment as it is on the clock of some time zone.
///
/// `Display` is the wire form of INTERNALDATE and APPEND without its quotes, `17-Jul-1996 02:44:25 -0700`.
/// RFC 9051 §9, `date-time`
///
/// Two are equal when they show the same; compare [`to_unix_timestamp`](Self::to_unix_timestamp) for the same moment.
///
/// ```
/// use imap_proto_core::types::DateTime;
///
/// let sent = DateTime::from_unix_timestamp(837_596_665).unwrap();
/// assert_eq!(sent.to_string(), "17-Jul-1996 09:44:25 +0000");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct DateTime {
    date: Date,
    second_of_day: u32,
    offset_minutes: i16,
}

impl DateTime {
    /// Returns the moment, or `None` when a clock can't show it. A leap second is taken for the one before it.
    ///
    /// `offset_minutes` is the distance east of UTC, less than a hundred hours.
    pub const fn new(date: Date, hour: u8, minute: u8, second: u8, offset_minutes: i16) -> Option<Self> {
        if hour > 23 || minute > 59 || second > 60 || offset_minutes.unsigned_abs() >= 100 * 60 {
            return None;
        }
        let second = if second == 60 { 59 } else { second };
        let second_of_day = hour as u32 * 3600 + minute as u32 * 60 + second as u32;
        Some(DateTime { date, second_of_day, offset_minutes })
    }

    /// Reads the wire form without quotes; `None` for the oddities servers send where they know no date (quirk 86).
    pub fn from_wire(wire: &[u8]) -> Option<Self> {
        parse_date_time(wire)
    }

    /// Returns the moment in UTC; `None` beyond the years 0 to 9999.
    pub fn from_unix_timestamp(seconds: i64) -> Option<Self> {
        Self::from_unix_timestamp_with_offset(seconds, 0)
    }

    /// Returns the moment as it is that many minutes east of UTC; `None` beyond the years 0 to 9999, or a hundred hours.
    pub fn from_unix_timestamp_with_offset(seconds: i64, offset_minutes: i16) -> Option<Self> {
        let local = seconds.checked_add(i64::from(offset_minutes) * 60)?;
        let date = Date::from_days_since_epoch(local.div_euclid(SECONDS_PER_DAY))?;
        let second_of_day = local.rem_euclid(SECONDS_PER_DAY) as u32;
        DateTime::new(date, 0, 0, 0, offset_minutes).map(|midnight| DateTime { second_of_day, ..midnight })
    }

    /// Seconds since 1970-01-01 00:00:00 UTC.
    pub fn to_unix_timestamp(self) -> i64 {
        self.date.days_since_epoch() * SECONDS_PER_DAY + i64::from(self.second_of_day)
            - i64::from(self.offset_minutes) * 60
    }

    /// The day, as in the time zone.
    pub const fn date(self) -> Date {
        self.date
    }

    /// The hour, 0 to 23.
    pub const fn hour(self) -> u8 {
        (self.second_of_day / 3600) as u8
    }

    /// The minute, 0 to 59.
    pub const fn minute(self) -> u8 {
        (self.second_of_day / 60 % 60) as u8
    }

    /// The second, 0 to 59.
    pub const fn second(self) -> u8 {
        (self.second_of_day % 60) as u8
    }

    /// How many minutes east of UTC the clock is.
    pub const fn offset_minutes(self) -> i16 {
        self.offset_minutes
    }
}

impl fmt::Display for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let date = self.date;
        write!(f, "{:02}-{}-{:04} ", date.day, month_name(date.month), date.year)?;
        write!(f, "{:02}:{:02}:{:02} ", self.hour(), self.minute(), self.second())?;
        let sign = if self.offset_minutes < 0 { '-' } else { '+' };
        let offset = self.offset_minutes.unsigned_abs();
        write!(f, "{sign}{:02}{:02}", offset / 60, offset % 60)
    }
}

impl fmt::Debug for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn month_name(month: u8) -> &'static str {
    MONTHS.get(usize::from(month).wrapping_sub(1)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_moments() {
        let table = [
            (0, 0, "01-Jan-1970 00:00:00 +0000"),
            (837_596_665, -420, "17-Jul-1996 02:44:25 -0700"),
            (951_782_400, 0, "29-Feb-2000 00:00:00 +0000"),
            (-1, 90, "01-Jan-1970 01:29:59 +0130"),
            (-2_203_891_200, 0, "01-Mar-1900 00:00:00 +0000"),
            (-62_167_219_200, 0, "01-Jan-0000 00:00:00 +0000"),
            (253_402_300_799, 0, "31-Dec-9999 23:59:59 +0000"),
        ];
        for (seconds, offset, expected) in table {
            let moment = DateTime::from_unix_timestamp_with_offset(seconds, offset).unwrap();
            assert_eq!(moment.to_string(), expected);
            assert_eq!(moment.to_unix_timestamp(), seconds, "{expected}");
        }
    }

    #[test]
    fn what_no_calendar_has_is_none() {
        for (year, month, day) in
            [(1900, 2, 29), (2001, 2, 29), (2000, 0, 1), (2000, 13, 1), (2000, 4, 31), (2000, 1, 0)]
        {
            assert_eq!(Date::new(year, month, day), None);
        }
        for seconds in [i64::MIN, i64::MAX, 253_402_300_800, -62_167_219_201] {
            assert_eq!(DateTime::from_unix_timestamp(seconds), None);
        }
    }

    #[test]
    fn a_day_of_search_has_no_leading_zero() {
        assert_eq!(Date::new(1994, 2, 1).unwrap().to_string(), "1-Feb-1994");
    }

    proptest! {
        #[test]
        fn a_timestamp_survives(seconds in -62_167_100_000i64..253_402_200_000, offset in -840i16..=840) {
            let moment = DateTime::from_unix_timestamp_with_offset(seconds, offset).unwrap();
            prop_assert_eq!(moment.to_unix_timestamp(), seconds);
            prop_assert_eq!(DateTime::from_wire(moment.to_string().as_bytes()), Some(moment));
        }

        #[test]
        fn the_next_day_is_the_next_day(days in -719_000i64..2_900_000) {
            let (today, tomorrow) = (Date::from_days_since_epoch(days), Date::from_days_since_epoch(days + 1));
            prop_assert_eq!(today.map(Date::days_since_epoch), Some(days));
            prop_assert!(today < tomorrow);
        }
    }
}
