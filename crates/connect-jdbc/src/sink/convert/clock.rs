//! What a clock in a zone shows, by the calendar of choice, as Java's classes have it.

use jiff::Timestamp;
use jiff::tz::TimeZone;

const SECONDS_PER_DAY: i64 = 86_400;

/// 1582-10-15, the first day that `java.util.GregorianCalendar` counts by the Gregorian calendar.
const CUTOVER_DAY: i64 = -141_427;

/// 1900-01-01T00:00Z: of the time before, `java.util.TimeZone` knows only the standard offset of today.
const FIRST_OFFSETS: i64 = -2_208_988_800;

#[derive(Clone, Debug)]
pub(super) struct Clock {
    zone: TimeZone,
    /// Whether it is UTC, the zone of nearly everybody.
    utc: bool,
    /// The standard offset of today; only with the legacy calendar.
    legacy: Option<i64>,
}

impl Clock {
    pub(super) fn new(zone: TimeZone, legacy: bool) -> Self {
        let utc = zone.to_fixed_offset().is_ok_and(|offset| offset.seconds() == 0);
        let legacy = legacy.then(|| standard_offset(&zone));
        Self { zone, utc, legacy }
    }

    pub(super) fn is_legacy(&self) -> bool {
        self.legacy.is_some()
    }

    /// What the clock shows at a moment, in seconds from its own 1970-01-01T00:00 in the proleptic Gregorian calendar,
    /// which is what databases count by: the digits of the date are those of the calendar of choice.
    pub(super) fn shown(&self, moment: i64) -> Result<i64, String> {
        let shown = moment.saturating_add(self.offset(moment));
        if self.legacy.is_none() || shown >= CUTOVER_DAY * SECONDS_PER_DAY {
            return Ok(shown);
        }
        let (day, second) = (shown.div_euclid(SECONDS_PER_DAY), shown.rem_euclid(SECONDS_PER_DAY));
        Ok(with_julian_digits(day)? * SECONDS_PER_DAY + second)
    }

    fn offset(&self, moment: i64) -> i64 {
        if self.utc {
            return 0;
        }
        match self.legacy {
            Some(standard) if moment < FIRST_OFFSETS => standard,
            _ => {
                let end = if moment < 0 { Timestamp::MIN } else { Timestamp::MAX };
                let moment = Timestamp::from_second(moment).unwrap_or(end);
                self.zone.to_offset(moment).seconds().into()
            }
        }
    }
}

/// Summer time is ahead of it everywhere.
fn standard_offset(zone: &TimeZone) -> i64 {
    /// The middle of each month of 2037, the last year for which every zone has its rules written down.
    const MIDDLES: std::ops::Range<i64> = 0..12;
    const FIRST: i64 = 2_115_590_400;
    let offset = |month: i64| {
        let moment = Timestamp::from_second(FIRST + month * 30 * SECONDS_PER_DAY).unwrap_or(Timestamp::MAX);
        i64::from(zone.to_offset(moment).seconds())
    };
    MIDDLES.map(offset).min().unwrap_or(0)
}

/// The day whose date has the digits, in the Gregorian calendar, that this day's date has in the Julian one.
fn with_julian_digits(day: i64) -> Result<i64, String> {
    // Beyond what any database holds; far from overflows.
    if day < -5_000_000_000 {
        return Ok(day);
    }
    let (year, month, date) = julian(day);
    if month == 2 && date == 29 && !is_leap(year) {
        return Err(format!(
            "the date is {year:04}-02-29 in the Julian calendar, which no database has; set \
             date.calendar.system=PROLEPTIC_GREGORIAN to write dates before 1582-10-15 as the Gregorian calendar counts them"
        ));
    }
    Ok(gregorian_day(year, month, date))
}

/// Year (0 is 1 BC), month and day of month in the Julian calendar.
fn julian(day: i64) -> (i64, i64, i64) {
    // Counted from March of the year -4800, so that leap days come last.
    let count = day + 2_440_588 + 32_082;
    let year = (4 * count + 3).div_euclid(1461);
    let rest = count - (1461 * year).div_euclid(4);
    let month = (5 * rest + 2) / 153;
    let date = rest - (153 * month + 2) / 5 + 1;
    (year - 4800 + month / 10, month + 3 - 12 * (month / 10), date)
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar.
fn gregorian_day(year: i64, month: i64, date: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + date - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

fn is_leap(year: i64) -> bool {
    year.rem_euclid(4) == 0 && (year.rem_euclid(100) != 0 || year.rem_euclid(400) == 0)
}
