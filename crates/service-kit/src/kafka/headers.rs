//! Trace context in record headers, under the names it has in HTTP.

use crate::trace::{REQUEST_ID, TRACEPARENT, TraceContext};
use rdkafka::message::{Header, Headers, OwnedHeaders};

pub fn trace_headers(context: &TraceContext) -> OwnedHeaders {
    OwnedHeaders::new_with_capacity(2)
        .insert(Header { key: TRACEPARENT, value: Some(&context.traceparent) })
        .insert(Header { key: REQUEST_ID, value: Some(&context.request_id) })
}

/// The context a record carries; what is missing or broken is created, as for a request.
pub fn trace_of<H: Headers>(headers: Option<&H>) -> TraceContext {
    let text = |name: &str| {
        let header = headers?.iter().find(|header| header.key.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(header.value?).ok()
    };
    TraceContext::from_texts(text(TRACEPARENT), text(REQUEST_ID))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_survives_the_headers() {
        let context = TraceContext::from_texts(None, None);
        assert_eq!(trace_of(Some(&trace_headers(&context))), context);
        assert_ne!(trace_of::<OwnedHeaders>(None), context);
    }
}
