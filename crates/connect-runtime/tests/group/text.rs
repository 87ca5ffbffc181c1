//! The short names of the recordings: connector `A`, its task `A0`.

use connect_runtime::group::Work;
use connect_runtime::herder::TaskId;

pub(crate) fn task(connector: &str, task: usize) -> TaskId {
    TaskId { connector: connector.into(), task }
}

/// Adds `A` or `A0`.
pub(crate) fn add(work: &mut Work, item: &str) {
    match item.split_at(1) {
        (connector, "") => work.connectors.insert(connector.into()),
        (connector, number) => work.tasks.insert(task(connector, number.parse().unwrap())),
    };
}

pub(crate) fn work(items: &[&str]) -> Work {
    let mut work = Work::default();
    items.iter().for_each(|item| add(&mut work, item));
    work
}

pub(crate) fn from_hex(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> =
        hex.chars().map(|digit| u8::try_from(digit.to_digit(16).unwrap()).unwrap()).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

pub(crate) fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
