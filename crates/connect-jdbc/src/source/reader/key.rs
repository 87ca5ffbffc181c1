//! `record.key.primary.key`: a record's key from the primary key of its table. Pure.

use connect_api::{ConnectError, Field, Schema, SchemaRef, Type, Value};
use std::sync::Arc;

/// Makes keys of values: a struct `<table>.Key` of the key's columns, in the order of the primary key.
#[derive(Debug)]
pub(super) struct KeyMaker {
    name: String,
    columns: Arc<[String]>,
    /// For values of one schema.
    made: Option<Made>,
}

#[derive(Debug)]
struct Made {
    value_schema: SchemaRef,
    schema: SchemaRef,
    fields: Vec<usize>,
}

impl KeyMaker {
    pub(super) fn new(table: &str, columns: Arc<[String]>) -> Self {
        Self { name: format!("{table}.Key"), columns, made: None }
    }

    pub(super) fn key(
        &mut self,
        schema: &SchemaRef,
        value: &Value,
    ) -> Result<(SchemaRef, Value), ConnectError> {
        let made = match self.made.take() {
            Some(made) if Arc::ptr_eq(&made.value_schema, schema) => self.made.insert(made),
            _ => {
                let made = self.make(schema)?;
                self.made.insert(made)
            }
        };
        let Value::Struct(values) = value else {
            return Err(ConnectError::data("a row is no struct"));
        };
        let key = made.fields.iter().map(|field| values.get(*field).cloned().unwrap_or_default());
        Ok((made.schema.clone(), Value::Struct(key.collect())))
    }

    fn make(&self, value_schema: &SchemaRef) -> Result<Made, ConnectError> {
        let mut fields = Vec::new();
        let mut places = Vec::new();
        for column in &*self.columns {
            let place = value_schema.field_index(column).ok_or_else(|| {
                ConnectError::config(format!(
                    "the column {column} of the primary key is not among the fields of the records, since its type is not \
                     supported; remove record.key.primary.key"
                ))
            })?;
            let mut schema = (*value_schema.fields()[place].schema).clone();
            // SQLite lets it be declared nullable.
            schema.optional = false;
            fields.push(Field { name: column.as_str().into(), schema: Arc::new(schema) });
            places.push(place);
        }
        let schema = Arc::new(Schema::new(Type::Struct(fields)).named(&self.name));
        Ok(Made { value_schema: value_schema.clone(), schema, fields: places })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema() -> SchemaRef {
        let int = || Schema::new(Type::Int32);
        Arc::new(Schema::structure([
            ("a", int()),
            ("id", int().optional()),
            ("shop", Schema::new(Type::String)),
        ]))
    }

    #[test]
    fn keys_have_the_columns_of_the_primary_key_in_its_order() {
        let mut maker = KeyMaker::new("orders", Arc::new(["shop".to_owned(), "id".to_owned()]));
        let value = Value::Struct(vec![Value::Int32(1), Value::Int32(2), "x".into()]);
        let schema = schema();
        let (key_schema, key) = maker.key(&schema, &value).unwrap();
        assert_eq!(key, Value::Struct(vec!["x".into(), Value::Int32(2)]));
        let expected =
            Schema::structure([("shop", Schema::new(Type::String)), ("id", Schema::new(Type::Int32))]);
        assert_eq!(*key_schema, expected.named("orders.Key"));
        let (again, _) = maker.key(&schema, &value).unwrap();
        assert!(Arc::ptr_eq(&key_schema, &again), "one schema for all records");
    }

    #[test]
    fn a_key_that_is_left_out_is_refused() {
        let mut maker = KeyMaker::new("t", Arc::new(["area".to_owned()]));
        let error = maker.key(&schema(), &Value::Struct(vec![])).unwrap_err();
        assert!(error.to_string().contains("area"), "{error}");
    }
}
