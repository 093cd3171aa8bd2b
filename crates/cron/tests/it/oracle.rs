//! The same answers as asking the clocks minute by minute.

use std::collections::BTreeSet;

use hatchery_vocab::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{ToSpan as _, Unit};
use proptest::prelude::*;

use crate::{at, fields, parse, zone};

/// How far the oracle looks.
const DAYS: i64 = 12;
const MINUTE: i64 = 60;

/// Whether a number fits a field of numbers, ranges and steps, read anew each time.
fn fits(field: &str, number: i8, first: i8) -> bool {
    field.split(',').any(|item| {
        let (range, step) = item.split_once('/').unwrap_or((item, "1"));
        let (from, to) = match range.split_once('-') {
            Some((from, to)) => (from.parse().unwrap(), to.parse().unwrap()),
            None if range == "*" => (first, i8::MAX),
            None => (range.parse().unwrap(), range.parse().unwrap()),
        };
        let step: i8 = step.parse().unwrap();
        from <= number && number <= to && (number - from) % step == 0
    })
}

fn fits_time(text: &str, local: DateTime) -> bool {
    let [minute, hour, day, month, weekday] = fields(text);
    let (by_day, by_weekday) = (
        fits(day, local.day(), 1),
        fits(weekday, local.weekday().to_sunday_zero_offset(), 0),
    );
    let day = if day == "*" || weekday == "*" {
        by_day && by_weekday
    } else {
        by_day || by_weekday
    };
    day && fits(minute, local.minute(), 0)
        && fits(hour, local.hour(), 0)
        && fits(month, local.month(), 1)
}

/// Every run in the days after `after`, found by looking at the clocks each minute.
fn look(text: &str, after: Timestamp, zone: &TimeZone) -> Vec<i64> {
    let [minute, hour, ..] = fields(text);
    let every_hour = (0..24).all(|candidate| fits(hour, candidate, 0));
    let start = after.seconds().div_euclid(MINUTE) + 1;
    let local = |minute: i64| {
        zone.to_datetime(jiff::Timestamp::from_second(minute * MINUTE).unwrap())
            .round(Unit::Second)
            .unwrap()
    };
    // What the clocks showed in the day before may be shown again.
    let mut shown: BTreeSet<DateTime> = (start - 1440..start).map(local).collect();
    let mut runs = Vec::new();
    for now in start..start + DAYS * 1440 {
        let (was, is) = (local(now - 1), local(now));
        let usual = was.checked_add(1.minute()).unwrap();
        let shift = is.since(usual).unwrap().total(Unit::Second).unwrap() as i64;
        let mut due = fits_time(text, is);
        if shift > 0 && !(every_hour && shift % 3600 == 0) {
            let mut skipped = usual;
            while skipped < is {
                due |= fits_time(text, skipped);
                skipped = skipped.checked_add(1.minute()).unwrap();
            }
        }
        if !shown.insert(is) && !minute.starts_with('*') {
            due &= every_hour && put_back(now, &local) % 60 == 0;
        }
        if due {
            runs.push(now * MINUTE);
        }
    }
    runs
}

/// By how many minutes the clocks were put back last.
fn put_back(now: i64, local: &impl Fn(i64) -> DateTime) -> i64 {
    (now - 1440..=now)
        .rev()
        .find_map(|minute| {
            let usual = local(minute - 1).checked_add(1.minute()).unwrap();
            let back = usual
                .since(local(minute))
                .unwrap()
                .total(Unit::Minute)
                .unwrap() as i64;
            (back > 0).then_some(back)
        })
        .unwrap()
}

fn field(first: u8, last: u8) -> impl Strategy<Value = String> {
    let number = first..=last;
    let range =
        (number.clone(), number.clone()).prop_map(|(a, b)| format!("{}-{}", a.min(b), a.max(b)));
    let item = prop_oneof![
        3 => Just("*".to_owned()),
        3 => number.prop_map(|n| n.to_string()),
        2 => range.clone(),
        1 => (range, 1u8..9).prop_map(|(range, step)| format!("{range}/{step}")),
        2 => (2u8..40).prop_map(|step| format!("*/{step}")),
    ];
    prop_oneof![
        4 => item.clone(),
        1 => (item.clone(), item).prop_map(|(a, b)| format!("{a},{b}")),
    ]
}

/// Days before, in and after changes of clocks, and an ordinary one.
fn moments() -> impl Strategy<Value = (&'static str, &'static str)> {
    prop::sample::select(vec![
        ("Europe/Berlin", "2027-03-26T07:13:20+01:00"),
        ("Europe/Berlin", "2027-10-29T22:00:00+02:00"),
        ("Europe/Berlin", "2027-10-31T02:31:07+02:00"),
        ("America/New_York", "2027-03-12T07:13:20-05:00"),
        ("America/New_York", "2027-11-05T07:13:20-04:00"),
        ("Australia/Lord_Howe", "2027-04-02T07:13:20+11:00"),
        ("Australia/Lord_Howe", "2027-10-01T07:13:20+10:30"),
        ("America/Havana", "2027-11-05T07:13:20-04:00"),
        ("Africa/Cairo", "2027-04-28T07:13:20+02:00"),
        ("Asia/Kathmandu", "2027-04-28T07:13:20+05:45"),
        ("UTC", "2028-02-25T00:00:00+00:00"),
    ])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn agrees_with_looking_at_the_clocks_every_minute(
        minute in field(0, 59), hour in field(0, 23), day in field(1, 31), month in field(1, 12),
        weekday in field(0, 6), (zone_name, after) in moments(),
    ) {
        let text = format!("{minute} {hour} {day} {month} {weekday}");
        let (zone, after) = (zone(zone_name), at(after));
        let expected = look(&text, after, &zone);
        let end = (after.seconds().div_euclid(MINUTE) + 1 + DAYS * 1440) * MINUTE;
        let found: Vec<i64> = parse(&text).unwrap().runs_after(after, &zone)
            .map(Timestamp::seconds).take_while(|run| *run < end).collect();
        prop_assert_eq!(found, expected, "{} in {}", text, zone_name);
    }

    #[test]
    fn no_text_panics(text in "[0-9*/,LW#?a-z -]{0,12}", after in any::<i64>()) {
        let expression = hatchery_cron::Expression {
            minute: "0", hour: "0", day_of_month: &text, month: "*", day_of_week: &text,
        };
        if let Ok(cron) = hatchery_cron::Cron::parse(expression) {
            let _ = cron.next_after(Timestamp::from_micros(after), &TimeZone::UTC);
        }
    }
}
