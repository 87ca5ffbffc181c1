//! The body of `PATCH /connectors/{connector}/offsets` (KIP-875).

use super::{JsonFault, RawObject, kind, object};
use connect_api::OffsetMap;
use serde_json::value::RawValue;

/// Partition and offset of each entry, as they were given; either may be null or missing.
pub(crate) type GivenOffsets = Vec<(Option<OffsetMap>, Option<OffsetMap>)>;

/// Which of them have to be there is not this function's business.
pub(crate) fn parse_offsets(text: &str) -> Result<GivenOffsets, JsonFault> {
    let body = object(text, "the body")?;
    only(&body, &["offsets"], "the body has the field offsets alone")?;
    let nothing =
        || JsonFault("Partitions / offsets need to be provided for an alter offsets request".into());
    let list = match body.get("offsets").map(|value| value.get()) {
        None | Some("null") => return Err(nothing()),
        Some(raw) => raw,
    };
    let list: Vec<Box<RawValue>> = serde_json::from_str(list).map_err(|_| {
        JsonFault(format!(
            "offsets is {}: it must be an array of {{\"partition\": {{...}}, \"offset\": {{...}}}}",
            kind(list)
        ))
    })?;
    if list.is_empty() {
        return Err(nothing());
    }
    list.iter().enumerate().map(|(index, entry)| parse_entry(index, entry.get())).collect()
}

fn parse_entry(index: usize, raw: &str) -> Result<(Option<OffsetMap>, Option<OffsetMap>), JsonFault> {
    let what = format!("offsets[{index}]");
    let entry = object(raw, &what)?;
    only(&entry, &["partition", "offset"], &format!("{what} has the fields partition and offset"))?;
    let field = |name: &str| match entry.get(name).map(|value| value.get()) {
        None | Some("null") => Ok(None),
        Some(raw) => parse_map(raw, &format!("{what}.{name}")).map(Some),
    };
    Ok((field("partition")?, field("offset")?))
}

fn parse_map(raw: &str, what: &str) -> Result<OffsetMap, JsonFault> {
    let map: OffsetMap = serde_json::from_str(raw).map_err(|error| match error.classify() {
        serde_json::error::Category::Data if !raw.starts_with('{') => {
            JsonFault(format!("{what} is {}: it must be a JSON object or null", kind(raw)))
        }
        _ => JsonFault(format!("{what} cannot be read: {error}")),
    })?;
    for (field, value) in &map {
        let nested = match value {
            serde_json::Value::Array(_) => "ARRAY",
            serde_json::Value::Object(_) => "MAP",
            _ => continue,
        };
        return Err(JsonFault(format!(
            "Offsets may only contain primitive types as values, but field {field} contains {nested}"
        )));
    }
    Ok(map)
}

fn only(object: &RawObject, known: &[&str], shape: &str) -> Result<(), JsonFault> {
    match object.keys().find(|field| !known.contains(&field.as_str())) {
        Some(unknown) => Err(JsonFault(format!("Unrecognized field \"{unknown}\": {shape}"))),
        None => Ok(()),
    }
}
