//! What a file holds, as a plain map: what stands at each place, and nothing of how it came there.

use std::collections::BTreeMap;

use serde_yaml::Value;

/// A record, or the root: its fields.
pub(crate) type Fields = BTreeMap<String, Value>;

/// The records by their ids, and what stands beside them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Model {
    pub(crate) records: BTreeMap<String, Fields>,
    pub(crate) root: Fields,
}

impl Model {
    /// Reads a text, annotations aside.
    ///
    /// # Errors
    /// When it is not the valid list of records that it must be, or a conflict is kept in it.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        if text.contains("_crdt_conflicts") {
            return Err("a conflict is kept".to_owned());
        }
        let root: Value = serde_yaml::from_str(text).map_err(|error| error.to_string())?;
        let mut model = Self {
            root: fields(&root)?,
            ..Self::default()
        };
        let records = model.root.remove("todos").ok_or("it has no records")?;
        let records = records.as_sequence().ok_or("the records are no list")?;
        for record in records {
            let mut fields = fields(record)?;
            let id = fields.remove("id");
            let id = id.as_ref().and_then(Value::as_str);
            let id = id.ok_or("a record has no id")?.to_owned();
            if model.records.insert(id.clone(), fields).is_some() {
                return Err(format!("the id {id} stands twice"));
            }
        }
        Ok(model)
    }

    /// The fields of a record, or of the root where none is named, to be changed.
    pub(crate) fn of_mut(&mut self, record: Option<&str>) -> Option<&mut Fields> {
        match record {
            Some(record) => self.records.get_mut(record),
            None => Some(&mut self.root),
        }
    }
}

/// The fields of a mapping, without what is ours.
fn fields(mapping: &Value) -> Result<Fields, String> {
    let mapping = mapping.as_mapping().ok_or("there is no mapping")?;
    let named = mapping.iter().map(|(name, value)| {
        let name = name.as_str().ok_or("a field has no name")?;
        Ok((name.to_owned(), bare(value)))
    });
    let mut fields = named.collect::<Result<Fields, String>>()?;
    fields.remove("_crdt");
    Ok(fields)
}

/// A value without what is said about the records in it.
fn bare(value: &Value) -> Value {
    match value {
        Value::Sequence(members) => members.iter().map(bare).collect::<Vec<Value>>().into(),
        Value::Mapping(mapping) => {
            let entries = mapping.iter().filter(|(name, _)| *name != "_crdt");
            let entries = entries.map(|(name, value)| (name.clone(), bare(value)));
            Value::Mapping(entries.collect())
        }
        other => other.clone(),
    }
}
