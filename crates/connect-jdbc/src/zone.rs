//! Time zones by the names that `java.time.ZoneId` understands.

use jiff::tz::{Offset, TimeZone};

/// Java's short ids (`ZoneId.SHORT_IDS`) that are no names of the time zone database.
const SHORT_IDS: &[(&str, &str)] = &[
    ("ACT", "Australia/Darwin"),
    ("AET", "Australia/Sydney"),
    ("AGT", "America/Argentina/Buenos_Aires"),
    ("ART", "Africa/Cairo"),
    ("AST", "America/Anchorage"),
    ("BET", "America/Sao_Paulo"),
    ("BST", "Asia/Dhaka"),
    ("CAT", "Africa/Harare"),
    ("CNT", "America/St_Johns"),
    ("CST", "America/Chicago"),
    ("CTT", "Asia/Shanghai"),
    ("EAT", "Africa/Addis_Ababa"),
    ("ECT", "Europe/Paris"),
    ("EST", "-05:00"),
    ("HST", "-10:00"),
    ("IET", "America/Indiana/Indianapolis"),
    ("IST", "Asia/Kolkata"),
    ("JST", "Asia/Tokyo"),
    ("MIT", "Pacific/Apia"),
    ("MST", "-07:00"),
    ("NET", "Asia/Yerevan"),
    ("NST", "Pacific/Auckland"),
    ("PLT", "Asia/Karachi"),
    ("PNT", "America/Phoenix"),
    ("PRT", "America/Puerto_Rico"),
    ("PST", "America/Los_Angeles"),
    ("SST", "Pacific/Guadalcanal"),
    ("VST", "Asia/Ho_Chi_Minh"),
];

/// A region (`Asia/Seoul`), an offset (`Z`, `+9`, `+09:00`, `UTC+9`) or a short id (`JST`).
pub(crate) fn zone(name: &str) -> Result<TimeZone, String> {
    let short = SHORT_IDS.iter().find(|(short, _)| *short == name);
    let name = short.map_or(name, |(_, meaning)| *meaning);
    if let Some(zone) = offset(name) {
        return Ok(zone);
    }
    // Java is strict about the case of names.
    let zone = TimeZone::get(name).ok().filter(|zone| zone.iana_name() == Some(name));
    zone.ok_or_else(|| {
        "Invalid time zone: use a name such as Asia/Seoul, or an offset such as +09:00".to_owned()
    })
}

/// `Z`, `UTC`, `GMT`, `UT`, each with an offset behind it or none, or an offset alone.
fn offset(name: &str) -> Option<TimeZone> {
    if matches!(name, "Z" | "UTC" | "GMT" | "UT") {
        return Some(TimeZone::UTC);
    }
    let prefixes = ["UTC", "GMT", "UT"];
    let text = prefixes.iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(name);
    let (sign, digits) = match text.as_bytes().first()? {
        b'+' => (1, &text[1..]),
        b'-' => (-1, &text[1..]),
        _ => return None,
    };
    let number = |part: &str| -> Option<i32> {
        let two = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        if two { part.parse().ok() } else { None }
    };
    let parts: Vec<i32> = match digits.len() {
        1 => vec![number(&format!("0{digits}"))?],
        2 => vec![number(digits)?],
        4 | 6 if !digits.contains(':') => digits
            .as_bytes()
            .chunks(2)
            .map(|two| std::str::from_utf8(two).ok().and_then(number))
            .collect::<Option<_>>()?,
        5 | 8 => digits.split(':').map(number).collect::<Option<_>>()?,
        _ => return None,
    };
    let [hours, minutes, seconds] = [0, 1, 2].map(|at| parts.get(at).copied().unwrap_or(0));
    let total = hours * 3600 + minutes * 60 + seconds;
    let known = parts.len() <= 3 && minutes < 60 && seconds < 60 && total <= 18 * 3600;
    known.then(|| Offset::from_seconds(sign * total).ok().map(TimeZone::fixed)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at_2024(name: &str) -> Result<i32, String> {
        let moment = jiff::Timestamp::from_second(1_721_000_000).unwrap();
        zone(name).map(|zone| zone.to_offset(moment).seconds())
    }

    #[test]
    fn names_mean_what_they_mean_in_java() {
        for (name, seconds) in [
            ("UTC", 0),
            ("Z", 0),
            ("Asia/Seoul", 32_400),
            ("Europe/Berlin", 7_200),
            ("America/Sao_Paulo", -10_800),
            ("JST", 32_400),
            ("EST", -18_000),
            ("PST", -25_200),
            ("+9", 32_400),
            ("-03", -10_800),
            ("+05:30", 19_800),
            ("+0530", 19_800),
            ("GMT+09:00", 32_400),
            ("UTC-3", -10_800),
            ("+01:02:03", 3_723),
            ("Etc/GMT-9", 32_400),
        ] {
            assert_eq!(at_2024(name), Ok(seconds), "{name}");
        }
        for name in ["", "asia/seoul", "Nowhere/City", "+25", "+1:00", "GMT9", "+09:60", "+9:", "+é"] {
            assert!(zone(name).is_err(), "{name}");
        }
    }
}
