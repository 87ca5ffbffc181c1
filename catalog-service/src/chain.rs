//! How errors are printed at the edge: with all their reasons, in one line.

use std::error::Error;

/// An error and its sources. Some libraries repeat a source in their own text; it is then said once.
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    for error in std::iter::successors(error.source(), |error| (*error).source()) {
        let reason = error.to_string();
        if !text.contains(&reason) {
            text.push_str(": ");
            text.push_str(&reason);
        }
    }
    text
}
